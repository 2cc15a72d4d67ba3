#if !defined(ARDUINO_ARCH_ESP8266)

#include "bu_sha256.h"

#include <string.h>

#include "bu_octets.h"

namespace bu {

namespace {

constexpr uint32_t roundConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

constexpr uint32_t turned(uint32_t value, unsigned bits) { return (value >> bits) | (value << (32 - bits)); }

constexpr uint32_t bigU32(const uint8_t* at) {
  return (static_cast<uint32_t>(bigU16(at)) << 16) | bigU16(at + 2);
}

}  // namespace

void Sha256::add(const void* from, size_t count) {
  const uint8_t* octets = static_cast<const uint8_t*>(from);
  while (count > 0) {
    const size_t filled = static_cast<size_t>(length_ % blockOctets);
    const size_t room = blockOctets - filled;
    const size_t taken = count < room ? count : room;
    memcpy(block_ + filled, octets, taken);
    octets += taken;
    count -= taken;
    length_ += taken;
    if (length_ % blockOctets == 0) compress();
  }
}

void Sha256::finish(uint8_t* to) {
  uint8_t bits[8];
  putBig(bits, static_cast<uint32_t>(length_ >> 29), 4);
  putBig(bits + 4, static_cast<uint32_t>(length_ << 3), 4);
  static constexpr uint8_t padding[blockOctets] = {0x80};
  const size_t filled = static_cast<size_t>(length_ % blockOctets);
  const size_t lengthAt = blockOctets - sizeof bits;
  add(padding, filled < lengthAt ? lengthAt - filled : blockOctets + lengthAt - filled);
  add(bits, sizeof bits);
  for (unsigned index = 0; index < 8; ++index) putBig(to + 4 * index, state_[index], 4);
}

/** FIPS 180-4, 6.2.2, with a message schedule of 16 words that rolls, for a small stack. */
void Sha256::compress() {
  uint32_t w[16];
  for (unsigned index = 0; index < 16; ++index) w[index] = bigU32(block_ + 4 * index);
  uint32_t s[8];
  memcpy(s, state_, sizeof s);
  for (unsigned round = 0; round < 64; ++round) {
    if (round >= 16) {
      const uint32_t w15 = w[(round + 1) % 16];
      const uint32_t w2 = w[(round + 14) % 16];
      const uint32_t sigma0 = turned(w15, 7) ^ turned(w15, 18) ^ (w15 >> 3);
      const uint32_t sigma1 = turned(w2, 17) ^ turned(w2, 19) ^ (w2 >> 10);
      w[round % 16] += sigma0 + w[(round + 9) % 16] + sigma1;
    }
    const uint32_t sum1 = turned(s[4], 6) ^ turned(s[4], 11) ^ turned(s[4], 25);
    const uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
    const uint32_t first = s[7] + sum1 + choice + roundConstants[round] + w[round % 16];
    const uint32_t sum0 = turned(s[0], 2) ^ turned(s[0], 13) ^ turned(s[0], 22);
    const uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
    memmove(s + 1, s, 7 * sizeof s[0]);
    s[4] += first;
    s[0] = first + sum0 + majority;
  }
  for (unsigned index = 0; index < 8; ++index) state_[index] += s[index];
}

}  // namespace bu

#endif
