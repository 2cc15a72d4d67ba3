#include "bu_writer.h"

#include <string.h>

#include "bu_float.h"
#include "bu_octets.h"
#include "bu_utf8.h"

namespace bu {

void Writer::refuse(Refusal refusal) {
  if (isOk()) refusal_ = refusal;
}

void Writer::octets(const uint8_t* from, size_t count) {
  // The layout sizes every buffer for the largest message, so this refusal is a mistake of ours, not of the value.
  if (count > capacity_ - length_) refuse(Refusal::tooLong);
  if (!isOk() || count == 0) return;
  memcpy(octets_ + length_, from, count);
  length_ += count;
}

void Writer::number(uint32_t value, unsigned count, bool isInRange) {
  if (!isInRange) refuse(Refusal::outOfRange);
  uint8_t little[4];
  putLittle(little, value, count);
  octets(little, count);
}

void Writer::boolean(bool value) { number(value ? 1 : 0, 1, true); }

void Writer::u8(uint8_t value, uint8_t min, uint8_t max) { number(value, 1, value >= min && value <= max); }

void Writer::i8(int8_t value, int8_t min, int8_t max) {
  number(static_cast<uint8_t>(value), 1, value >= min && value <= max);
}

void Writer::u16(uint16_t value, uint16_t min, uint16_t max) { number(value, 2, value >= min && value <= max); }

void Writer::i16(int16_t value, int16_t min, int16_t max) {
  number(static_cast<uint16_t>(value), 2, value >= min && value <= max);
}

void Writer::u32(uint32_t value, uint32_t min, uint32_t max) { number(value, 4, value >= min && value <= max); }

void Writer::i32(int32_t value, int32_t min, int32_t max) {
  number(static_cast<uint32_t>(value), 4, value >= min && value <= max);
}

void Writer::f32(float value, float min, float max) {
  if (!isFinite(value)) return refuse(Refusal::notFinite);
  number(bitsOf(value), 4, value >= min && value <= max);
}

void Writer::rgb(const Rgb& value) {
  const uint8_t colour[3] = {value.red, value.green, value.blue};
  octets(colour, sizeof colour);
}

void Writer::index(uint8_t value, uint8_t count) {
  if (value >= count) return refuse(Refusal::badIndex);
  number(value, 1, true);
}

void Writer::textOctets(const uint8_t* from, uint8_t count) {
  if (!isUtf8(from, count)) return refuse(Refusal::badUtf8);
  counted(from, count);
}

void Writer::counted(const uint8_t* from, uint8_t count) {
  number(count, 1, true);
  octets(from, count);
}

}  // namespace bu
