// Generated from units/rain-barrel.ts by `baseunit generate`. Do not edit.
#pragma once
