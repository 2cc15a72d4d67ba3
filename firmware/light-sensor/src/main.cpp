// The original light sensor: a light-dependent resistor and a fixed one at the analogue input, a number a second. What
// is reported is in <light_sensor.h>, generated from units/light-sensor.ts.
#include <light_sensor.h>

#if defined(ARDUINO)
#include <Arduino.h>

static uint16_t measure() { return static_cast<uint16_t>(analogRead(A0)); }
#else
// Light that comes and goes: up and down between 100 and 900 in 80 readings, the same every time.
static uint16_t measure() {
  static uint16_t turn = 0;
  const uint16_t level = static_cast<uint16_t>(turn < 40 ? 100 + 20 * turn : 900 - 20 * (turn - 40));
  turn = static_cast<uint16_t>((turn + 1) % 80);
  return level;
}
#endif

static light_sensor::Unit unit;
static bu::Every lightIsDue(light_sensor::Light::everyMs);

void setup() { unit.begin(); }

void loop() {
  unit.loop();
  if (lightIsDue.isDue()) {
    light_sensor::Light light;
    light.level = measure();
    unit.report(light);
  }
}
