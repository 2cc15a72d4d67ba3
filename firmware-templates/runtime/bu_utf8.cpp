#include "bu_utf8.h"

namespace bu {

size_t utf8CharacterAt(const uint8_t* octets, size_t left) {
  if (left == 0) return 0;
  const uint8_t first = octets[0];
  if (first < 0x80) return 1;
  // The second octet's bounds shut out overlong forms (C0, C1, E0, F0), surrogates (ED) and what is above U+10FFFF (F4).
  size_t length = 0;
  uint8_t lowest = 0x80;
  uint8_t highest = 0xbf;
  if (first >= 0xc2 && first <= 0xdf) {
    length = 2;
  } else if (first >= 0xe0 && first <= 0xef) {
    length = 3;
    if (first == 0xe0) lowest = 0xa0;
    if (first == 0xed) highest = 0x9f;
  } else if (first >= 0xf0 && first <= 0xf4) {
    length = 4;
    if (first == 0xf0) lowest = 0x90;
    if (first == 0xf4) highest = 0x8f;
  } else {
    return 0;
  }
  if (left < length || octets[1] < lowest || octets[1] > highest) return 0;
  for (size_t index = 2; index < length; ++index) {
    if ((octets[index] & 0xc0U) != 0x80) return 0;
  }
  return length;
}

bool isUtf8(const uint8_t* octets, size_t count) {
  size_t at = 0;
  while (at < count) {
    const size_t length = utf8CharacterAt(octets + at, count - at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

}  // namespace bu
