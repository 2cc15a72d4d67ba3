#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_flash.h"
#include "bu_refusal.h"
#include "bu_rgb.h"
#include "bu_text.h"

namespace bu {

/**
 * One value as the text of a line (wire/unit.md, "Line units"), refused as Writer refuses. A text field's line breaks
 * become blanks: a line is one value. What does not fit its memory is refused too: half a number is another number.
 */
class LineText {
 public:
  /** Borrows the memory of a line: what the longest value takes, and the line feed behind it. */
  constexpr LineText(char* octets, uint16_t capacity) : octets_(octets), capacity_(capacity) {}

  void boolean(bool value);
  void u8(uint8_t value, uint8_t min = 0, uint8_t max = UINT8_MAX) { whole(value, min, max); }
  void i8(int8_t value, int8_t min = INT8_MIN, int8_t max = INT8_MAX) { whole(value, min, max); }
  void u16(uint16_t value, uint16_t min = 0, uint16_t max = UINT16_MAX) { whole(value, min, max); }
  void i16(int16_t value, int16_t min = INT16_MIN, int16_t max = INT16_MAX) { whole(value, min, max); }
  void u32(uint32_t value, uint32_t min = 0, uint32_t max = UINT32_MAX) { whole(value, min, max); }
  void i32(int32_t value, int32_t min = INT32_MIN, int32_t max = INT32_MAX) { whole(value, min, max); }
  /** `decimals` (0 to 6) digits after the point, rounded to nearest, halves away from zero. */
  void f32(float value, float min, float max, uint8_t decimals);
  void rgb(const Rgb& value);
  /** `names`, in flash: `drip,normal,flood`, in the order of the enum. */
  template <class Choice>
  void oneOf(Choice value, FlashText names) {
    nameAt(static_cast<uint8_t>(value), names);
  }
  template <size_t N>
  void text(const Text<N>& value) {
    if (value.isTooLong()) return refuse(Refusal::tooLong);
    textOctets(value.c_str(), value.length());
  }

  bool isOk() const { return refusal_ == Refusal::none; }
  Refusal refusal() const { return refusal_; }
  const char* octets() const { return octets_; }
  uint16_t length() const { return length_; }
  void reset() {
    length_ = 0;
    refusal_ = Refusal::none;
  }
  /** Adds the line feed that ends every line. */
  void end();

 private:
  void refuse(Refusal refusal);
  void put(char octet);
  void digits(uint64_t value, uint8_t atLeast);
  void big(uint32_t mantissa, uint8_t shift);
  void whole(int64_t value, int64_t min, int64_t max);
  void nameAt(uint8_t index, FlashText names);
  void textOctets(const char* from, uint8_t count);

  char* octets_;
  uint16_t capacity_;
  uint16_t length_ = 0;
  Refusal refusal_ = Refusal::none;
};

}  // namespace bu
