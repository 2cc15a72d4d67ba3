#pragma once

#include <stdint.h>

// As in cores/esp8266/flash_hal.h without FLASH_MAP_SUPPORT: symbols of the linker script. (A host's addresses are wider.)
extern "C" uint32_t _FS_end;
extern "C" uint32_t _EEPROM_start;
#define FS_end (static_cast<uint32_t>(reinterpret_cast<uintptr_t>(&_FS_end)))
#define EEPROM_start (static_cast<uint32_t>(reinterpret_cast<uintptr_t>(&_EEPROM_start)))
