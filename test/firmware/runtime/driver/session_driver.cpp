// Runs a unit over the scripted port. One command a line on stdin, one line of events (separated by `;`) on stdout.
#include <cstdio>
#include <iostream>
#include <sstream>

#include "garden_probe.h"
#include "led_lamp.h"
#include "led_lamp_line.h"
#include "light_sensor.h"
#include "probe.h"
#include "scripted_port.h"

using scripted::happened;
using scripted::world;

namespace {

std::string hexOf(const bu::Rgb& colour) {
  char text[8];
  std::snprintf(text, sizeof text, "%02x%02x%02x", colour.red, colour.green, colour.blue);
  return text;
}

struct Lamp {
  static bu::Answer setColor(const led_lamp::SetColor& command) {
    happened("setColor " + hexOf(command.color));
    return bu::Answer::ok();
  }
  static bu::Answer fade(const led_lamp::Fade& command) {
    happened("fade " + hexOf(command.color) + " " + std::to_string(command.durationMs));
    return command.durationMs == 0 ? bu::Answer::refused("use setColor") : bu::Answer::ok();
  }
};

uint32_t total = 0;
/** How long a handler of the probe takes, in ms; it then reports the total. 0: at once, and it reports nothing. */
unsigned handlerMs = 0;
void reportTotal();

struct Probe {
  static bu::Answer count(const probe::Count& command, probe::CountReply& reply) {
    total += command.by;
    happened("count " + std::to_string(total));
    if (handlerMs > 0) reportTotal();
    reply.total = total;
    reply.by = command.by;
    return bu::Answer::ok();
  }
  static bu::Answer complain(const probe::Complain& command) { return bu::Answer::refused(command.about.c_str()); }
};

struct Garden {
  static bu::Answer setDryBelow(const garden_probe::SetDryBelow& command) {
    happened("setDryBelow " + std::to_string(command.dryBelow));
    return bu::Answer::ok();
  }
};

struct LineLamp {
  static bu::Answer setColor(const led_lamp_line::SetColor& command) {
    happened("setColor " + hexOf(command.color));
    return bu::Answer::ok();
  }
};

led_lamp::Unit<Lamp>* lamp = nullptr;
probe::Unit<Probe>* prober = nullptr;
light_sensor::Unit* light = nullptr;
led_lamp_line::Unit<LineLamp>* lineLamp = nullptr;
garden_probe::Unit<Garden>* garden = nullptr;

void reportTotal() {
  world.millis += handlerMs;
  probe::Reading reading;
  reading.value = static_cast<uint8_t>(total);
  prober->report(reading);
}

void forget() {
  delete lamp;
  delete prober;
  delete light;
  delete lineLamp;
  delete garden;
  lamp = nullptr;
  prober = nullptr;
  light = nullptr;
  lineLamp = nullptr;
  garden = nullptr;
}

void start(const std::string& kind) {
  forget();
  total = 0;
  if (kind == "lamp") (lamp = new led_lamp::Unit<Lamp>())->begin();
  if (kind == "probe") (prober = new probe::Unit<Probe>())->begin();
  if (kind == "light") (light = new light_sensor::Unit())->begin();
  if (kind == "garden") (garden = new garden_probe::Unit<Garden>())->begin();
  if (kind == "line-lamp") (lineLamp = new led_lamp_line::Unit<LineLamp>())->begin();
}

void loopOnce() {
  if (lamp != nullptr) lamp->loop();
  if (prober != nullptr) prober->loop();
  if (light != nullptr) light->loop();
  if (lineLamp != nullptr) lineLamp->loop();
  if (garden != nullptr) garden->loop();
}

void tell(bu::Refusal refusal) {
  const bu::FlashText name = bu::nameOf(refusal);
  happened("reported " + std::string(name.at, name.length));
}

bu::UnitCore& core() {
  if (lamp != nullptr) return *lamp;
  if (garden != nullptr) return *garden;
  return *prober;
}

void run(std::istringstream& line, const std::string& command) {
  int number = 0;
  std::string text;
  if (command == "world") {
    world = scripted::World();
    handlerMs = 0;
  } else if (command == "stored") {
    line >> world.storedBoot;
  } else if (command == "cannot-store") {
    world.canStore = false;
  } else if (command == "can-accept") {
    line >> world.canAccept;
  } else if (command == "random") {
    line >> text;
    world.random = scripted::fromHex(text);
  } else if (command == "start") {
    line >> text;
    start(text);
  } else if (command == "time") {
    line >> world.millis;
  } else if (command == "connect") {
    line >> number;
    world.connections[number] = scripted::Connection();
    world.waiting.push_back(number);
  } else if (command == "in") {
    line >> number >> text;
    world.connections[number].inbound += scripted::fromHex(text);
  } else if (command == "end") {
    line >> number;
    world.connections[number].isEnded = true;
  } else if (command == "break") {
    line >> number;
    world.connections[number].isBroken = true;
  } else if (command == "room") {
    line >> number >> world.connections[number].room;
  } else if (command == "unacknowledged") {
    line >> number >> world.connections[number].isUnacknowledged;
  } else if (command == "chunk") {
    line >> world.chunk;
  } else if (command == "piece") {
    line >> world.piece;
  } else if (command == "loop") {
    line >> number;
    for (int count = 0; count < number; ++count) loopOnce();
  } else if (command == "state") {
    unsigned red = 0, green = 0, blue = 0, brightness = 0;
    line >> red >> green >> blue >> brightness;
    led_lamp::State state;
    state.color = {static_cast<uint8_t>(red), static_cast<uint8_t>(green), static_cast<uint8_t>(blue)};
    state.brightness = static_cast<uint8_t>(brightness);
    tell(lamp->report(state));
  } else if (command == "reading") {
    line >> number;
    probe::Reading reading;
    reading.value = static_cast<uint8_t>(number);
    tell(prober->report(reading));
  } else if (command == "handler-takes") {
    line >> handlerMs;
  } else if (command == "soil") {
    line >> number;
    garden_probe::Soil soil;
    soil.moisture = static_cast<uint8_t>(number);
    tell(garden->report(soil));
  } else if (command == "light") {
    line >> number;
    light_sensor::Light value;
    value.level = static_cast<uint16_t>(number);
    tell(light->report(value));
  } else if (command == "log") {
    line >> number >> text;
    if (lamp != nullptr) lamp->log(static_cast<bu::LogLevel>(number), text.c_str());
    if (prober != nullptr) prober->log(static_cast<bu::LogLevel>(number), text.c_str());
  } else if (command == "counters") {
    happened("dropped " + std::to_string(core().droppedReadings()));
    happened("refused " + std::to_string(core().refusedReports()));
    happened("served " + std::to_string(core().isServed()));
    happened("unix " + std::to_string(core().unixMs()));
  } else if (command == "skip-to") {
    uint32_t sequence = 0;
    line >> sequence;
    prober->skipTo(sequence);
  } else {
    happened("unknown " + command);
  }
}

}  // namespace

int main() {
  std::string text;
  while (std::getline(std::cin, text)) {
    std::istringstream line(text);
    std::string command;
    line >> command;
    world.events.clear();
    run(line, command);
    std::string told;
    for (const std::string& event : world.events) told += (told.empty() ? "" : ";") + event;
    std::cout << told << std::endl;
  }
  forget();
  return 0;
}
