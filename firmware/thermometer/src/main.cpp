// Temperature and humidity of a room, every two seconds. What is reported is in <thermometer.h>, generated from
// units/thermometer.ts.
//
// The ESP8266 has one analogue input. A switch (4053) at D1 lays one of two sensors on it, in turn: low a TMP36
// (0.5 V at 0 °C, 10 mV a degree), high a HIH-4030 at 3.3 V (0.16 V and 6.2 mV a percent, of 5 V, in proportion).
#include <thermometer.h>

static thermometer::Reading reading;

#if defined(ARDUINO_ARCH_ESP8266)
#include <Arduino.h>

static constexpr uint8_t switchPin = 5;  // D1
static constexpr float voltsOfAdc = 3.3f / 1023.0f;
static bool isHumidityTurn = false;

static void beginSensors() { pinMode(switchPin, OUTPUT); }

// One sensor a turn: the other has until the next turn to settle.
static void measure() {
  const float volts = static_cast<float>(analogRead(A0)) * voltsOfAdc;
  if (isHumidityTurn) {
    reading.humidity = constrain((volts / 3.3f - 0.16f) / 0.0062f, 0.0f, 100.0f);
  } else {
    reading.temperature = constrain((volts - 0.5f) * 100.0f, -40.0f, 85.0f);
  }
  isHumidityTurn = !isHumidityTurn;
  digitalWrite(switchPin, isHumidityTurn ? HIGH : LOW);
}
#else
static void beginSensors() {}

// A slow wave, the same every time: up and down in 240 turns, which are four minutes.
static void measure() {
  static int turn = 0;
  const float height = static_cast<float>(turn < 120 ? turn : 240 - turn) / 120.0f;
  reading.temperature = 19.0f + 4.0f * height;
  reading.humidity = 55.0f - 15.0f * height;
  turn = (turn + 1) % 240;
}
#endif

static thermometer::Unit unit;
static bu::Every turnIsDue(thermometer::Reading::everyMs / 2);
static bool isComplete = false;

void setup() {
  beginSensors();
  unit.begin();
}

void loop() {
  unit.loop();
  if (turnIsDue.isDue()) {
    measure();
    if (isComplete) unit.report(reading);
    isComplete = !isComplete;
  }
}
