#include <string.h>

#include "rom.h"

// IEEE 754, rounded to nearest, ties to even. What NaN it gives is not said: the runtime never asks.
namespace {

struct Single {
  using Number = float;
  using Bits = uint32_t;
  static constexpr int fraction = 23;
  static constexpr int bias = 127;
};

struct Double {
  using Number = double;
  using Bits = uint64_t;
  static constexpr int fraction = 52;
  static constexpr int bias = 1023;
};

/** (-1)^isNegative x significand x 2^exponent; bit 63 of a finite significand that is not zero is set. */
struct Parts {
  enum class Kind : uint8_t { finite, infinite, nan };
  Kind kind;
  bool isNegative;
  int exponent;
  uint64_t significand;
};

constexpr Parts nan = {Parts::Kind::nan, false, 0, 0};

Parts normal(bool isNegative, int exponent, uint64_t significand) {
  while (significand != 0 && (significand >> 63) == 0) {
    significand <<= 1;
    --exponent;
  }
  return {Parts::Kind::finite, isNegative, exponent, significand};
}

template <class Format>
Parts partsOf(typename Format::Number number) {
  typename Format::Bits bits = 0;
  memcpy(&bits, &number, sizeof bits);
  constexpr int top = 2 * Format::bias + 1;
  const bool isNegative = (bits >> (sizeof bits * 8 - 1)) != 0;
  const int stored = static_cast<int>(bits >> Format::fraction) & top;
  const uint64_t fraction = bits & ((typename Format::Bits{1} << Format::fraction) - 1);
  if (stored == top) return fraction != 0 ? nan : Parts{Parts::Kind::infinite, isNegative, 0, 0};
  const uint64_t hidden = stored == 0 ? 0 : uint64_t{1} << Format::fraction;
  return normal(isNegative, (stored == 0 ? 1 : stored) - Format::bias - Format::fraction, fraction | hidden);
}

/** Everything that a shift to the right loses stays as the lowest bit, for the rounding. */
uint64_t shiftedRight(uint64_t significand, int count) {
  if (count <= 0) return significand;
  if (count > 63) return significand != 0 ? 1 : 0;
  const bool isLossy = (significand & ((uint64_t{1} << count) - 1)) != 0;
  return (significand >> count) | (isLossy ? 1 : 0);
}

template <class Format>
typename Format::Number packed(const Parts& parts) {
  using Bits = typename Format::Bits;
  constexpr int top = 2 * Format::bias + 1;
  Bits bits = 0;
  if (parts.kind == Parts::Kind::nan) {
    bits = (Bits{top} << Format::fraction) | 1;
  } else if (parts.kind == Parts::Kind::infinite) {
    bits = Bits{top} << Format::fraction;
  } else if (parts.significand != 0) {
    // Two bits more than the format has: the first one lost, and whether any other was.
    const int stored = parts.exponent + 63 + Format::bias;
    const int more = stored < 1 ? 1 - stored : 0;
    const uint64_t kept = shiftedRight(parts.significand, 63 - Format::fraction - 2 + more);
    const uint64_t rest = kept & 3;
    uint64_t rounded = kept >> 2;
    if (rest == 3 || (rest == 2 && (rounded & 1) != 0)) ++rounded;
    // The hidden bit adds one to the exponent, and so does a carry of the rounding.
    const int exponent = stored < 1 ? 0 : stored - 1;
    bits = exponent >= top - 1 ? Bits{top} << Format::fraction
                               : static_cast<Bits>((static_cast<uint64_t>(exponent) << Format::fraction) + rounded);
  }
  if (parts.isNegative) bits |= Bits{1} << (sizeof(Bits) * 8 - 1);
  typename Format::Number number = 0;
  memcpy(&number, &bits, sizeof number);
  return number;
}

Parts sum(Parts first, Parts second) {
  using Kind = Parts::Kind;
  if (first.kind == Kind::nan || second.kind == Kind::nan) return nan;
  if (first.kind == Kind::infinite && second.kind == Kind::infinite) {
    return first.isNegative == second.isNegative ? first : nan;
  }
  if (first.kind == Kind::infinite) return first;
  if (second.kind == Kind::infinite) return second;
  if (first.significand == 0 && second.significand == 0) {
    return normal(first.isNegative && second.isNegative, 0, 0);
  }
  if (first.significand == 0) return second;
  if (second.significand == 0) return first;
  if (first.exponent < second.exponent ||
      (first.exponent == second.exponent && first.significand < second.significand)) {
    const Parts larger = second;
    second = first;
    first = larger;
  }
  // One bit of room for the carry.
  const uint64_t large = shiftedRight(first.significand, 1);
  const uint64_t small = shiftedRight(second.significand, first.exponent - second.exponent + 1);
  const uint64_t significand = first.isNegative == second.isNegative ? large + small : large - small;
  return normal(first.isNegative && significand != 0, first.exponent + 1, significand);
}

/** Of singles: the product of two significands of 24 bits is exact. */
Parts product(const Parts& first, const Parts& second) {
  using Kind = Parts::Kind;
  const bool isNegative = first.isNegative != second.isNegative;
  if (first.kind == Kind::nan || second.kind == Kind::nan) return nan;
  if (first.kind == Kind::infinite || second.kind == Kind::infinite) {
    const bool isZero = (first.kind == Kind::finite && first.significand == 0) ||
                        (second.kind == Kind::finite && second.significand == 0);
    return isZero ? nan : Parts{Kind::infinite, isNegative, 0, 0};
  }
  const uint64_t significand = ROM(muldi3)(first.significand >> 40, second.significand >> 40);
  return normal(isNegative, first.exponent + second.exponent + 80, significand);
}

Parts quotient(const Parts& dividend, const Parts& divisor) {
  using Kind = Parts::Kind;
  const bool isNegative = dividend.isNegative != divisor.isNegative;
  if (dividend.kind == Kind::nan || divisor.kind == Kind::nan) return nan;
  if (dividend.kind == Kind::infinite) {
    return divisor.kind == Kind::infinite ? nan : Parts{Kind::infinite, isNegative, 0, 0};
  }
  if (divisor.kind == Kind::infinite) return normal(isNegative, 0, 0);
  if (divisor.significand == 0) return dividend.significand == 0 ? nan : Parts{Kind::infinite, isNegative, 0, 0};
  if (dividend.significand == 0) return normal(isNegative, 0, 0);
  // Bits 0 to 9 of both are zero: doubles have 53. 57 digits behind the point are more than any format here keeps.
  constexpr int digits = 57;
  const uint64_t by = divisor.significand >> 2;
  uint64_t rest = dividend.significand >> 2;
  uint64_t result = 0;
  for (int digit = 0; digit <= digits; ++digit) {
    result <<= 1;
    if (rest >= by) {
      rest -= by;
      result |= 1;
    }
    rest <<= 1;
  }
  return normal(isNegative, dividend.exponent - divisor.exponent - digits, result | (rest != 0 ? 1 : 0));
}

}  // namespace

