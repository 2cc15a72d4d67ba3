// A light sensor that sees one more each time, every 20 ms.
#include <light_sensor.h>

static light_sensor::Unit unit;
static bu::Every every(20);
static uint16_t level = 0;

void setup() { unit.begin(); }

void loop() {
  unit.loop();
  if (!every.isDue()) return;
  unit.report(light_sensor::Light{level});
  level = static_cast<uint16_t>((level + 1) % 1024);
}
