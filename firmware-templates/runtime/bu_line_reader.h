#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_line_text.h"

namespace bu {

/** Splits octets into lines ended by `\r`, `\n` or both together. A line that is too long is ignored to its end. */
class LineReader {
 public:
  /** True when this octet ended a line; `line()` is then valid until the next call. */
  bool push(char octet);
  void reset();

  const char* line() const { return line_; }
  size_t length() const { return ended_; }

 private:
  char line_[maxLineOctets] = {};
  uint16_t filled_ = 0;
  uint16_t ended_ = 0;
  bool isAfterCr_ = false;
  bool isTooLong_ = false;
};

}  // namespace bu
