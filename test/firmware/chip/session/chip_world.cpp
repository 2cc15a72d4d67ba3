#include "chip_world.h"

#include <bu_port.h>
#include <stdio.h>
#include <string.h>

namespace chip {

World world;

namespace {
bool hasHappened = false;

uint8_t digitOf(char letter) { return static_cast<uint8_t>(letter <= '9' ? letter - '0' : letter - 'a' + 10); }
}  // namespace

void happened(const char* what, long number) {
  printf("%s%s %ld", hasHappened ? ";" : "", what, number);
  hasHappened = true;
}

void happened(const char* what, long number, const uint8_t* octets, size_t count) {
  happened(what, number);
  printf(" ");
  putOctets(octets, count);
}

void putOctets(const uint8_t* octets, size_t count) {
  for (size_t index = 0; index < count; ++index) printf("%02x", octets[index]);
}

size_t octetsOf(const char* digits, uint8_t* to, size_t capacity) {
  size_t count = 0;
  for (; digits[0] != '\0' && digits[1] != '\0' && count < capacity; digits += 2) {
    to[count++] = static_cast<uint8_t>(digitOf(digits[0]) * 16 + digitOf(digits[1]));
  }
  return count;
}

void endLine() {
  hasHappened = false;
  printf("\n");
  fflush(stdout);
}

}  // namespace chip

namespace bu::port {

using chip::Connection;
using chip::happened;
using chip::world;

namespace {

/** The connection in that slot; null when it is gone. */
Connection* connectionIn(uint8_t slot) {
  for (Connection& connection : world.connections) {
    if (connection.slot == static_cast<int8_t>(slot)) return &connection;
  }
  return nullptr;
}

long numberOf(const Connection* connection) { return static_cast<long>(connection - world.connections); }

}  // namespace

void begin(const UnitDescription&) {}
void loop() {}
uint32_t millis() { return world.millis; }

void random(uint8_t* to, size_t count) {
  for (; count > 0 && world.randomCount > 0; --count, --world.randomCount) {
    *to++ = world.random[0];
    memmove(world.random, world.random + 1, sizeof world.random - 1);
  }
  memset(to, 0x5a, count);
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
  world.storedBoot = boot;
  happened("boot", static_cast<long>(boot));
  return true;
}
uint8_t resetReason() { return world.resetReason; }
uint32_t freeHeap() { return world.freeHeap; }
void restart() { happened("restart", 0); }
void sleep(uint32_t ms) { happened("sleep", static_cast<long>(ms)); }

bool isWaiting() { return world.waiting >= 0; }

uint8_t accept() {
  for (uint8_t slot = 0; slot < slots && isWaiting(); ++slot) {
    if (connectionIn(slot) != nullptr) continue;
    world.connections[world.waiting].slot = static_cast<int8_t>(slot);
    world.waiting = -1;
    return slot;
  }
  return noSlot;
}

void welcomed(uint8_t) {}

int read(uint8_t slot, uint8_t* to, size_t capacity) {
  Connection* connection = connectionIn(slot);
  if (connection == nullptr) return lost;
  if (connection->count == 0) return connection->isEnded ? lost : 0;
  const size_t count = connection->count < capacity ? connection->count : capacity;
  memcpy(to, connection->inbound, count);
  connection->count -= count;
  memmove(connection->inbound, connection->inbound + count, connection->count);
  return static_cast<int>(count);
}

int write(uint8_t slot, const uint8_t* from, size_t count) {
  const Connection* connection = connectionIn(slot);
  if (connection == nullptr) return lost;
  happened("out", numberOf(connection), from, count);
  return static_cast<int>(count);
}

bool isUnacknowledged(uint8_t) { return false; }

void close(uint8_t slot, Ending) {
  Connection* connection = connectionIn(slot);
  if (connection == nullptr) return;
  happened("closed", numberOf(connection));
  connection->slot = -1;
}

void log(LogLevel, const char*) {}

}  // namespace bu::port
