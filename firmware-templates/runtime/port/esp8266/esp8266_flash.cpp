#if defined(ARDUINO_ARCH_ESP8266)

#include "esp8266_flash.h"

#include <Arduino.h>
#include <flash_hal.h>

namespace bu::esp8266 {

namespace {

/** Flash is mapped here; what the SDK wants is an offset into it. */
constexpr uint32_t flashMappedAt = 0x40200000;

/** Sector 1 is the EEPROM's. */
uint32_t offsetOf(uint8_t sector) { return EEPROM_start - flashMappedAt - (1U - sector) * sectorOctets; }

bool readFlash(uint8_t sector, uint32_t offset, uint32_t* to, size_t octets) {
  return isFlashFree() && ESP.flashRead(offsetOf(sector) + offset, to, octets);
}

bool writeFlash(uint8_t sector, uint32_t offset, const uint32_t* from, size_t octets) {
  return isFlashFree() && ESP.flashWrite(offsetOf(sector) + offset, from, octets);
}

bool eraseFlash(uint8_t sector) { return isFlashFree() && ESP.flashEraseSector(offsetOf(sector) / sectorOctets); }

constexpr Flash flash = {readFlash, writeFlash, eraseFlash};

}  // namespace

const StateStore store(flash);

bool isFlashFree() { return FS_end <= EEPROM_start - sectorOctets; }

}  // namespace bu::esp8266

#endif
