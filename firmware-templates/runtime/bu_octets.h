#pragma once

#include <stddef.h>
#include <stdint.h>

// Octets to numbers and back by shifts: the ESP8266 traps on unaligned words, so no pointer is ever cast to one.
namespace bu {

constexpr uint16_t littleU16(const uint8_t* at) { return static_cast<uint16_t>(at[0] | (at[1] << 8)); }
constexpr uint16_t bigU16(const uint8_t* at) { return static_cast<uint16_t>((at[0] << 8) | at[1]); }
uint32_t littleU32(const uint8_t* at);

/** Writes the low octets of a number, at most 4. Where the next ones go. */
uint8_t* putLittle(uint8_t* to, uint32_t value, size_t octets);
uint8_t* putBig(uint8_t* to, uint32_t value, size_t octets);

}  // namespace bu
