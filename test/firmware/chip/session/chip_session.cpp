// A unit on the emulated chip: one command a line on stdin, one line of events (separated by `;`) on stdout.
#include <bu_hmac.h>
#include <bu_line_text.h>
#include <bu_line_value.h>
#include <bu_proof.h>
#include <led_lamp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chip_values.h"
#include "chip_world.h"

using chip::happened;
using chip::world;

namespace {

struct Lamp {
  static bu::Answer setColor(const led_lamp::SetColor& command) {
    const uint8_t colour[3] = {command.color.red, command.color.green, command.color.blue};
    happened("setColor", led_lamp::SetColor::number, colour, sizeof colour);
    return bu::Answer::ok();
  }
  static bu::Answer fade(const led_lamp::Fade& command) {
    happened("fade", command.durationMs);
    return bu::Answer::ok();
  }
};

led_lamp::Unit<Lamp> lamp;

bu::Answer dispatchNothing(uint8_t, bu::Reader&, bu::Writer&) { return bu::Answer::unknownMessage(); }

// A unit that is described while it runs: for hellos of any content, and with a descriptor of more than one piece.
char describedName[33];
char describedVersion[25];
uint8_t describedFingerprint[bu::fingerprintOctets];
char descriptor[700];
bu::UnitDescription ownDescription = {
    {nullptr, 0}, {nullptr, 0}, bu::UnitKind::read, {nullptr, 0}, nullptr, &dispatchNothing, nullptr, 0};

/** Where the runtime must think that something lies, to read it from here as it reads flash. */
template <class T>
const T* asInFlash(const T* at) {
  return reinterpret_cast<const T*>(reinterpret_cast<uintptr_t>(at) - flashDistance);
}

struct Described : bu::SessionUnit<1, 1, 1> {
  void begin() { this->start(ownDescription); }
};

Described described;
bool isLamp = false;
bool isDescribed = false;

char line[8192];

const char* token() {
  const char* next = strtok(nullptr, " ");
  return next == nullptr ? "" : next;
}

uint32_t number() { return static_cast<uint32_t>(strtoul(token(), nullptr, 10)); }

uint16_t textOf(const char* digits, char* to, size_t capacity) {
  return static_cast<uint16_t>(chip::octetsOf(digits, reinterpret_cast<uint8_t*>(to), capacity));
}

/** `described NAME VERSION FINGERPRINT KIND`, texts as hexadecimal digits. */
void beginDescribed() {
  ownDescription.name = {asInFlash(describedName), textOf(token(), describedName, sizeof describedName)};
  ownDescription.version = {asInFlash(describedVersion), textOf(token(), describedVersion, sizeof describedVersion)};
  chip::octetsOf(token(), describedFingerprint, sizeof describedFingerprint);
  ownDescription.fingerprint = asInFlash(describedFingerprint);
  ownDescription.kind = static_cast<bu::UnitKind>(number());
  for (size_t index = 0; index < sizeof descriptor; ++index) descriptor[index] = static_cast<char>('a' + index % 26);
  ownDescription.descriptor = {asInFlash(descriptor), sizeof descriptor};
  described.begin();
  isDescribed = true;
}

void arrive() {
  chip::Connection& connection = world.connections[number()];
  connection.count +=
      chip::octetsOf(token(), connection.inbound + connection.count, sizeof connection.inbound - connection.count);
}

void report() {
  led_lamp::State state;
  state.color.red = static_cast<uint8_t>(number());
  state.color.green = static_cast<uint8_t>(number());
  state.color.blue = static_cast<uint8_t>(number());
  state.brightness = static_cast<uint8_t>(number());
  lamp.report(state);
}

void loopOnce() {
  if (isLamp) lamp.loop();
  if (isDescribed) described.loop();
}

/** False: it is none of these. */
bool runSession(const char* command) {
  const auto is = [command](const char* name) { return strcmp(command, name) == 0; };
  if (is("world")) {
    // A world of its own is what every run has.
  } else if (is("stored")) {
    world.storedBoot = number();
  } else if (is("heap")) {
    world.freeHeap = number();
  } else if (is("reset-reason")) {
    world.resetReason = static_cast<uint8_t>(number());
  } else if (is("time")) {
    world.millis = number();
  } else if (is("random")) {
    world.randomCount = chip::octetsOf(token(), world.random, sizeof world.random);
  } else if (is("start")) {
    lamp.begin();
    isLamp = true;
  } else if (is("described")) {
    beginDescribed();
  } else if (is("connect")) {
    world.waiting = static_cast<int8_t>(number());
    world.connections[world.waiting].isEnded = false;
  } else if (is("end")) {
    world.connections[number()].isEnded = true;
  } else if (is("in")) {
    arrive();
  } else if (is("loop")) {
    for (uint32_t count = number(); count > 0; --count) loopOnce();
  } else if (is("state")) {
    report();
  } else if (is("log")) {
    const uint32_t level = number();
    static char text[256];
    text[textOf(token(), text, sizeof text - 1)] = '\0';
    lamp.log(static_cast<bu::LogLevel>(level), text);
  } else if (is("counters")) {
    printf("served %d;unix %llu", lamp.isServed() ? 1 : 0, static_cast<unsigned long long>(lamp.unixMs()));
  } else {
    return false;
  }
  return true;
}

}  // namespace

int main() {
  world.freeHeap = 40'000;
  world.resetReason = 6;
  world.waiting = -1;
  for (chip::Connection& connection : world.connections) connection.slot = -1;
  while (fgets(line, sizeof line, stdin) != nullptr) {
    line[strcspn(line, "\n")] = '\0';
    const char* command = strtok(line, " ");
    if (command == nullptr || (!runSession(command) && !chip::answerValue(command, &token))) return 1;
    chip::endLine();
  }
  return 0;
}
