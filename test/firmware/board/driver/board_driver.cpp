// The portable parts of a board, one command a line on stdin, one answer a line on stdout.
#include "board_driver.h"

#include <bu_base_dialler.h>
#include <bu_crc.h>
#include <bu_serial_frame.h>
#include <bu_settings.h>

#include <cstdio>
#include <iostream>

#include "../../runtime/driver/scripted_port.h"

std::string octetsOf(const std::string& digits) { return digits == "-" ? "" : scripted::fromHex(digits); }

std::string digitsOf(const std::string& octets) { return octets.empty() ? "-" : scripted::toHex(octets); }

std::string digitsOf(const uint8_t* octets, size_t count) {
  return digitsOf(std::string(reinterpret_cast<const char*>(octets), count));
}

std::string frames(const std::string& command, std::istringstream& line) {
  std::string digits;
  line >> digits;
  std::string octets = octetsOf(digits);
  if (command == "crc16" || command == "crc32") {
    char text[12];
    const unsigned crc = command == "crc16" ? bu::crc16(asOctets(octets), octets.size())
                                            : static_cast<unsigned>(bu::crc32(octets.data(), octets.size()));
    std::snprintf(text, sizeof text, command == "crc16" ? "%04x" : "%08x", crc);
    return text;
  }
  if (command == "frame") {
    uint8_t frame[bu::frameOctetsFor(bu::maxChunkOctets)];
    return digitsOf(frame, bu::encodeFrame(asOctets(octets), octets.size(), frame));
  }
  const int length = bu::decodeFrame(reinterpret_cast<uint8_t*>(octets.data()), octets.size());
  return length == bu::noFrame ? "none" : digitsOf(octets.substr(0, static_cast<size_t>(length)));
}

std::string dialler(std::istringstream& line) {
  static bu::BaseDialler dialler;
  std::string command;
  uint32_t now = 0, value = 0;
  line >> command >> now >> value;
  if (command == "new") {
    dialler = bu::BaseDialler();
    dialler.begin(now);
  }
  if (command == "dialling") dialler.dialling(now);
  if (command == "connected") dialler.connected();
  if (command == "welcomed") dialler.welcomed();
  if (command == "ended") dialler.ended(bu::port::Ending::done, value, now);
  if (command == "refused") dialler.ended(bu::port::Ending::refused, value, now);
  if (command == "hurry") dialler.hurry();
  return std::string(dialler.isDue(now) ? "due" : "waits") + (dialler.isLate(now) ? " late" : "");
}

static std::string address(std::istringstream& line) {
  std::string digits;
  line >> digits;
  bu::BaseAddress parsed = {};
  if (!bu::parseBaseAddress(octetsOf(digits).c_str(), parsed)) return "none";
  return std::string(parsed.host) + " " + std::to_string(parsed.port);
}

int main() {
  std::string text;
  while (std::getline(std::cin, text)) {
    std::istringstream line(text);
    std::string command;
    line >> command;
    std::string told;
    if (command == "line") {
      told = serialLine(line);
    } else if (command == "provision") {
      told = provisioning(line);
    } else if (command == "store") {
      told = store(line);
    } else if (command == "dial") {
      told = dialler(line);
    } else if (command == "address") {
      told = address(line);
    } else {
      told = frames(command, line);
    }
    std::cout << told << std::endl;
  }
  return 0;
}
