// Compares the routines of rom_*.cpp with the compiler's own arithmetic; says the first that differs, and ends with 1.
#include <stdio.h>
#include <string.h>

#include "rom.h"

namespace {

unsigned long compared = 0;

uint64_t next() {
  // xorshift64: the same numbers in every run.
  static uint64_t state = 0x9e3779b97f4a7c15U;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

template <class Number>
uint64_t bitsOf(Number value) {
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  return bits;
}

template <class Number>
bool isNan(Number value) {
  return value != value;
}

template <class Number>
bool same(const char* what, uint64_t first, uint64_t second, Number ours, Number theirs) {
  ++compared;
  if (bitsOf(ours) == bitsOf(theirs) || (isNan(ours) && isNan(theirs))) return true;
  printf("%s of %016llx and %016llx: %016llx, not %016llx\n", what, static_cast<unsigned long long>(first),
         static_cast<unsigned long long>(second), static_cast<unsigned long long>(bitsOf(ours)),
         static_cast<unsigned long long>(bitsOf(theirs)));
  return false;
}

/** Any octets, or few bits of a number: sums and products meet their edges more often with those. */
uint64_t anyBits() {
  const uint64_t any = next();
  switch (any & 7) {
    case 0:
      return uint64_t{1} << (next() & 63);
    case 1:
      return next() >> (next() & 63);
    case 2:
      return ~uint64_t{0} << (next() & 63);
    case 3:
      return next() & 15;
    default:
      return next();
  }
}

template <class Number>
Number fromBits(uint64_t bits) {
  Number value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

bool integers(uint64_t first, uint64_t second) {
  const uint32_t a = static_cast<uint32_t>(first);
  const uint32_t b = static_cast<uint32_t>(second);
  const int32_t c = static_cast<int32_t>(a);
  const int32_t d = static_cast<int32_t>(b);
  const int64_t e = static_cast<int64_t>(first);
  const int64_t f = static_cast<int64_t>(second);
  if (!same("muldi3", first, second, rom_muldi3(first, second), first * second)) return false;
  if (b != 0) {
    if (!same("udivsi3", a, b, rom_udivsi3(a, b), a / b) || !same("umodsi3", a, b, rom_umodsi3(a, b), a % b)) return false;
  }
  if (second != 0) {
    if (!same("udivdi3", first, second, rom_udivdi3(first, second), first / second)) return false;
    if (!same("umoddi3", first, second, rom_umoddi3(first, second), first % second)) return false;
  }
  if (d != 0 && !(c == INT32_MIN && d == -1)) {
    if (!same("divsi3", a, b, rom_divsi3(c, d), c / d) || !same("modsi3", a, b, rom_modsi3(c, d), c % d)) return false;
  }
  if (f != 0 && !(e == INT64_MIN && f == -1)) {
    if (!same("divdi3", first, second, rom_divdi3(e, f), e / f)) return false;
    if (!same("moddi3", first, second, rom_moddi3(e, f), e % f)) return false;
  }
  return true;
}

bool floats(uint64_t first, uint64_t second) {
  const float a = fromBits<float>(first);
  const float b = fromBits<float>(second);
  const double c = fromBits<double>(first);
  const double d = fromBits<double>(second);
  if (a >= 0.0f && a < 4294967296.0f &&
      !same("fixunssfsi", first, 0, rom_fixunssfsi(a), static_cast<uint32_t>(a))) {
    return false;
  }
  return same("addsf3", first, second, rom_addsf3(a, b), a + b) &&
         same("subsf3", first, second, rom_subsf3(a, b), a - b) &&
         same("mulsf3", first, second, rom_mulsf3(a, b), a * b) &&
         same("divsf3", first, second, rom_divsf3(a, b), a / b) &&
         same("divdf3", first, second, rom_divdf3(c, d), c / d) &&
         same("truncdfsf2", first, 0, rom_truncdfsf2(c), static_cast<float>(c)) &&
         same("floatsisf", first, 0, rom_floatsisf(static_cast<int32_t>(first)),
              static_cast<float>(static_cast<int32_t>(first))) &&
         same("floatunsisf", first, 0, rom_floatunsisf(static_cast<uint32_t>(first)),
              static_cast<float>(static_cast<uint32_t>(first))) &&
         same("floatundidf", first, 0, rom_floatundidf(first), static_cast<double>(first));
}

/** Numbers whose exponents are so near that no part of the sum, or of a double cut to a single, is out of reach. */
bool near(uint64_t first, uint64_t second) {
  const float a = fromBits<float>((first & 0x807fffffU) | (((first >> 32) % 30 + 1) << 23));
  const float b = fromBits<float>((second & 0x807fffffU) | (((second >> 32) % 30 + 1) << 23));
  const double c = fromBits<double>((first & 0x800fffffffffffffU) | ((second % 300 + 860) << 52));
  return same("addsf3", bitsOf(a), bitsOf(b), rom_addsf3(a, b), a + b) &&
         same("subsf3", bitsOf(a), bitsOf(b), rom_subsf3(a, b), a - b) &&
         same("mulsf3", bitsOf(a), bitsOf(b), rom_mulsf3(a, b), a * b) &&
         same("divsf3", bitsOf(a), bitsOf(b), rom_divsf3(a, b), a / b) &&
         same("truncdfsf2", bitsOf(c), 0, rom_truncdfsf2(c), static_cast<float>(c));
}

}  // namespace

int main() {
  // The edges of both formats: zeros, the least, the greatest, infinite, no number; and of whole numbers.
  static const uint64_t edges[] = {0,
                                   1,
                                   2,
                                   3,
                                   0x7fffffU,
                                   0x800000U,
                                   0x3f800000U,
                                   0x7f7fffffU,
                                   0x7f800000U,
                                   0x7fc00000U,
                                   0x7fffffffU,
                                   0x80000000U,
                                   0x80000001U,
                                   0xbf800000U,
                                   0xff800000U,
                                   0xffffffffU,
                                   0x100000000U,
                                   0x000fffffffffffffU,
                                   0x0010000000000000U,
                                   0x3ff0000000000000U,
                                   0x47efffffe0000000U,
                                   0x47effffff0000000U,
                                   0x7fefffffffffffffU,
                                   0x7ff0000000000000U,
                                   0x7fffffffffffffffU,
                                   0x8000000000000000U,
                                   0xfff0000000000000U,
                                   0xffffffffffffffffU};
  for (const uint64_t first : edges) {
    for (const uint64_t second : edges) {
      if (!integers(first, second) || !floats(first, second)) return 1;
    }
  }
  for (int count = 0; count < 200'000; ++count) {
    const uint64_t first = anyBits();
    const uint64_t second = anyBits();
    if (!integers(first, second) || !floats(first, second) || !near(first, second)) return 1;
  }
  printf("%lu equal\n", compared);
  return 0;
}
