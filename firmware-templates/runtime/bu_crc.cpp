#include "bu_crc.h"

namespace bu {

uint16_t crc16(const uint8_t* from, size_t count, uint16_t before) {
  constexpr unsigned polynomial = 0x1021;
  unsigned crc = before;
  for (size_t index = 0; index < count; ++index) {
    crc ^= static_cast<unsigned>(from[index]) << 8;
    for (uint8_t bit = 0; bit < 8; ++bit) crc = (crc & 0x8000U) != 0 ? (crc << 1) ^ polynomial : crc << 1;
  }
  return static_cast<uint16_t>(crc);
}

uint32_t crc32(const void* from, size_t count, uint32_t before) {
  constexpr uint32_t polynomial = 0xedb88320;
  const uint8_t* at = static_cast<const uint8_t*>(from);
  uint32_t crc = ~before;
  for (size_t index = 0; index < count; ++index) {
    crc ^= at[index];
    for (uint8_t bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? (crc >> 1) ^ polynomial : crc >> 1;
  }
  return ~crc;
}

}  // namespace bu
