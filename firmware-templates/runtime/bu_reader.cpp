#include "bu_reader.h"

#include "bu_float.h"
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

/** Little-endian; 0 when it is not there. */
uint32_t Reader::number(size_t octets) {
  const uint8_t* at = take(octets);
  uint32_t value = 0;
  if (at == nullptr) return value;
  for (size_t left = octets; left > 0; --left) value = value << 8 | at[left - 1];
  return value;
}

uint32_t Reader::natural(size_t octets, uint32_t min, uint32_t max) {
  const uint32_t value = number(octets);
  if (value < min || value > max) refuse(Refusal::outOfRange);
  return value;
}

int32_t Reader::integer(size_t octets, int32_t min, int32_t max) {
  const size_t unused = 32 - 8 * octets;
  const int32_t value = static_cast<int32_t>(number(octets) << unused) >> unused;
  if (value < min || value > max) refuse(Refusal::outOfRange);
  return value;
}

float Reader::f32(float min, float max) {
  const float value = floatOf(number(4));
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
