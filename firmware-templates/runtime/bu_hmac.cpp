#if !defined(ARDUINO_ARCH_ESP8266)

#include "bu_hmac.h"

#include <string.h>

#include "bu_sha256.h"

namespace bu::hmac {

namespace {
Sha256 hash;
uint8_t pad[Sha256::blockOctets];

void mask(uint8_t with) {
  for (uint8_t& octet : pad) octet = static_cast<uint8_t>(octet ^ with);
}
}  // namespace

void begin(const uint8_t* key, size_t keyLength) {
  memset(pad, 0, sizeof pad);
  hash.reset();
  if (keyLength > sizeof pad) {
    hash.add(key, keyLength);
    hash.finish(pad);
    hash.reset();
  } else {
    memcpy(pad, key, keyLength);
  }
  mask(0x36);
  hash.add(pad, sizeof pad);
}

void add(const void* from, size_t count) { hash.add(from, count); }

void finish(uint8_t* to) {
  uint8_t inner[Sha256::digestOctets];
  hash.finish(inner);
  hash.reset();
  mask(0x36 ^ 0x5c);
  hash.add(pad, sizeof pad);
  hash.add(inner, sizeof inner);
  hash.finish(to);
  hash = Sha256();
  memset(pad, 0, sizeof pad);
}

}  // namespace bu::hmac

#endif
