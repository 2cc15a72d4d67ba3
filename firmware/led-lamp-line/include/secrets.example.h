// Generated from units/led-lamp-line.ts by `baseunit generate`. Do not edit.
#pragma once
