#pragma once

#include <stddef.h>
#include <stdint.h>

namespace bu {

/**
 * Octets of the character that begins here, 1 to 4; 0 when it is none: an overlong form, a surrogate, above U+10FFFF,
 * or cut short. The same as a WHATWG decoder with `fatal` accepts.
 */
size_t utf8CharacterAt(const uint8_t* octets, size_t left);

/** Nothing but whole characters. */
bool isUtf8(const uint8_t* octets, size_t count);

}  // namespace bu
