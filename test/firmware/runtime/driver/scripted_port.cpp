#include "scripted_port.h"

#include <bu_port.h>

#include <algorithm>
#include <cstring>

namespace scripted {

World world;

void happened(const std::string& what) { world.events.push_back(what); }

std::string toHex(const std::string& octets) {
  static const char digits[] = "0123456789abcdef";
  std::string hex;
  for (const char octet : octets) {
    hex += digits[static_cast<uint8_t>(octet) >> 4];
    hex += digits[static_cast<uint8_t>(octet) & 15];
  }
  return hex;
}

std::string fromHex(const std::string& digits) {
  std::string octets;
  for (size_t at = 0; at + 1 < digits.size(); at += 2) {
    octets += static_cast<char>(std::strtoul(digits.substr(at, 2).c_str(), nullptr, 16));
  }
  return octets;
}

}  // namespace scripted

namespace bu::port {

using scripted::Connection;
using scripted::happened;
using scripted::world;

void begin(const UnitDescription&) {}
void loop() {}
uint32_t millis() { return world.millis; }

void random(uint8_t* to, size_t count) {
  for (size_t index = 0; index < count; ++index) {
    to[index] = world.random.empty() ? static_cast<uint8_t>(index * 7 + 1) : static_cast<uint8_t>(world.random[0]);
    if (!world.random.empty()) world.random.erase(0, 1);
  }
}

const Identity& identity() {
  static const Identity identity = {
      {0, 0, 0, 0, 0, 0, 0, 0, 0, 'O', 'b', 'j', 'T', 'e', 's', 't'},
      {0x43, 0x43, 0x43, 0x43, 0x43, 0x43, 0x43, 0x43, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44},
  };
  return identity;
}

uint32_t storedBoot() { return world.storedBoot; }

bool storeBoot(uint32_t boot) {
  happened("boot " + std::to_string(boot));
  if (world.canStore) world.storedBoot = boot;
  return world.canStore;
}

uint8_t resetReason() { return 6; }
uint32_t freeHeap() { return world.freeHeap; }
void sleep(uint32_t ms) { happened("sleep " + std::to_string(ms)); }
void restart() { happened("restart"); }
bool isWaiting() { return !world.waiting.empty(); }

uint8_t accept() {
  uint8_t slot = 0;
  while (slot < slots && world.slots[slot] >= 0) ++slot;
  if (world.waiting.empty() || slot == slots || !world.canAccept) return noSlot;
  world.slots[slot] = world.waiting.front();
  world.waiting.pop_front();
  return slot;
}

void welcomed(uint8_t) {}

int read(uint8_t slot, uint8_t* to, size_t capacity) {
  if (world.slots[slot] < 0) return lost;
  Connection& connection = world.connections[world.slots[slot]];
  if (connection.isBroken) return lost;
  const size_t count = std::min({connection.inbound.size(), capacity, world.chunk});
  if (count == 0) return connection.isEnded ? lost : 0;
  std::memcpy(to, connection.inbound.data(), count);
  connection.inbound.erase(0, count);
  return static_cast<int>(count);
}

int write(uint8_t slot, const uint8_t* from, size_t count) {
  const int number = world.slots[slot];
  if (number < 0) return lost;
  Connection& connection = world.connections[number];
  if (connection.isBroken) return lost;
  const size_t room = connection.room < 0 ? count : static_cast<size_t>(connection.room);
  const size_t taken = std::min({count, room, world.piece});
  if (connection.room >= 0) connection.room -= static_cast<long>(taken);
  if (taken > 0) {
    const std::string octets(reinterpret_cast<const char*>(from), taken);
    happened("out " + std::to_string(number) + " " + scripted::toHex(octets));
  }
  return static_cast<int>(taken);
}

bool isUnacknowledged(uint8_t slot) {
  return world.slots[slot] >= 0 && world.connections[world.slots[slot]].isUnacknowledged;
}

void close(uint8_t slot, Ending ending) {
  if (world.slots[slot] < 0) return;
  happened((ending == Ending::refused ? "refused " : "closed ") + std::to_string(world.slots[slot]));
  world.slots[slot] = -1;
}

void log(LogLevel level, const char* text) {
  happened("log " + std::to_string(static_cast<int>(level)) + " " + text);
}

}  // namespace bu::port
