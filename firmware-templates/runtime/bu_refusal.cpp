#include "bu_refusal.h"

namespace bu {

namespace {
// One text for all, so that there is one table in flash and no table of pointers in RAM.
const char names[] BU_FLASH =
    "\0short\0left-over\0not-bool\0bad-index\0too-long\0too-many\0out-of-range\0not-finite\0bad-utf8\0wrong-type";
}  // namespace

FlashText nameOf(Refusal refusal) {
  const char* at = names;
  for (uint8_t left = static_cast<uint8_t>(refusal); left > 0; --left) {
    while (octetFromFlash(at) != '\0') ++at;
    ++at;
  }
  const char* end = at;
  while (octetFromFlash(end) != '\0') ++end;
  return {at, static_cast<uint16_t>(end - at)};
}

}  // namespace bu
