#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_flash.h"
#include "bu_refusal.h"
#include "bu_rgb.h"
#include "bu_text.h"

namespace bu {

/**
 * The value in a line of text (wire/unit.md, "Line units"), checked as Reader checks octets: decimal, `true`/`false`,
 * `#rrggbb` or an HTML colour name, a oneOf's value by name, or the text itself. Blanks around it do not matter, except
 * in a text. Text that is no such value at all: `wrongType`. Borrows the line.
 */
class LineValue {
 public:
  constexpr LineValue(const char* line, size_t length) : line_(line), length_(length) {}

  bool boolean();
  uint8_t u8(uint8_t min = 0, uint8_t max = UINT8_MAX) { return static_cast<uint8_t>(whole(min, max)); }
  int8_t i8(int8_t min = INT8_MIN, int8_t max = INT8_MAX) { return static_cast<int8_t>(whole(min, max)); }
  uint16_t u16(uint16_t min = 0, uint16_t max = UINT16_MAX) { return static_cast<uint16_t>(whole(min, max)); }
  int16_t i16(int16_t min = INT16_MIN, int16_t max = INT16_MAX) { return static_cast<int16_t>(whole(min, max)); }
  uint32_t u32(uint32_t min = 0, uint32_t max = UINT32_MAX) { return static_cast<uint32_t>(whole(min, max)); }
  int32_t i32(int32_t min = INT32_MIN, int32_t max = INT32_MAX) { return static_cast<int32_t>(whole(min, max)); }
  float f32(float min, float max);
  Rgb rgb();
  /** `names`, in flash: `drip,normal,flood`, in the order of the enum. */
  template <class Choice>
  Choice oneOf(FlashText names) {
    return static_cast<Choice>(indexIn(names, Refusal::badIndex));
  }
  template <size_t N>
  void text(Text<N>& value) {
    if (length_ > N) return refuse(Refusal::tooLong);
    if (isUtf8()) value.set(line_, length_);
  }

  bool isOk() const { return refusal_ == Refusal::none; }
  Refusal refusal() const { return refusal_; }

 private:
  void refuse(Refusal refusal);
  void trim();
  int64_t whole(int64_t min, int64_t max);
  /** 0, and refused, when it is none of them. */
  uint8_t indexIn(FlashText names, Refusal otherwise);
  bool isUtf8();

  const char* line_;
  size_t length_;
  Refusal refusal_ = Refusal::none;
};

}  // namespace bu
