// The original lamp: a colour on a line of text. What can be commanded is in <led_lamp_line.h>, generated from
// units/led-lamp-line.ts.
#include <led_lamp_line.h>

#if defined(ARDUINO)
#include <Arduino.h>

#if defined(ARDUINO_ARCH_AVR)
// Pins of an Uno that can be dimmed.
static constexpr uint8_t redPin = 9;
static constexpr uint8_t greenPin = 10;
static constexpr uint8_t bluePin = 11;
#else
static constexpr uint8_t redPin = 14;    // D5
static constexpr uint8_t greenPin = 12;  // D6
static constexpr uint8_t bluePin = 13;   // D7
#endif

static void beginLamp() {
  pinMode(redPin, OUTPUT);
  pinMode(greenPin, OUTPUT);
  pinMode(bluePin, OUTPUT);
}
static void show(const bu::Rgb& color) {
  analogWrite(redPin, color.red);
  analogWrite(greenPin, color.green);
  analogWrite(bluePin, color.blue);
}
#else
#include <stdio.h>

static void beginLamp() {}
static void show(const bu::Rgb& color) {
  printf("led-lamp-line color #%02x%02x%02x\n", color.red, color.green, color.blue);
  fflush(stdout);
}
#endif

struct Lamp {
  static bu::Answer setColor(const led_lamp_line::SetColor& command) {
    show(command.color);
    return bu::Answer::ok();
  }
};

static led_lamp_line::Unit<Lamp> unit;

void setup() {
  beginLamp();
  unit.begin();
}

void loop() { unit.loop(); }
