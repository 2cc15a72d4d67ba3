// A lamp that falls asleep for as long as a fade is to take, once its answer is out.
#include <led_lamp.h>

static uint16_t sleepMs = 0;
static bu::Every soon(100);

struct Lamp {
  static bu::Answer setColor(const led_lamp::SetColor&) { return bu::Answer::ok(); }
  static bu::Answer fade(const led_lamp::Fade& command) {
    sleepMs = command.durationMs;
    soon.isDue();
    return bu::Answer::ok();
  }
};

static led_lamp::Unit<Lamp> unit;

void setup() { unit.begin(); }

void loop() {
  unit.loop();
  if (sleepMs > 0 && soon.isDue()) bu::port::sleep(sleepMs);
}
