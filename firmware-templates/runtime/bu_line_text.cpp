#include "bu_line_text.h"

#include "bu_float.h"
#include "bu_utf8.h"

namespace bu {

namespace {
char hexDigit(uint8_t value) { return static_cast<char>(value < 10 ? '0' + value : 'a' + value - 10); }
}  // namespace

void LineText::refuse(Refusal refusal) {
  if (isOk()) refusal_ = refusal;
}

void LineText::put(char octet) {
  if (length_ == capacity_) return refuse(Refusal::tooLong);
  octets_[length_++] = octet;
}

void LineText::end() { put('\n'); }

void LineText::boolean(bool value) {
  static const char booleans[] BU_FLASH = "false,true";
  nameAt(value ? 1 : 0, flashText(booleans));
}

/** Decimal, with zeros in front up to `atLeast` digits. */
void LineText::digits(uint64_t value, uint8_t atLeast) {
  char reversed[20];
  uint8_t count = 0;
  do {
    reversed[count++] = static_cast<char>('0' + static_cast<char>(value % 10));
    value /= 10;
  } while (value > 0 || count < atLeast);
  while (count > 0) put(reversed[--count]);
}

void LineText::whole(int64_t value, int64_t min, int64_t max) {
  if (value < min || value > max) return refuse(Refusal::outOfRange);
  if (value < 0) put('-');
  digits(static_cast<uint64_t>(value < 0 ? -value : value), 1);
}

/** Exact, in whole numbers: printf's floats cost an ESP8266 18 KiB of flash (reference/esp8266.md). */
void LineText::f32(float value, float min, float max, uint8_t decimals) {
  if (!isFinite(value)) return refuse(Refusal::notFinite);
  if (value < min || value > max) return refuse(Refusal::outOfRange);
  if (value < 0) put('-');
  const uint32_t bits = bitsOf(value);
  const uint32_t stored = (bits >> mantissaBits) & 0xff;
  const uint32_t fraction = bits & 0x7fffffU;
  const uint64_t mantissa = stored == 0 ? fraction : fraction | 0x800000U;
  // value = mantissa × 2^exponent
  const int exponent = (stored == 0 ? 1 : static_cast<int>(stored)) - exponentBias - mantissaBits;
  uint64_t scale = 1;
  for (uint8_t index = 0; index < decimals; ++index) scale *= 10;
  if (exponent >= 0) {
    big(static_cast<uint32_t>(mantissa), static_cast<uint8_t>(exponent));
    if (decimals > 0) put('.');
    for (uint8_t index = 0; index < decimals; ++index) put('0');
    return;
  }
  // At most 24 + 20 bits; a shift of 64 or more leaves nothing.
  const unsigned shift = static_cast<unsigned>(-exponent);
  const uint64_t scaled = shift > 63 ? 0 : (mantissa * scale + (uint64_t{1} << (shift - 1))) >> shift;
  digits(scaled / scale, 1);
  if (decimals == 0) return;
  put('.');
  digits(scaled % scale, decimals);
}

/** mantissa × 2^shift, up to 128 bits, in decimal. */
void LineText::big(uint32_t mantissa, uint8_t shift) {
  uint32_t limbs[5] = {};
  const uint64_t wide = static_cast<uint64_t>(mantissa) << (shift % 32);
  limbs[shift / 32] = static_cast<uint32_t>(wide);
  limbs[shift / 32 + 1] = static_cast<uint32_t>(wide >> 32);
  char reversed[40];
  uint8_t count = 0;
  bool isZero = false;
  while (!isZero) {
    uint64_t rest = 0;
    isZero = true;
    for (int index = 4; index >= 0; --index) {
      rest = (rest << 32) | limbs[index];
      limbs[index] = static_cast<uint32_t>(rest / 10);
      rest %= 10;
      if (limbs[index] != 0) isZero = false;
    }
    reversed[count++] = static_cast<char>('0' + static_cast<char>(rest));
  }
  while (count > 0) put(reversed[--count]);
}

void LineText::rgb(const Rgb& value) {
  put('#');
  const uint8_t colour[3] = {value.red, value.green, value.blue};
  for (const uint8_t octet : colour) {
    put(hexDigit(octet >> 4));
    put(hexDigit(octet & 0x0f));
  }
}

void LineText::nameAt(uint8_t index, FlashText names) {
  uint16_t at = 0;
  for (; index > 0 && at < names.length; ++at) {
    if (octetFromFlash(names.at + at) == ',') --index;
  }
  if (at >= names.length) return refuse(Refusal::badIndex);
  for (; at < names.length && octetFromFlash(names.at + at) != ','; ++at) {
    put(static_cast<char>(octetFromFlash(names.at + at)));
  }
}

void LineText::textOctets(const char* from, uint8_t count) {
  if (!isUtf8(reinterpret_cast<const uint8_t*>(from), count)) return refuse(Refusal::badUtf8);
  for (uint8_t index = 0; index < count; ++index) put(from[index] == '\r' || from[index] == '\n' ? ' ' : from[index]);
}

}  // namespace bu
