#include "bu_proof.h"

#include <string.h>

#include "bu_flash.h"
#include "bu_octets.h"

namespace bu {

namespace {
constexpr size_t labelOctets = 8;
const char labels[] BU_FLASH = "bu1 unitbu1 basebu1 key";
}  // namespace

void derive(Label label, const uint8_t* first, const uint8_t* second, uint8_t* to) {
  const Identity& identity = port::identity();
  uint8_t text[labelOctets];
  copyFromFlash(text, labels + labelOctets * static_cast<size_t>(label), labelOctets);
  hmac::begin(identity.key, keyOctets);
  hmac::add(text, label == Label::key ? labelOctets - 1 : labelOctets);
  hmac::add(identity.uid, uidOctets);
  hmac::add(first, nonceOctets);
  hmac::add(second, nonceOctets);
  hmac::finish(to);
}

void tagOf(const uint8_t* key, Direction direction, uint64_t counter, const uint8_t* transmission, size_t length,
           uint8_t* to) {
  uint8_t whole[hmac::octets];
  whole[0] = static_cast<uint8_t>(direction);
  putBig(whole + 1, static_cast<uint32_t>(counter >> 32), 4);
  putBig(whole + 5, static_cast<uint32_t>(counter), 4);
  hmac::begin(key, hmac::octets);
  hmac::add(whole, 9);
  hmac::add(transmission, length);
  hmac::finish(whole);
  memcpy(to, whole, tagOctets);
}

bool equalInConstantTime(const uint8_t* a, const uint8_t* b, size_t count) {
  uint8_t difference = 0;
  for (size_t index = 0; index < count; ++index) difference = static_cast<uint8_t>(difference | (a[index] ^ b[index]));
  return difference == 0;
}

}  // namespace bu
