#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_bytes.h"
#include "bu_list.h"
#include "bu_refusal.h"
#include "bu_rgb.h"
#include "bu_text.h"

namespace bu {

/**
 * Decodes fields from front to back (wire/unit.md, "Fields"). The first refusal stays: later reads give zeros and
 * change nothing, so that one check at the end is enough. Never reads past the end. Borrows the octets.
 */
class Reader {
 public:
  constexpr Reader(const uint8_t* octets, size_t count) : octets_(octets), left_(count) {}

  /** The index, in declared order, of the field that is read next. */
  void field(uint8_t index) {
    if (isOk()) field_ = index;
  }

  bool boolean();
  uint8_t u8(uint8_t min = 0, uint8_t max = UINT8_MAX) { return static_cast<uint8_t>(natural(1, min, max)); }
  int8_t i8(int8_t min = INT8_MIN, int8_t max = INT8_MAX) { return static_cast<int8_t>(integer(1, min, max)); }
  uint16_t u16(uint16_t min = 0, uint16_t max = UINT16_MAX) { return static_cast<uint16_t>(natural(2, min, max)); }
  int16_t i16(int16_t min = INT16_MIN, int16_t max = INT16_MAX) { return static_cast<int16_t>(integer(2, min, max)); }
  uint32_t u32(uint32_t min = 0, uint32_t max = UINT32_MAX) { return natural(4, min, max); }
  int32_t i32(int32_t min = INT32_MIN, int32_t max = INT32_MAX) { return integer(4, min, max); }
  /** Bounds are the definition's, rounded to f32. */
  float f32(float min, float max);
  Rgb rgb();
  /** `Mode` is an `enum class Mode : uint8_t` whose values count from 0 to `count` − 1. */
  template <class Choice>
  Choice oneOf(uint8_t count) {
    return static_cast<Choice>(index(count));
  }
  template <size_t N>
  void text(Text<N>& value) {
    const uint8_t length = lengthUpTo(N);
    const uint8_t* octets = take(length);
    if (isUtf8(octets, length)) value.set(reinterpret_cast<const char*>(octets), length);
  }
  template <size_t N>
  void bytes(Bytes<N>& value) {
    const uint8_t length = lengthUpTo(N);
    const uint8_t* octets = take(length);
    if (isOk()) value.set(octets, length);
  }
  /** `readItem(Reader&, Item&)` reads one item. */
  template <class Item, size_t N, class ReadItem>
  void list(List<Item, N>& value, ReadItem readItem) {
    value.clear();
    const uint8_t count = countUpTo(N);
    for (uint8_t index = 0; index < count && isOk(); ++index) readItem(*this, value.next());
  }

  /** Call after the last field: octets left over are refused. True when everything was as it must be. */
  bool finish();

  bool isOk() const { return refusal_ == Refusal::none; }
  Refusal refusal() const { return refusal_; }
  /** The refused field's index; `noField` for octets left over. */
  uint8_t failedField() const { return field_; }

  /** The next octets as they are; null when there are not so many. */
  const uint8_t* take(size_t count);

 private:
  void refuse(Refusal refusal);
  uint32_t number(size_t octets);
  uint32_t natural(size_t octets, uint32_t min, uint32_t max);
  int32_t integer(size_t octets, int32_t min, int32_t max);
  uint8_t index(uint8_t count);
  uint8_t lengthUpTo(size_t bound);
  uint8_t countUpTo(size_t bound);
  bool isUtf8(const uint8_t* octets, size_t length);

  const uint8_t* octets_;
  size_t left_;
  Refusal refusal_ = Refusal::none;
  uint8_t field_ = 0;
};

}  // namespace bu
