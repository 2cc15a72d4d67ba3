#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_description.h"
#include "bu_port.h"

namespace bu {

/** `count` octets as lower-case hexadecimal digits, and a closing zero. */
void putHex(char* to, const uint8_t* octets, size_t count);

/**
 * What a unit tells of itself to whoever looks for units on the network: the texts of its mDNS service `_baseunit._tcp`,
 * but for MAC and board, which are its port's.
 */
struct Announcement {
  static constexpr size_t markerOctets = 4;

  char definition[33];
  char version[25];
  char fingerprint[2 * fingerprintOctets + 1];
  /**
   * Which key the unit has, for a base to know its own: `none`; `line` for a unit that needs none; else the first 4
   * octets of HMAC(K, "bu1 marker" ‖ UID).
   */
  char key[2 * markerOctets + 1];
};

/** `hasKey`: that of `identity` was set. */
void announce(const UnitDescription& description, const Identity& identity, bool hasKey, Announcement& to);

}  // namespace bu
