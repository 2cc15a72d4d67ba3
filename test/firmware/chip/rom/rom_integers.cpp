#include "rom.h"

// Bit by bit, as on paper: a division here must not need one.
namespace {

template <class Number>
struct Divided {
  Number quotient;
  Number rest;
};

template <class Number>
Divided<Number> divide(Number dividend, Number divisor) {
  constexpr unsigned bits = sizeof(Number) * 8;
  Number quotient = 0;
  Number rest = 0;
  for (unsigned bit = bits; bit-- > 0;) {
    const bool isPast = (rest >> (bits - 1)) != 0;
    rest = static_cast<Number>((rest << 1) | ((dividend >> bit) & 1));
    if (isPast || rest >= divisor) {
      rest -= divisor;
      quotient |= Number{1} << bit;
    }
  }
  return {quotient, rest};
}

template <class Unsigned, class Signed>
Unsigned sizeOf(Signed value) {
  return value < 0 ? Unsigned{0} - static_cast<Unsigned>(value) : static_cast<Unsigned>(value);
}

template <class Signed, class Unsigned>
Signed withSign(Unsigned size, bool isNegative) {
  return static_cast<Signed>(isNegative ? Unsigned{0} - size : size);
}

}  // namespace

uint32_t ROM(udivsi3)(uint32_t dividend, uint32_t divisor) { return divide(dividend, divisor).quotient; }

uint32_t ROM(umodsi3)(uint32_t dividend, uint32_t divisor) { return divide(dividend, divisor).rest; }

int32_t ROM(divsi3)(int32_t dividend, int32_t divisor) {
  const uint32_t size = divide(sizeOf<uint32_t>(dividend), sizeOf<uint32_t>(divisor)).quotient;
  return withSign<int32_t>(size, (dividend < 0) != (divisor < 0));
}

int32_t ROM(modsi3)(int32_t dividend, int32_t divisor) {
  return withSign<int32_t>(divide(sizeOf<uint32_t>(dividend), sizeOf<uint32_t>(divisor)).rest, dividend < 0);
}

uint64_t ROM(udivdi3)(uint64_t dividend, uint64_t divisor) { return divide(dividend, divisor).quotient; }

uint64_t ROM(umoddi3)(uint64_t dividend, uint64_t divisor) { return divide(dividend, divisor).rest; }

int64_t ROM(divdi3)(int64_t dividend, int64_t divisor) {
  const uint64_t size = divide(sizeOf<uint64_t>(dividend), sizeOf<uint64_t>(divisor)).quotient;
  return withSign<int64_t>(size, (dividend < 0) != (divisor < 0));
}

int64_t ROM(moddi3)(int64_t dividend, int64_t divisor) {
  return withSign<int64_t>(divide(sizeOf<uint64_t>(dividend), sizeOf<uint64_t>(divisor)).rest, dividend < 0);
}

uint64_t ROM(muldi3)(uint64_t first, uint64_t second) {
  uint64_t product = 0;
  for (unsigned bit = 0; bit < 64; ++bit) {
    if (((second >> bit) & 1) != 0) product += first << bit;
  }
  return product;
}
