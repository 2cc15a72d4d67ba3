#pragma once

#include <stddef.h>
#include <stdint.h>

namespace bu {

/** SHA-256 (FIPS 180-4), small rather than fast. */
class Sha256 {
 public:
  static constexpr size_t blockOctets = 64;
  static constexpr size_t digestOctets = 32;

  constexpr Sha256() { reset(); }
  constexpr void reset() {
    state_[0] = 0x6a09e667;
    state_[1] = 0xbb67ae85;
    state_[2] = 0x3c6ef372;
    state_[3] = 0xa54ff53a;
    state_[4] = 0x510e527f;
    state_[5] = 0x9b05688c;
    state_[6] = 0x1f83d9ab;
    state_[7] = 0x5be0cd19;
    length_ = 0;
  }
  void add(const void* from, size_t count);
  /** Writes the 32 octets; reset before using it again. */
  void finish(uint8_t* to);

 private:
  void compress();

  uint32_t state_[8] = {};
  uint64_t length_ = 0;
  uint8_t block_[blockOctets] = {};
};

static_assert(sizeof(Sha256) == 104, "32 of state, 8 of length, 64 of block");

}  // namespace bu
