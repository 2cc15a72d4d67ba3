#pragma once

#include <stdint.h>

// Octets to numbers and back by shifts: the ESP8266 traps on unaligned words, so no pointer is ever cast to one.
namespace bu {

constexpr uint16_t littleU16(const uint8_t* at) { return static_cast<uint16_t>(at[0] | (at[1] << 8)); }

constexpr uint32_t littleU32(const uint8_t* at) {
  return static_cast<uint32_t>(at[0]) | (static_cast<uint32_t>(at[1]) << 8) | (static_cast<uint32_t>(at[2]) << 16) |
         (static_cast<uint32_t>(at[3]) << 24);
}

constexpr uint64_t littleU64(const uint8_t* at) {
  return static_cast<uint64_t>(littleU32(at)) | (static_cast<uint64_t>(littleU32(at + 4)) << 32);
}

constexpr uint16_t bigU16(const uint8_t* at) { return static_cast<uint16_t>((at[0] << 8) | at[1]); }

constexpr void putLittle(uint8_t* to, uint64_t value, unsigned octets) {
  for (unsigned index = 0; index < octets; ++index) to[index] = static_cast<uint8_t>(value >> (8 * index));
}

constexpr void putBig(uint8_t* to, uint64_t value, unsigned octets) {
  for (unsigned index = 0; index < octets; ++index) {
    to[index] = static_cast<uint8_t>(value >> (8 * (octets - 1 - index)));
  }
}

}  // namespace bu
