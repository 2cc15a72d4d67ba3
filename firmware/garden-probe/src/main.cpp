// Moisture of the soil, measured on a battery: every wake measures once, tells the base, takes the commands that wait, and
// sleeps again (the runtime does, with `sleep` in the definition). What is reported and can be commanded is in
// <garden_probe.h>, generated from units/garden-probe.ts.
//
// On an ESP8266 lay a wire from D0 to RST: it is what wakes the chip. A switch (4053) at D1 lays one of two things on the
// one analogue input: low a capacitive probe (2.8 V in dry soil, 1.2 V in water), high half of the battery's voltage.
#include <garden_probe.h>

static garden_probe::Soil soil;
static uint8_t dryBelow = garden_probe::SetDryBelow().dryBelow;

#if defined(ARDUINO_ARCH_ESP8266)
#include <Arduino.h>

static constexpr uint8_t switchPin = 5;  // D1
static constexpr float voltsOfAdc = 3.3f / 1023.0f;
static constexpr float dryVolts = 2.8f;
static constexpr float wetVolts = 1.2f;
// Until the input has taken its new level.
static constexpr unsigned settleUs = 500;

static float volts(bool isBattery) {
  digitalWrite(switchPin, isBattery ? HIGH : LOW);
  delayMicroseconds(settleUs);
  return static_cast<float>(analogRead(A0)) * voltsOfAdc;
}

static void measure() {
  pinMode(switchPin, OUTPUT);
  const float share = (dryVolts - volts(false)) / (dryVolts - wetVolts);
  soil.moisture = static_cast<uint8_t>(constrain(share, 0.0f, 1.0f) * 100.0f);
  soil.battery = constrain(2.0f * volts(true), 0.0f, 6.0f);
}

// The clock's memory is what lasts through deep sleep, but not without power. An update over the air needs the first
// 128 octets of it, which are 32 blocks of four. After power-on it holds anything: so the number is there twice.
static constexpr uint32_t keptBlock = 32;

static void keep() {
  uint32_t kept[2] = {dryBelow, ~static_cast<uint32_t>(dryBelow)};
  ESP.rtcUserMemoryWrite(keptBlock, kept, sizeof kept);
}

static void recall() {
  uint32_t kept[2] = {};
  if (!ESP.rtcUserMemoryRead(keptBlock, kept, sizeof kept)) return;
  if (kept[0] == ~kept[1] && kept[0] <= 100) dryBelow = static_cast<uint8_t>(kept[0]);
}
#else
#include <stdio.h>
#include <stdlib.h>

// A dry afternoon.
static void measure() {
  soil.moisture = 34;
  soil.battery = 3.9f;
}

// The environment is what lasts through sleep here: the program replaces itself.
static const char keptName[] = "GARDEN_PROBE_DRY_BELOW";

static void keep() {
  char text[4];
  snprintf(text, sizeof text, "%u", dryBelow);
  setenv(keptName, text, 1);
}

static void recall() {
  const char* kept = getenv(keptName);
  if (kept != nullptr) dryBelow = static_cast<uint8_t>(atoi(kept));
}
#endif

struct Probe {
  // The next report goes by it.
  static bu::Answer setDryBelow(const garden_probe::SetDryBelow& command) {
    dryBelow = command.dryBelow;
    keep();
    return bu::Answer::ok();
  }
};

static garden_probe::Unit<Probe> unit;

void setup() {
  recall();
  measure();
  soil.isDry = soil.moisture < dryBelow;
  unit.begin();
  unit.report(soil);
}

void loop() { unit.loop(); }
