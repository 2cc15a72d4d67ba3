#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_handlers.h"

namespace bu {

/** At most N octets, held in place. More than fit are remembered as such, and refused (`tooLong`) when sent. */
template <size_t N>
class Bytes {
  static_assert(N >= 1 && N <= 255, "a bytes field has 1 to 255 octets");

 public:
  static constexpr size_t capacity = N;

  constexpr Bytes() = default;
  /** `Bytes<4>{0x01, 0x02}`. */
  template <class... Octets, class = Void<decltype(static_cast<uint8_t>(static_cast<Octets>(0)))...>>
  constexpr explicit Bytes(Octets... octets) : octets_{static_cast<uint8_t>(octets)...}, length_(sizeof...(Octets)) {
    static_assert(sizeof...(Octets) <= N, "more octets than the field holds");
  }

  /** False when they do not fit; the field is then empty and refused when sent. */
  constexpr bool set(const uint8_t* octets, size_t length) {
    tooLong_ = length > N;
    length_ = tooLong_ ? 0 : static_cast<uint8_t>(length);
    for (size_t index = 0; index < length_; ++index) octets_[index] = octets[index];
    return !tooLong_;
  }

  constexpr const uint8_t* octets() const { return octets_; }
  constexpr uint8_t length() const { return length_; }
  constexpr bool isTooLong() const { return tooLong_; }

 private:
  uint8_t octets_[N] = {};
  uint8_t length_ = 0;
  bool tooLong_ = false;
};

static_assert(sizeof(Bytes<8>) == 10, "octets, length, mark");

}  // namespace bu
