#include "bu_output.h"

#include <string.h>

#include "bu_port.h"

namespace bu {

uint8_t* Output::reserve(size_t count) {
  if (!hasRoom(count)) return nullptr;
  if (start_ > 0) {
    memmove(buffer_, buffer_ + start_, pending());
    end_ = pending();
    start_ = 0;
  }
  return buffer_ + end_;
}

Output::Flush Output::flush(uint8_t slot) {
  if (pending() == 0) return Flush::done;
  const int written = port::write(slot, buffer_ + start_, pending());
  if (written == port::lost) return Flush::lost;
  start_ = static_cast<uint16_t>(start_ + written);
  if (pending() > 0) return Flush::blocked;
  reset();
  return Flush::done;
}

}  // namespace bu
