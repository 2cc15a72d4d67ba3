#if defined(ARDUINO_ARCH_ESP8266)

#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <flash_hal.h>

#include "../../bu_boot_log.h"
#include "../../bu_port.h"
#include "esp8266_identity.h"
#include "esp8266_wifi.h"

namespace bu {

namespace {

constexpr uint32_t serialBaud = 115'200;
/** Flash is mapped here; what the SDK wants is an offset into it. */
constexpr uint32_t flashMappedAt = 0x40200000;

struct Slot {
  WiFiClient client;
  bool isOpen = false;
  /** What the send buffer takes when nothing is under way. */
  int wholeBuffer = 0;
};

WiFiServer server(esp8266::listenPort);
Slot connections[port::slots];

/** The sector that the core keeps for EEPROM emulation: a sketch of ours cannot use EEPROM.h beside it. */
uint32_t sectorAt() { return EEPROM_start - flashMappedAt; }

bool readFlash(uint32_t offset, uint32_t* to, size_t octets) { return ESP.flashRead(sectorAt() + offset, to, octets); }

bool writeFlash(uint32_t offset, const uint32_t* from, size_t octets) {
  return ESP.flashWrite(sectorAt() + offset, from, octets);
}

bool eraseFlash() { return ESP.flashEraseSector(sectorAt() / BootLog::sectorOctets); }

constexpr FlashSector bootSector = {readFlash, writeFlash, eraseFlash};
constexpr BootLog bootLog(bootSector);

}  // namespace

namespace port {

void begin(bool needsKey) {
  Serial.begin(serialBaud);
  esp8266::beginWifi();
  if (needsKey && !esp8266::hasKey()) {
    log(LogLevel::error, "secrets.h has no key: this unit serves no base");
    return;
  }
  server.setNoDelay(true);
  server.begin();
}

void announce(const UnitDescription& description) { esp8266::announceOverMdns(description); }

void loop() { esp8266::loopWifi(); }

uint32_t millis() { return static_cast<uint32_t>(::millis()); }

void random(uint8_t* to, size_t count) { ESP.random(to, count); }

uint32_t storedBoot() { return bootLog.last(); }

bool storeBoot(uint32_t boot) { return bootLog.store(boot); }

uint8_t resetReason() { return static_cast<uint8_t>(ESP.getResetInfoPtr()->reason); }

void restart() { ESP.restart(); }

bool isWaiting() { return server.hasClient(); }

bool accept(uint8_t slot) {
  Slot& connection = connections[slot];
  connection.client = server.accept();
  connection.isOpen = connection.client.connected() != 0;
  if (!connection.isOpen) return false;
  connection.client.setNoDelay(true);
  // The second line of defence against peers that vanish; the session's own pings are the first.
  connection.client.keepAlive(30, 10, 3);
  // Only room that is there is written to; this bounds the wait when lwIP is out of memory all the same.
  connection.client.setTimeout(1);
  connection.wholeBuffer = connection.client.availableForWrite();
  return true;
}

int read(uint8_t slot, uint8_t* to, size_t capacity) {
  Slot& connection = connections[slot];
  if (!connection.isOpen) return lost;
  const int available = connection.client.available();
  if (available <= 0) return connection.client.connected() != 0 ? 0 : lost;
  const size_t count = static_cast<size_t>(available) < capacity ? static_cast<size_t>(available) : capacity;
  const int taken = connection.client.read(to, count);
  return taken < 0 ? 0 : taken;
}

int write(uint8_t slot, const uint8_t* from, size_t count) {
  Slot& connection = connections[slot];
  if (!connection.isOpen || connection.client.status() == 0) return lost;
  const int room = connection.client.availableForWrite();
  if (room <= 0) return 0;
  const size_t fitting = static_cast<size_t>(room) < count ? static_cast<size_t>(room) : count;
  return static_cast<int>(connection.client.write(from, fitting));
}

bool isUnacknowledged(uint8_t slot) {
  Slot& connection = connections[slot];
  return connection.isOpen && connection.client.availableForWrite() < connection.wholeBuffer;
}

void close(uint8_t slot) {
  // Not stop(), which waits up to 300 ms: when the last reference goes, lwIP sends what is left and closes in order.
  connections[slot].client = WiFiClient();
  connections[slot].isOpen = false;
}

void log(LogLevel level, const char* text) {
  static const char letters[] BU_FLASH = "DIWE";
  constexpr size_t aroundOctets = 4;
  // What does not fit the output buffer is left out: nobody may be reading, and the loop must not wait.
  const size_t room = static_cast<size_t>(Serial.availableForWrite());
  if (room <= aroundOctets) return;
  const size_t length = strlen(text);
  const size_t fitting = length < room - aroundOctets ? length : room - aroundOctets;
  Serial.write(octetFromFlash(letters + static_cast<uint8_t>(level) % 4));
  Serial.write(' ');
  Serial.write(reinterpret_cast<const uint8_t*>(text), fitting);
  Serial.write("\r\n");
}

}  // namespace port
}  // namespace bu

#endif
