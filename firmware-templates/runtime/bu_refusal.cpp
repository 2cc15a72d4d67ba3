#include "bu_refusal.h"

namespace bu {

// One text for all, so that there is one table in flash and no table of pointers in RAM.
const char refusalNames[] BU_FLASH =
    "\0short\0left-over\0not-bool\0bad-index\0too-long\0too-many\0out-of-range\0not-finite\0bad-utf8\0wrong-type";

FlashText nameOf(Refusal refusal) {
  const char* at = refusalNames;
  for (uint8_t left = static_cast<uint8_t>(refusal); left > 0;) {
    if (octetFromFlash(at++) == '\0') --left;
  }
  uint16_t length = 0;
  while (octetFromFlash(at + length) != '\0') ++length;
  return {at, length};
}

}  // namespace bu
