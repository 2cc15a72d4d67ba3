#if defined(ARDUINO_ARCH_ESP8266)

#include "esp8266_serial.h"

#include <Arduino.h>
#include <string.h>

namespace bu {
namespace esp8266 {

namespace {

/** What arrives in 44 ms: a loop may take so long before octets are lost. The core's own is half of that. */
constexpr size_t receiveOctets = 512;

size_t readUart(uint8_t* to, size_t capacity) {
  size_t count = 0;
  while (count < capacity && Serial.available() > 0) to[count++] = static_cast<uint8_t>(Serial.read());
  return count;
}

size_t writeUart(const uint8_t* from, size_t count) {
  const int room = Serial.availableForWrite();
  if (room <= 0) return 0;
  const size_t fitting = static_cast<size_t>(room) < count ? static_cast<size_t>(room) : count;
  return Serial.write(from, fitting);
}

constexpr Uart uart = {readUart, writeUart};

/** Octets of text that a line has room for; 0: none can be written now. */
size_t beginLine(LogLevel level) {
  static const char letters[] BU_FLASH = "DIWE";
  constexpr size_t aroundOctets = 4;
  if (!serialLine.beginText()) return 0;
  // What does not fit the output buffer is left out: nobody may be reading, and the loop must not wait.
  const size_t room = static_cast<size_t>(Serial.availableForWrite());
  if (room <= aroundOctets) return 0;
  Serial.write(octetFromFlash(letters + static_cast<uint8_t>(level) % 4));
  Serial.write(' ');
  return room - aroundOctets;
}

void endLine() {
  Serial.write('\r');
  Serial.write('\n');
}

}  // namespace

SerialLine serialLine(uart);

void beginSerial() {
  Serial.setRxBufferSize(receiveOctets);
  Serial.begin(SerialLine::baud);
}

void logFlash(LogLevel level, FlashText text) {
  const size_t room = beginLine(level);
  if (room == 0) return;
  for (size_t index = 0; index < text.length && index < room; ++index) Serial.write(octetFromFlash(text.at + index));
  endLine();
}

}  // namespace esp8266

void port::log(LogLevel level, const char* text) {
  const size_t room = esp8266::beginLine(level);
  if (room == 0) return;
  const size_t length = strlen(text);
  Serial.write(reinterpret_cast<const uint8_t*>(text), length < room ? length : room);
  esp8266::endLine();
}

}  // namespace bu

#endif
