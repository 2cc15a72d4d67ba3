#pragma once

#include <stddef.h>
#include <stdint.h>

// What the unit on the emulated chip has around it: a clock, peers, random octets, all as the test says. It speaks the
// language of test/firmware/runtime/driver, with fixed buffers and nothing of the C++ library.
namespace chip {

struct Connection {
  uint8_t inbound[2048];
  size_t count;
  bool isEnded;
  int8_t slot;
};

struct World {
  uint32_t millis;
  uint32_t storedBoot;
  uint32_t freeHeap;
  uint8_t resetReason;
  uint8_t random[64];
  size_t randomCount;
  Connection connections[2];
  /** The connection that waits to be accepted; -1: none. */
  int8_t waiting;
};

extern World world;

/** Tells the test what happened: `out 0 `, followed by octets as hexadecimal digits. */
void happened(const char* what, long number);
void happened(const char* what, long number, const uint8_t* octets, size_t count);
void putOctets(const uint8_t* octets, size_t count);
/** Hexadecimal digits as octets, at most `capacity`; `-` is none. How many. */
size_t octetsOf(const char* digits, uint8_t* to, size_t capacity);
/** What happened from now on belongs to another line. */
void endLine();

}  // namespace chip
