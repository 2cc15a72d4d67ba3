#include "bu_reader.h"

#include "bu_float.h"
#include "bu_octets.h"
#include "bu_utf8.h"

namespace bu {

void Reader::refuse(Refusal refusal) {
  if (isOk()) refusal_ = refusal;
}

const uint8_t* Reader::take(size_t count) {
  if (count > left_) refuse(Refusal::tooShort);
  if (!isOk()) return nullptr;
  const uint8_t* at = octets_;
  octets_ += count;
  left_ -= count;
  return at;
}

bool Reader::finish() {
  if (isOk() && left_ > 0) {
    field_ = noField;
    refuse(Refusal::leftOver);
  }
  return isOk();
}

bool Reader::boolean() {
  const uint8_t* at = take(1);
  if (at == nullptr) return false;
  if (*at > 1) refuse(Refusal::notBool);
  return *at == 1;
}

uint8_t Reader::u8(uint8_t min, uint8_t max) {
  const uint8_t* at = take(1);
  if (at == nullptr) return 0;
  if (*at < min || *at > max) refuse(Refusal::outOfRange);
  return *at;
}

int8_t Reader::i8(int8_t min, int8_t max) {
  const uint8_t* at = take(1);
  if (at == nullptr) return 0;
  const int8_t value = static_cast<int8_t>(*at);
  if (value < min || value > max) refuse(Refusal::outOfRange);
  return value;
}

uint16_t Reader::u16(uint16_t min, uint16_t max) {
  const uint8_t* at = take(2);
  if (at == nullptr) return 0;
  const uint16_t value = littleU16(at);
  if (value < min || value > max) refuse(Refusal::outOfRange);
  return value;
}

int16_t Reader::i16(int16_t min, int16_t max) {
  const uint8_t* at = take(2);
  if (at == nullptr) return 0;
  const int16_t value = static_cast<int16_t>(littleU16(at));
  if (value < min || value > max) refuse(Refusal::outOfRange);
  return value;
}

uint32_t Reader::u32(uint32_t min, uint32_t max) {
  const uint8_t* at = take(4);
  if (at == nullptr) return 0;
  const uint32_t value = littleU32(at);
  if (value < min || value > max) refuse(Refusal::outOfRange);
  return value;
}

int32_t Reader::i32(int32_t min, int32_t max) {
  const uint8_t* at = take(4);
  if (at == nullptr) return 0;
  const int32_t value = static_cast<int32_t>(littleU32(at));
  if (value < min || value > max) refuse(Refusal::outOfRange);
  return value;
}

float Reader::f32(float min, float max) {
  const uint8_t* at = take(4);
  if (at == nullptr) return 0;
  const float value = floatOf(littleU32(at));
  if (!isFinite(value)) {
    refuse(Refusal::notFinite);
  } else if (value < min || value > max) {
    refuse(Refusal::outOfRange);
  }
  return value;
}

Rgb Reader::rgb() {
  const uint8_t* at = take(3);
  if (at == nullptr) return {};
  return {at[0], at[1], at[2]};
}

uint8_t Reader::index(uint8_t count) {
  const uint8_t* at = take(1);
  if (at == nullptr) return 0;
  if (*at < count) return *at;
  refuse(Refusal::badIndex);
  return 0;
}

uint8_t Reader::lengthUpTo(size_t bound) {
  const uint8_t length = u8();
  if (length > bound) refuse(Refusal::tooLong);
  return isOk() ? length : 0;
}

uint8_t Reader::countUpTo(size_t bound) {
  const uint8_t count = u8();
  if (count > bound) refuse(Refusal::tooMany);
  return isOk() ? count : 0;
}

bool Reader::isUtf8(const uint8_t* octets, size_t length) {
  if (!isOk()) return false;
  if (!bu::isUtf8(octets, length)) refuse(Refusal::badUtf8);
  return isOk();
}

}  // namespace bu
