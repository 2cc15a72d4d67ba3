#pragma once

#include <stdint.h>
#include <string.h>

namespace bu {

static_assert(sizeof(float) == 4, "f32 is IEEE 754 single precision");

/** Sign, 8 bits of exponent, 23 of mantissa: value = 1.mantissa × 2^(exponent − bias). */
constexpr uint8_t mantissaBits = 23;
constexpr int16_t exponentBias = 127;

inline uint32_t bitsOf(float value) {
  uint32_t bits = 0;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline float floatOf(uint32_t bits) {
  float value = 0;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/** Neither NaN nor infinite. By its bits, so that no compiler option can make the test always true. */
inline bool isFinite(float value) { return (bitsOf(value) & 0x7f800000U) != 0x7f800000U; }

}  // namespace bu
