// A water barrel: measures its water, waters the garden bed by bed on command, shows a status light. What can be
// commanded and reported is in <rain_barrel.h>, generated from units/rain-barrel.ts.
#include <rain_barrel.h>

using rain_barrel::Configure;
using rain_barrel::Level;
using rain_barrel::Valve;
using rain_barrel::Water;
using rain_barrel::WaterReply;

static Configure settings;

#if defined(ARDUINO_ARCH_ESP8266)
#include <Arduino.h>

// D1, D5, D6, D7. A pressure sensor at the bottom of the barrel is on the analogue input: 0 V empty, 3.3 V 200 l.
static constexpr uint8_t valvePin = 5;
static constexpr uint8_t redPin = 14;
static constexpr uint8_t greenPin = 12;
static constexpr uint8_t bluePin = 13;

static void beginBarrel() {
  pinMode(valvePin, OUTPUT);
  digitalWrite(valvePin, LOW);
  pinMode(redPin, OUTPUT);
  pinMode(greenPin, OUTPUT);
  pinMode(bluePin, OUTPUT);
}
static float measureLitres() { return static_cast<float>(analogRead(A0)) * 200.0f / 1023.0f; }
static void turnValve(bool isOpen) { digitalWrite(valvePin, isOpen ? HIGH : LOW); }
static void light(const bu::Rgb& color) {
  analogWrite(redPin, color.red);
  analogWrite(greenPin, color.green);
  analogWrite(bluePin, color.blue);
}
static void tellValve(bool) {}
static void tellLight(const bu::Rgb&) {}
#else
#include <stdio.h>

static void beginBarrel() {}
// Rain and sun: up and down between 80 and 160 litres in 80 readings, the same every time.
static float measureLitres() {
  static int turn = 0;
  const float litres = static_cast<float>(80 + 2 * (turn < 40 ? turn : 80 - turn));
  turn = (turn + 1) % 80;
  return litres;
}
static void turnValve(bool) {}
static void light(const bu::Rgb&) {}
static void tellValve(bool isOpen) {
  printf("rain-barrel valve %s\n", isOpen ? "open" : "closed");
  fflush(stdout);
}
static void tellLight(const bu::Rgb& color) {
  printf("rain-barrel light #%02x%02x%02x\n", color.red, color.green, color.blue);
  fflush(stdout);
}
#endif

// What is still to be watered; the first is under way while the valve is open.
struct Job {
  float litres;
  Valve::Mode mode;
  uint32_t forMs;
};
static constexpr uint8_t maxJobs = 4;
static Job jobs[maxJobs];
static uint8_t waiting = 0;

static Valve valve;
static bool hasValveChanged = true;
static uint32_t openedMs = 0;

static float litresAMinute(Valve::Mode mode) {
  switch (mode) {
    case Valve::Mode::drip:
      return 2.0f;
    case Valve::Mode::normal:
      return 10.0f;
    case Valve::Mode::flood:
      return 30.0f;
    case Valve::Mode::off:
      break;
  }
  return 0.0f;
}

static Valve::Mode valveModeFor(Water::Mode mode) {
  switch (mode) {
    case Water::Mode::drip:
      return Valve::Mode::drip;
    case Water::Mode::flood:
      return Valve::Mode::flood;
    case Water::Mode::normal:
      break;
  }
  return Valve::Mode::normal;
}

static void setValve(bool isOpen, Valve::Mode mode) {
  const uint32_t openForMs = bu::port::millis() - openedMs;
  if (valve.isOpen && !isOpen) valve.lastMs = openForMs > UINT16_MAX ? UINT16_MAX : static_cast<uint16_t>(openForMs);
  if (!valve.isOpen && isOpen) openedMs = bu::port::millis();
  valve.isOpen = isOpen;
  valve.mode = mode;
  hasValveChanged = true;
  turnValve(isOpen);
  tellValve(isOpen);
}

static void beginNextJob() {
  if (waiting == 0) return setValve(false, Valve::Mode::off);
  ++valve.runs;
  setValve(true, jobs[0].mode);
}

static void endJob() {
  valve.balance -= static_cast<int32_t>(jobs[0].litres * 1000.0f);
  --waiting;
  for (uint8_t index = 0; index < waiting; ++index) jobs[index] = jobs[index + 1];
  setValve(false, Valve::Mode::off);
  if (waiting > 0) beginNextJob();
}

// Why a watering is refused. On a board text lies in RAM unless it is told to stay in flash.
static const char disabled[] BU_FLASH = "watering is disabled: configure it with enabled";
static const char tooMany[] BU_FLASH = "four waterings are waiting already";

struct Barrel {
  static bu::Answer water(const Water& command, WaterReply& reply) {
    if (!settings.enabled) return bu::Answer::refused(bu::flashText(disabled));
    if (waiting == maxJobs) return bu::Answer::refused(bu::flashText(tooMany));
    const Valve::Mode mode = valveModeFor(command.mode);
    const float beds = command.beds.count() == 0 ? 1.0f : static_cast<float>(command.beds.count());
    const float litres = command.litres * beds;
    jobs[waiting++] = {litres, mode, static_cast<uint32_t>(litres / litresAMinute(mode) * 60'000.0f)};
    if (waiting == 1) beginNextJob();
    reply.startedAt = bu::port::millis() / 1000;
    reply.queue = waiting;
    return bu::Answer::ok();
  }

  static bu::Answer stop(const rain_barrel::Stop&) {
    waiting = 0;
    setValve(false, Valve::Mode::off);
    return bu::Answer::ok();
  }

  static bu::Answer configure(const Configure& command) {
    settings = command;
    valve.note.setCut(settings.label.c_str());
    hasValveChanged = true;
    light(settings.light);
    tellLight(settings.light);
    return bu::Answer::ok();
  }
};

static rain_barrel::Unit<Barrel> unit;
static bu::Every levelIsDue(Level::everyMs);

static void reportLevel() {
  Level level;
  level.litres = measureLitres();
  // No thermometer is built in: the water is taken to be as warm as the ground.
  level.waterTemperature = 12;
  level.flow.add(litresAMinute(valve.mode));
  unit.report(level);
}

void setup() {
  beginBarrel();
  light(settings.light);
  unit.begin();
}

void loop() {
  unit.loop();
  if (valve.isOpen && bu::port::millis() - openedMs >= jobs[0].forMs) endJob();
  if (levelIsDue.isDue()) reportLevel();
  if (hasValveChanged) {
    hasValveChanged = false;
    unit.report(valve);
  }
}
