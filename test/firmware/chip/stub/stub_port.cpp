// A port that has nobody to talk to, and a hash that is none: what is linked with them is what the runtime itself takes.
#include <bu_hmac.h>
#include <bu_port.h>

volatile uint32_t machine = 0;

namespace bu {

namespace port {

void begin(const UnitDescription&) {}
void loop() {}
uint32_t millis() { return machine; }
void random(uint8_t* to, size_t count) {
  while (count-- > 0) *to++ = static_cast<uint8_t>(machine);
}
const Identity& identity() {
  static Identity nobody;
  return nobody;
}
uint32_t storedBoot() { return machine; }
bool storeBoot(uint32_t) { return machine != 0; }
uint8_t resetReason() { return static_cast<uint8_t>(machine); }
uint32_t freeHeap() { return machine; }
void restart() {}
void sleep(uint32_t) {}
bool isWaiting() { return machine != 0; }
uint8_t accept() { return static_cast<uint8_t>(machine); }
void welcomed(uint8_t) {}
int read(uint8_t, uint8_t*, size_t) { return static_cast<int>(machine); }
int write(uint8_t, const uint8_t*, size_t) { return static_cast<int>(machine); }
bool isUnacknowledged(uint8_t) { return machine != 0; }
void close(uint8_t, Ending) {}
void log(LogLevel, const char*) {}

}  // namespace port

namespace hmac {

void begin(const uint8_t*, size_t) {}
void add(const void*, size_t) {}
void finish(uint8_t*) {}

}  // namespace hmac
}  // namespace bu
