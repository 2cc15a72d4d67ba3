#pragma once

#include <stddef.h>
#include <stdint.h>

// HMAC-SHA256 (RFC 2104, FIPS 180-4). One at a time: its state is static, because a loop of an ESP8266 has 4 KiB of
// stack. On the ESP8266 the port gives it over BearSSL; elsewhere it is ours (bu_hmac.cpp).
namespace bu::hmac {

constexpr size_t octets = 32;

/** Begins; the key is not kept as such. */
void begin(const uint8_t* key, size_t keyLength);
void add(const void* from, size_t count);
/** Writes the 32 octets. Nothing of the key is left behind. */
void finish(uint8_t* to);

}  // namespace bu::hmac
