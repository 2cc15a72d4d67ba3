#include "bu_octets.h"

namespace bu {

uint32_t littleU32(const uint8_t* at) {
  uint32_t value = 0;
  for (size_t left = 4; left > 0; --left) value = (value << 8) | at[left - 1];
  return value;
}

uint8_t* putLittle(uint8_t* to, uint32_t value, size_t octets) {
  for (size_t left = octets; left > 0; --left, value >>= 8) *to++ = static_cast<uint8_t>(value);
  return to;
}

uint8_t* putBig(uint8_t* to, uint32_t value, size_t octets) {
  for (size_t left = octets; left > 0; --left, value >>= 8) to[left - 1] = static_cast<uint8_t>(value);
  return to + octets;
}

}  // namespace bu
