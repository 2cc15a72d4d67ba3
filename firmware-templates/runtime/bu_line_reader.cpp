#include "bu_line_reader.h"

namespace bu {

bool LineReader::push(char octet) {
  const bool isSecondHalf = octet == '\n' && isAfterCr_;
  isAfterCr_ = octet == '\r';
  if (isSecondHalf) return false;
  if (octet == '\r' || octet == '\n') {
    const bool isLine = !isTooLong_;
    ended_ = filled_;
    filled_ = 0;
    isTooLong_ = false;
    return isLine;
  }
  if (filled_ == capacity_) {
    isTooLong_ = true;
  } else {
    line_[filled_++] = octet;
  }
  return false;
}

void LineReader::reset() {
  filled_ = ended_ = 0;
  isAfterCr_ = isTooLong_ = false;
}

}  // namespace bu
