#include "bu_line_value.h"

#include "bu_colours.h"
#include "bu_float.h"
#include "bu_utf8.h"

namespace bu {

namespace {

/** `-?\d{1,10}(\.\d{1,10})?`, as protocol/line/line-value.ts has it. */
struct Decimal {
  bool isNegative;
  /** All digits, the point left out. */
  uint64_t digits;
  /** How many of them stand behind the point. */
  uint8_t fraction;
};

constexpr uint8_t maxDigits = 10;

bool isDigit(char octet) { return octet >= '0' && octet <= '9'; }

bool parseDecimal(const char* line, size_t length, Decimal& decimal) {
  size_t at = 0;
  decimal = {length > 0 && line[0] == '-', 0, 0};
  if (decimal.isNegative) ++at;
  uint8_t whole = 0;
  for (; at < length && isDigit(line[at]); ++at, ++whole) {
    decimal.digits = decimal.digits * 10 + static_cast<uint64_t>(line[at] - '0');
    if (whole == maxDigits) return false;
  }
  if (whole == 0) return false;
  if (at == length) return true;
  if (line[at++] != '.') return false;
  uint8_t behind = 0;
  for (; at < length && isDigit(line[at]); ++at, ++behind) {
    if (behind == maxDigits) return false;
    // 18 digits are more than any value of ours can tell apart, and fit 64 bits.
    if (whole + decimal.fraction >= 18) continue;
    decimal.digits = decimal.digits * 10 + static_cast<uint64_t>(line[at] - '0');
    ++decimal.fraction;
  }
  return behind > 0 && at == length;
}

uint64_t powerOfTen(uint8_t exponent) {
  uint64_t power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

/**
 * digits / 10^fraction, rounded to the nearest f32, a tie to the even one. In whole numbers: a double is no wider than a
 * float on an AVR, and would round twice.
 */
float quotientOf(uint64_t digits, uint8_t fraction) {
  if (digits == 0) return 0;
  // value = quotient × 2^exponent; 64 bits by at most 10^10 leave 30, of which a float keeps 24.
  int16_t exponent = 0;
  for (; (digits >> 63) == 0; digits <<= 1) --exponent;
  const uint64_t divisor = powerOfTen(fraction);
  uint64_t quotient = digits / divisor;
  bool isMore = digits % divisor != 0;
  for (; (quotient >> (mantissaBits + 2)) != 0; quotient >>= 1) {
    isMore = isMore || (quotient & 1) != 0;
    ++exponent;
  }
  const bool isHalf = (quotient & 1) != 0;
  uint32_t mantissa = static_cast<uint32_t>(quotient >> 1);
  ++exponent;
  if (isHalf && (isMore || (mantissa & 1) != 0)) ++mantissa;
  // One that was rounded up to 2^24 carries into the exponent by itself.
  const uint32_t stored = static_cast<uint32_t>(exponent + exponentBias + mantissaBits);
  return floatOf((stored << mantissaBits) + (mantissa - (uint32_t{1} << mantissaBits)));
}

bool isBlank(char octet) { return octet == ' ' || (octet >= '\t' && octet <= '\r'); }

}  // namespace

void LineValue::refuse(Refusal refusal) {
  if (isOk()) refusal_ = refusal;
}

void LineValue::trim() {
  while (length_ > 0 && isBlank(line_[0])) ++line_, --length_;
  while (length_ > 0 && isBlank(line_[length_ - 1])) --length_;
}

bool LineValue::boolean() {
  static const char booleans[] BU_FLASH = "false,true";
  return indexIn(flashText(booleans), Refusal::wrongType) == 1;
}

int64_t LineValue::whole(int64_t min, int64_t max) {
  trim();
  Decimal decimal;
  if (!parseDecimal(line_, length_, decimal) || decimal.digits % powerOfTen(decimal.fraction) != 0) {
    refuse(Refusal::wrongType);
    return 0;
  }
  const int64_t value = static_cast<int64_t>(decimal.digits / powerOfTen(decimal.fraction));
  const int64_t signedValue = decimal.isNegative ? -value : value;
  if (signedValue >= min && signedValue <= max) return signedValue;
  refuse(Refusal::outOfRange);
  return 0;
}

float LineValue::f32(float min, float max) {
  trim();
  Decimal decimal;
  if (!parseDecimal(line_, length_, decimal)) {
    refuse(Refusal::wrongType);
    return 0;
  }
  const float size = quotientOf(decimal.digits, decimal.fraction);
  const float value = decimal.isNegative ? -size : size;
  if (value < min || value > max) refuse(Refusal::outOfRange);
  return value;
}

Rgb LineValue::rgb() {
  trim();
  Rgb colour;
  if (!colourOf(line_, length_, colour)) refuse(Refusal::wrongType);
  return colour;
}

uint8_t LineValue::indexIn(FlashText names, Refusal otherwise) {
  trim();
  uint8_t index = 0;
  uint16_t at = 0;
  while (at < names.length) {
    size_t same = 0;
    uint16_t end = at;
    for (; end < names.length && octetFromFlash(names.at + end) != ','; ++end) {
      const size_t offset = static_cast<size_t>(end - at);
      if (offset < length_ && octetFromFlash(names.at + end) == static_cast<uint8_t>(line_[offset])) ++same;
    }
    if (same == length_ && same == static_cast<size_t>(end - at)) return index;
    at = static_cast<uint16_t>(end + 1);
    ++index;
  }
  refuse(otherwise);
  return 0;
}

bool LineValue::isUtf8() {
  if (!bu::isUtf8(reinterpret_cast<const uint8_t*>(line_), length_)) refuse(Refusal::badUtf8);
  return isOk();
}

}  // namespace bu
