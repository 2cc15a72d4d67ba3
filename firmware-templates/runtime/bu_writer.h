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
 * Encodes fields from front to back (wire/unit.md, "Fields"), refusing what a decoder would refuse. The first refusal
 * stays and nothing is written after it. Never writes past the capacity. Borrows the buffer.
 */
class Writer {
 public:
  constexpr Writer(uint8_t* octets, size_t capacity) : octets_(octets), capacity_(capacity) {}

  /** The index, in declared order, of the field that is written next. */
  void field(uint8_t index) {
    if (isOk()) field_ = index;
  }

  void boolean(bool value) { natural(value ? 1 : 0, 1, 0, 1); }
  void u8(uint8_t value, uint8_t min = 0, uint8_t max = UINT8_MAX) { natural(value, 1, min, max); }
  void i8(int8_t value, int8_t min = INT8_MIN, int8_t max = INT8_MAX) { integer(value, 1, min, max); }
  void u16(uint16_t value, uint16_t min = 0, uint16_t max = UINT16_MAX) { natural(value, 2, min, max); }
  void i16(int16_t value, int16_t min = INT16_MIN, int16_t max = INT16_MAX) { integer(value, 2, min, max); }
  void u32(uint32_t value, uint32_t min = 0, uint32_t max = UINT32_MAX) { natural(value, 4, min, max); }
  void i32(int32_t value, int32_t min = INT32_MIN, int32_t max = INT32_MAX) { integer(value, 4, min, max); }
  /** Bounds are the definition's, rounded to f32. */
  void f32(float value, float min, float max);
  void rgb(const Rgb& value);
  template <class Choice>
  void oneOf(Choice value, uint8_t count) {
    index(static_cast<uint8_t>(value), count);
  }
  template <size_t N>
  void text(const Text<N>& value) {
    if (value.isTooLong()) return refuse(Refusal::tooLong);
    textOctets(reinterpret_cast<const uint8_t*>(value.c_str()), value.length());
  }
  template <size_t N>
  void bytes(const Bytes<N>& value) {
    if (value.isTooLong()) return refuse(Refusal::tooLong);
    counted(value.octets(), value.length());
  }
  /** `writeItem(Writer&, const Item&)` writes one item. */
  template <class Item, size_t N, class WriteItem>
  void list(const List<Item, N>& value, WriteItem writeItem) {
    if (value.isTooMany()) return refuse(Refusal::tooMany);
    u8(value.count());
    for (const Item& item : value) writeItem(*this, item);
  }

  /** Room for so many octets; null after a refusal. */
  uint8_t* take(size_t count);
  size_t room() const { return capacity_ - length_; }
  /** What was written, from that octet on. */
  const uint8_t* from(size_t index) const { return octets_ + index; }
  void clear() { length_ = 0; }
  /** Octets as they are. */
  void octets(const uint8_t* from, size_t count);

  bool isOk() const { return refusal_ == Refusal::none; }
  Refusal refusal() const { return refusal_; }
  /** The refused field's index. */
  uint8_t failedField() const { return field_; }
  /** Octets written; of no use after a refusal. */
  size_t length() const { return length_; }

 private:
  void refuse(Refusal refusal);
  void number(uint32_t value, size_t octets, bool isInRange);
  void natural(uint32_t value, size_t octets, uint32_t min, uint32_t max) { number(value, octets, value >= min && value <= max); }
  void integer(int32_t value, size_t octets, int32_t min, int32_t max) {
    number(static_cast<uint32_t>(value), octets, value >= min && value <= max);
  }
  void index(uint8_t value, uint8_t count);
  void textOctets(const uint8_t* from, uint8_t count);
  void counted(const uint8_t* from, uint8_t count);

  uint8_t* octets_;
  size_t capacity_;
  size_t length_ = 0;
  Refusal refusal_ = Refusal::none;
  uint8_t field_ = 0;
};

}  // namespace bu
