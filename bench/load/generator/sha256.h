#pragma once

#include <stddef.h>
#include <stdint.h>

#define SHA256_OCTETS 32

/* SHA-256 of FIPS 180-4, over parts given one after the other. */
struct sha256 {
  uint32_t state[8];
  uint64_t length;
  uint8_t block[64];
};

void sha256_start(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *octets, size_t length);
void sha256_finish(struct sha256 *hash, uint8_t digest[SHA256_OCTETS]);

/* HMAC-SHA256 of RFC 2104. */
void hmac_sha256(const void *key, size_t key_length, const void *message, size_t length, uint8_t mac[SHA256_OCTETS]);
