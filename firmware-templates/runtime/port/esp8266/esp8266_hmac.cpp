#if defined(ARDUINO_ARCH_ESP8266)

#include <bearssl/bearssl_hmac.h>
#include <string.h>

#include "../../bu_hmac.h"

namespace bu::hmac {

namespace {
// 412 octets: too much for the stack of a loop.
br_hmac_key_context keyContext;
br_hmac_context context;
}  // namespace

void begin(const uint8_t* key, size_t keyLength) {
  br_hmac_key_init(&keyContext, &br_sha256_vtable, key, keyLength);
  br_hmac_init(&context, &keyContext, 0);
}

void add(const void* from, size_t count) { br_hmac_update(&context, from, count); }

void finish(uint8_t* to) {
  br_hmac_out(&context, to);
  memset(&keyContext, 0, sizeof keyContext);
  memset(&context, 0, sizeof context);
}

}  // namespace bu::hmac

#endif
