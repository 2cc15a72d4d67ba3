#include "bu_improv.h"

#include <string.h>

#include "bu_flash.h"

namespace bu::improv {

namespace {
const uint8_t mark[markOctets] BU_FLASH = {'I', 'M', 'P', 'R', 'O', 'V', 1};
}

uint8_t markAt(size_t index) { return octetFromFlash(mark + index); }

uint8_t checksumOf(const uint8_t* octets, size_t count) {
  unsigned sum = 0;
  for (size_t index = 0; index < count; ++index) sum += octets[index];
  return static_cast<uint8_t>(sum);
}

Builder::Builder(uint8_t* to, Type type) : to_(to) {
  copyFromFlash(to, mark, markOctets);
  to[markOctets] = static_cast<uint8_t>(type);
}

void Builder::put(const void* octets, size_t count) {
  memcpy(to_ + length_, octets, count);
  length_ += count;
}

size_t Builder::finish() {
  to_[headOctets - 1] = dataLength();
  to_[length_] = checksumOf(to_, length_);
  to_[length_ + 1] = '\n';
  return length_ + 2;
}

}  // namespace bu::improv
