// A lamp of one coloured light-emitting diode (or a strip, over three transistors). It shows a colour at once, or fades
// to it, and reports what it shows. What can be commanded and reported is in <led_lamp.h>, generated from
// units/led-lamp.ts.
#include <led_lamp.h>

#if defined(ARDUINO_ARCH_ESP8266)
#include <Arduino.h>

static constexpr uint8_t redPin = 14;    // D5
static constexpr uint8_t greenPin = 12;  // D6
static constexpr uint8_t bluePin = 13;   // D7

static void beginLamp() {
  pinMode(redPin, OUTPUT);
  pinMode(greenPin, OUTPUT);
  pinMode(bluePin, OUTPUT);
}
static void light(const bu::Rgb& color) {
  analogWrite(redPin, color.red);
  analogWrite(greenPin, color.green);
  analogWrite(bluePin, color.blue);
}
static void tell(const bu::Rgb&) {}
#else
#include <stdio.h>

static void beginLamp() {}
static void light(const bu::Rgb&) {}
static void tell(const bu::Rgb& color) {
  printf("led-lamp color #%02x%02x%02x\n", color.red, color.green, color.blue);
  fflush(stdout);
}
#endif

static led_lamp::State shown;
static bool hasChanged = true;

// A fade under way: from where, to where, since when, how long. 0 ms: none.
static bu::Rgb fadeFrom;
static bu::Rgb fadeTo;
static uint32_t fadeSinceMs = 0;
static uint32_t fadeForMs = 0;

static void show(const bu::Rgb& color) {
  shown.color = color;
  light(color);
}

static void arriveAt(const bu::Rgb& color) {
  fadeForMs = 0;
  show(color);
  uint8_t brightest = color.red > color.green ? color.red : color.green;
  if (color.blue > brightest) brightest = color.blue;
  shown.brightness = static_cast<uint8_t>(brightest * 100 / 255);
  hasChanged = true;
  tell(color);
}

static uint8_t between(uint8_t from, uint8_t to, uint32_t passedMs) {
  return static_cast<uint8_t>(from + (static_cast<int32_t>(to) - from) * static_cast<int32_t>(passedMs) /
                                         static_cast<int32_t>(fadeForMs));
}

static void goOnFading() {
  const uint32_t passedMs = bu::port::millis() - fadeSinceMs;
  if (passedMs >= fadeForMs) return arriveAt(fadeTo);
  show({between(fadeFrom.red, fadeTo.red, passedMs), between(fadeFrom.green, fadeTo.green, passedMs),
        between(fadeFrom.blue, fadeTo.blue, passedMs)});
}

struct Lamp {
  static bu::Answer setColor(const led_lamp::SetColor& command) {
    arriveAt(command.color);
    return bu::Answer::ok();
  }

  static bu::Answer fade(const led_lamp::Fade& command) {
    fadeFrom = shown.color;
    fadeTo = command.color;
    fadeSinceMs = bu::port::millis();
    fadeForMs = command.durationMs;
    if (fadeForMs == 0) arriveAt(fadeTo);
    return bu::Answer::ok();
  }
};

static led_lamp::Unit<Lamp> unit;

void setup() {
  beginLamp();
  show({0, 0, 0});
  shown.brightness = 0;
  unit.begin();
}

void loop() {
  unit.loop();
  if (fadeForMs > 0) goOnFading();
  if (hasChanged) {
    hasChanged = false;
    unit.report(shown);
  }
}
