#pragma once

#include <stdint.h>

namespace bu {

/** A colour, one octet each; on the wire in this order. */
struct Rgb {
  uint8_t red = 0;
  uint8_t green = 0;
  uint8_t blue = 0;
};

static_assert(sizeof(Rgb) == 3, "three octets, nothing between them");

constexpr bool operator==(const Rgb& a, const Rgb& b) {
  return a.red == b.red && a.green == b.green && a.blue == b.blue;
}
constexpr bool operator!=(const Rgb& a, const Rgb& b) { return !(a == b); }

}  // namespace bu
