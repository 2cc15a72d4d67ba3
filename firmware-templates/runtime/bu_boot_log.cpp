#include "bu_boot_log.h"

namespace bu {

namespace {
constexpr uint32_t erased = 0xffffffff;
}

uint32_t BootLog::last() const {
  uint32_t highest = 0;
  for (uint32_t offset = 0; offset < sectorOctets; offset += recordOctets) {
    uint32_t record[2];
    if (!sector_.read(offset, record, sizeof record)) return highest;
    if (record[1] == ~record[0] && record[0] > highest) highest = record[0];
  }
  return highest;
}

bool BootLog::store(uint32_t boot) const {
  const uint32_t wanted[2] = {boot, ~boot};
  uint32_t record[2];
  uint32_t offset = 0;
  for (; offset < sectorOctets; offset += recordOctets) {
    if (!sector_.read(offset, record, sizeof record)) return false;
    if (record[0] == erased && record[1] == erased) break;
  }
  // A number below the last one (told by the base, or after 2^32) must not be outdone by what is there already.
  if (offset == sectorOctets || boot < last()) {
    if (!sector_.erase()) return false;
    offset = 0;
  }
  return sector_.write(offset, wanted, sizeof wanted) && sector_.read(offset, record, sizeof record) &&
         record[0] == wanted[0] && record[1] == wanted[1];
}

}  // namespace bu
