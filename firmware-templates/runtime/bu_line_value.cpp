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
  trim();
  if (length_ == 4 && memcmp(line_, "true", 4) == 0) return true;
  if (length_ != 5 || memcmp(line_, "false", 5) != 0) refuse(Refusal::wrongType);
  return false;
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
  const double size = static_cast<double>(decimal.digits) / static_cast<double>(powerOfTen(decimal.fraction));
  const float value = static_cast<float>(decimal.isNegative ? -size : size);
  if (value < min || value > max) refuse(Refusal::outOfRange);
  return value;
}

Rgb LineValue::rgb() {
  trim();
  Rgb colour;
  if (!colourOf(line_, length_, colour)) refuse(Refusal::wrongType);
  return colour;
}

uint8_t LineValue::indexIn(FlashText names) {
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
  refuse(Refusal::badIndex);
  return 0;
}

bool LineValue::isUtf8() {
  if (!bu::isUtf8(reinterpret_cast<const uint8_t*>(line_), length_)) refuse(Refusal::badUtf8);
  return isOk();
}

}  // namespace bu
