#pragma once

#include <stdint.h>

// As in cores/esp8266/flash_hal.h without FLASH_MAP_SUPPORT: a symbol of the linker script. (A host's addresses are wider.)
extern "C" uint32_t _EEPROM_start;
#define EEPROM_start (static_cast<uint32_t>(reinterpret_cast<uintptr_t>(&_EEPROM_start)))