float ROM(addsf3)(float first, float second) {
  return packed<Single>(sum(partsOf<Single>(first), partsOf<Single>(second)));
}

float ROM(subsf3)(float first, float second) {
  Parts negated = partsOf<Single>(second);
  negated.isNegative = !negated.isNegative;
  return packed<Single>(sum(partsOf<Single>(first), negated));
}

float ROM(mulsf3)(float first, float second) {
  return packed<Single>(product(partsOf<Single>(first), partsOf<Single>(second)));
}

float ROM(divsf3)(float dividend, float divisor) {
  return packed<Single>(quotient(partsOf<Single>(dividend), partsOf<Single>(divisor)));
}

float ROM(floatsisf)(int32_t value) {
  const uint32_t size = value < 0 ? 0U - static_cast<uint32_t>(value) : static_cast<uint32_t>(value);
  return packed<Single>(normal(value < 0, 0, size));
}

float ROM(floatunsisf)(uint32_t value) { return packed<Single>(normal(false, 0, value)); }

uint32_t ROM(fixunssfsi)(float value) {
  const Parts parts = partsOf<Single>(value);
  return parts.exponent < -63 ? 0 : static_cast<uint32_t>(parts.significand >> -parts.exponent);
}

double ROM(divdf3)(double dividend, double divisor) {
  return packed<Double>(quotient(partsOf<Double>(dividend), partsOf<Double>(divisor)));
}

double ROM(floatundidf)(uint64_t value) { return packed<Double>(normal(false, 0, value)); }

float ROM(truncdfsf2)(double value) { return packed<Single>(partsOf<Double>(value)); }
