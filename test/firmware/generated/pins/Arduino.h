#pragma once

// What sketches use of the ESP8266 Arduino core 3.1.2 beside what the port uses (test/firmware/stubs): pins, and those of
// its macros that a definition's names could meet. Signatures and values as in cores/esp8266 of esp8266/Arduino.

#include_next <Arduino.h>

#define HIGH 0x1
#define LOW 0x0
#define INPUT 0x00
#define OUTPUT 0x01
#define PI 3.1415926535897932384626433832795
#define DEFAULT 1
#define EXTERNAL 0
#define B0 0
#define B1 1
#define bit(b) (1UL << (b))
#define constrain(amt, low, high) ((amt) < (low) ? (low) : ((amt) > (high) ? (high) : (amt)))

static const uint8_t A0 = 17;

extern "C" {
void pinMode(uint8_t pin, uint8_t mode);
void digitalWrite(uint8_t pin, uint8_t value);
int analogRead(uint8_t pin);
void analogWrite(uint8_t pin, int value);
void delayMicroseconds(unsigned int us);
}
