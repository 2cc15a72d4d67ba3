// Generated from units/light-sensor.ts by `baseunit generate`. Do not edit.
#pragma once
