#include "bu_writer.h"

#include <string.h>

#include "bu_float.h"
#include "bu_octets.h"
#include "bu_utf8.h"

namespace bu {

void Writer::refuse(Refusal refusal) {
  if (isOk()) refusal_ = refusal;
}

uint8_t* Writer::take(size_t count) {
  // The layout sizes every buffer for the largest message, so this refusal is a mistake of ours, not of the value.
  if (count > capacity_ - length_) refuse(Refusal::tooLong);
  if (!isOk()) return nullptr;
  length_ += count;
  return octets_ + length_ - count;
}

void Writer::octets(const uint8_t* from, size_t count) {
  uint8_t* to = take(count);
  if (to != nullptr && count > 0) memcpy(to, from, count);
}

void Writer::number(uint32_t value, size_t count, bool isInRange) {
  if (!isInRange) refuse(Refusal::outOfRange);
  uint8_t* to = take(count);
  if (to != nullptr) putLittle(to, value, count);
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
