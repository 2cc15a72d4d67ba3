#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Flash cannot be read octet by octet on the chip; here it is a section like any other.
#define PROGMEM
#define pgm_read_byte(address) (*reinterpret_cast<const uint8_t*>(address))

inline void* memcpy_P(void* to, const void* from, size_t count) { return memcpy(to, from, count); }
