#if defined(ARDUINO_ARCH_AVR)

#include <Arduino.h>

#include "../../bu_port.h"

// A line unit on a board that has its USB serial port and nothing else: one connection, there from the start. What only
// sessions ask of a port (keys, random octets, stored boot numbers) is left out, so that a session does not link.
namespace bu {

namespace {
constexpr uint32_t serialBaud = 115'200;
constexpr uint8_t serialSlot = 0;

/** Nobody says when a program opens the port at the other end: to us it always is. */
bool isAccepted = false;
}  // namespace

namespace port {

void begin(const UnitDescription&) { Serial.begin(serialBaud); }

void loop() {}

uint32_t millis() { return ::millis(); }

uint32_t freeHeap() { return 0; }

bool isWaiting() { return !isAccepted; }

uint8_t accept() {
  if (isAccepted) return noSlot;
  isAccepted = true;
  return serialSlot;
}

int read(uint8_t, uint8_t* to, size_t capacity) {
  size_t count = 0;
  while (count < capacity && Serial.available() > 0) to[count++] = static_cast<uint8_t>(Serial.read());
  return static_cast<int>(count);
}

int write(uint8_t, const uint8_t* from, size_t count) {
  // More than the core's buffer takes would wait until it has gone out.
  const size_t room = static_cast<size_t>(Serial.availableForWrite());
  return static_cast<int>(Serial.write(from, count < room ? count : room));
}

bool isUnacknowledged(uint8_t) { return false; }

void close(uint8_t, Ending) { isAccepted = false; }

// There is one line, and it carries values: what is logged there would be taken for one.
void log(LogLevel, const char*) {}

}  // namespace port
}  // namespace bu

#endif
