// Generated from units/thermometer.ts by `baseunit generate`. Do not edit.
#pragma once
