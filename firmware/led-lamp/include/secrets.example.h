// Generated from units/led-lamp.ts by `baseunit generate`. Do not edit.
#pragma once
