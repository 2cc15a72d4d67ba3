#pragma once

// Thin declarations of the ESP8266 Arduino core 3.1.2, as far as the esp8266 port uses it, to compile the port where the
// core is not. Signatures as in cores/esp8266 of esp8266/Arduino; no behaviour.

#include <pgmspace.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

class Print {
 public:
  virtual ~Print() = default;
  virtual size_t write(uint8_t octet) = 0;
  virtual size_t write(const uint8_t* octets, size_t count);
  size_t write(const char* text);
  // `write(' ')` is meant for one octet; the core has these so that it is not ambiguous.
  size_t write(char octet) { return write(static_cast<uint8_t>(octet)); }
  size_t write(int octet) { return write(static_cast<uint8_t>(octet)); }
  virtual int availableForWrite();
};

class Stream : public Print {
 public:
  virtual int available() = 0;
  void setTimeout(unsigned long timeoutMs);
};

class HardwareSerial : public Stream {
 public:
  void begin(unsigned long baud);
  size_t setRxBufferSize(size_t size);
  int available() override;
  int read();
  int availableForWrite() override;
  size_t write(uint8_t octet) override;
  using Print::write;
};

extern HardwareSerial Serial;

struct rst_info {
  uint32_t reason;
};

class EspClass {
 public:
  static void restart();
  static bool flashEraseSector(uint32_t sector);
  static bool flashWrite(uint32_t address, const uint32_t* data, size_t size);
  static bool flashWrite(uint32_t address, const uint8_t* data, size_t size);
  static bool flashRead(uint32_t address, uint32_t* data, size_t size);
  static bool flashRead(uint32_t address, uint8_t* data, size_t size);
  static rst_info* getResetInfoPtr();
  static uint8_t* random(uint8_t* octets, const size_t count);
  static uint32_t random();
  static uint32_t getFreeHeap();
  static void deepSleep(uint64_t microseconds);
  static bool rtcUserMemoryRead(uint32_t offset, uint32_t* data, size_t size);
  static bool rtcUserMemoryWrite(uint32_t offset, uint32_t* data, size_t size);
  static uint64_t deepSleepMax();
};

extern EspClass ESP;

extern "C" {
unsigned long millis();
void setup();
void loop();
}
