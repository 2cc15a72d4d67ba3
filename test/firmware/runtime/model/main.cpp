// A model of the sketch that a user writes: src/main.cpp of led-lamp.
#include <led_lamp.h>

static led_lamp::State shown;
static bool hasChanged = true;

struct Lamp {
  static bu::Answer setColor(const led_lamp::SetColor& command) {
    shown.color = command.color;
    hasChanged = true;
    return bu::Answer::ok();
  }

  static bu::Answer fade(const led_lamp::Fade& command) {
    if (command.durationMs == 0) return bu::Answer::refused("use setColor for a change at once");
    shown.color = command.color;
    hasChanged = true;
    return bu::Answer::ok();
  }
};

static led_lamp::Unit<Lamp> unit;

void setup() { unit.begin(); }

void loop() {
  unit.loop();
  if (hasChanged) {
    hasChanged = false;
    unit.report(shown);
  }
}
