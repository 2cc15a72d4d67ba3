// Runs a sketch over the esp8266 port and a core that the test makes up: `driver KIND FLASH-FILE RESET-REASON`. One
// command a line on stdin, one line of events (separated by `;`) on stdout.
#include <Arduino.h>

#include <fstream>
#include <iostream>
#include <sstream>

#include "fake_core.h"
#include "led_lamp.h"
#include "light_sensor.h"

using fake::happened;
using fake::world;

namespace {

struct Lamp {
  static bu::Answer setColor(const led_lamp::SetColor&) {
    happened("setColor");
    return bu::Answer::ok();
  }
  static bu::Answer fade(const led_lamp::Fade&) { return bu::Answer::ok(); }
};

led_lamp::Unit<Lamp> lamp;
light_sensor::Unit light;
bool isLamp = true;

void run(std::istringstream& line, const std::string& command) {
  int number = 0;
  std::string text;
  if (command == "start") {
    setup();
  } else if (command == "time") {
    line >> world.millis;
  } else if (command == "loop") {
    line >> number;
    for (int count = 0; count < number; ++count) loop();
  } else if (command == "uart") {
    line >> text;
    for (const char octet : fake::fromHex(text)) world.uart.push_back(static_cast<uint8_t>(octet));
  } else if (command == "roll") {
    line >> world.roll;
  } else if (command == "wifi") {
    line >> world.wifiStatus;
  } else if (command == "connect") {
    // Somebody dials; where nobody can, somebody is there to be dialled.
    line >> number;
    world.connections[number] = fake::Connection();
    if (world.isListening) {
      world.pending.push_back(number);
    } else {
      world.answers = number;
    }
  } else if (command == "in") {
    line >> number >> text;
    world.connections[number].inbound += fake::fromHex(text);
  } else if (command == "end") {
    line >> number;
    world.connections[number].isEnded = true;
  } else if (command == "log") {
    line >> text;
    lamp.log(bu::LogLevel::info, text.c_str());
  } else if (command == "nap") {
    line >> number;
    bu::port::sleep(static_cast<uint32_t>(number));
  } else {
    happened("unknown " + command);
  }
}

}  // namespace

void setup() {
  if (isLamp) return lamp.begin();
  light.begin();
}

void loop() {
  if (isLamp) return lamp.loop();
  light.loop();
}

int main(int, char** arguments) {
  isLamp = std::string(arguments[1]) == "lamp";
  world.flashFile = arguments[2];
  world.resetReason = static_cast<uint32_t>(std::stoul(arguments[3]));
  std::ifstream kept(world.flashFile, std::ios::binary);
  world.flash.assign(std::istreambuf_iterator<char>(kept), std::istreambuf_iterator<char>());
  // A new chip is erased.
  world.flash.resize(8192, '\xff');
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
  // As power goes: nobody is told.
  std::_Exit(0);
}
