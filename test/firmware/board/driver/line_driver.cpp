// A serial line over a UART whose octets, room and clock are the test's.
#include <bu_serial_line.h>

#include <algorithm>
#include <memory>

#include "board_driver.h"

namespace {

std::string inbound;
std::string written;
/** Octets that the UART takes until more room is given; below 0: all. */
long room = -1;
/** The most octets that one read gives. */
size_t most = 4096;
uint32_t now = 0;

size_t readUart(uint8_t* to, size_t capacity) {
  const size_t count = std::min({inbound.size(), capacity, most});
  std::copy_n(inbound.begin(), count, to);
  inbound.erase(0, count);
  return count;
}

size_t writeUart(const uint8_t* from, size_t count) {
  const size_t taken = room < 0 ? count : std::min(count, static_cast<size_t>(room));
  if (room >= 0) room -= static_cast<long>(taken);
  written.append(reinterpret_cast<const char*>(from), taken);
  return taken;
}

constexpr bu::Uart uart = {readUart, writeUart};
std::unique_ptr<bu::SerialLine> made;

/** What arrives at a slot: its octets, and `lost` when it is. */
std::string readAll() {
  std::string all;
  uint8_t octets[32];
  int count = 0;
  while ((count = made->read(octets, sizeof octets)) > 0) all.append(reinterpret_cast<char*>(octets), static_cast<size_t>(count));
  return digitsOf(all) + (count < 0 ? " lost" : "");
}

std::string packet() {
  if (!made->hasPacket()) return "none";
  const bu::improv::Packet packet = made->packet();
  const std::string told = std::to_string(static_cast<int>(packet.type)) + " " + digitsOf(packet.data, packet.length);
  made->packetDone();
  return told;
}

}  // namespace

bu::SerialLine& lineUnderTest() { return *made; }

std::string serialLine(std::istringstream& line) {
  std::string command, digits;
  long number = 0;
  line >> command;
  if (command == "new") {
    made = std::make_unique<bu::SerialLine>(uart);
    inbound.clear();
    written.clear();
    room = -1;
    most = 4096;
    line >> now;
  } else if (command == "time") {
    line >> now;
  } else if (command == "room") {
    line >> room;
  } else if (command == "most") {
    line >> most;
  } else if (command == "in") {
    line >> digits;
    inbound += octetsOf(digits);
  } else if (command == "out") {
    const std::string all = digitsOf(written);
    written.clear();
    return all;
  } else if (command == "open") {
    made->open();
  } else if (command == "read") {
    return readAll();
  } else if (command == "write") {
    line >> digits;
    const std::string octets = octetsOf(digits);
    return std::to_string(made->write(asOctets(octets), octets.size()));
  } else if (command == "close") {
    made->close();
  } else if (command == "served") {
    made->served();
  } else if (command == "give-way") {
    made->giveWay();
  } else if (command == "text") {
    if (!made->beginText()) return "no";
    written += "text";
  } else if (command == "packet") {
    return packet();
  } else if (command == "send-packet") {
    line >> digits;
    const std::string octets = octetsOf(digits);
    return made->sendPacket(asOctets(octets), octets.size()) ? "sent" : "no";
  } else if (command == "waiting") {
    line >> number;
    return made->isWaiting(number != 0) ? "waiting" : "no";
  } else if (command == "left") {
    return std::to_string(inbound.size());
  }
  if (command == "time" || command == "loop") made->loop(now);
  return "done";
}
