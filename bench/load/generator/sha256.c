#include "sha256.h"

#include <string.h>

#include "octets.h"

#define BLOCK_OCTETS 64

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotated(uint32_t word, int bits) { return word >> bits | word << (32 - bits); }

static void take_block(uint32_t state[8], const uint8_t *block) {
  uint32_t words[64];
  for (int i = 0; i < 16; i += 1) words[i] = get_u32(block + 4 * i);
  for (int i = 16; i < 64; i += 1) {
    const uint32_t near = words[i - 2], far = words[i - 15];
    words[i] = words[i - 16] + (rotated(far, 7) ^ rotated(far, 18) ^ far >> 3) + words[i - 7] +
               (rotated(near, 17) ^ rotated(near, 19) ^ near >> 10);
  }
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
  uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
  for (int i = 0; i < 64; i += 1) {
    const uint32_t first =
        h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & f) ^ (~e & g)) + constants[i] + words[i];
    const uint32_t second = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + first;
    d = c, c = b, b = a, a = first + second;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
  state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

void sha256_start(struct sha256 *hash) {
  static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memcpy(hash->state, first, sizeof first);
  hash->length = 0;
}

void sha256_add(struct sha256 *hash, const void *octets, size_t length) {
  const uint8_t *from = octets;
  while (length > 0) {
    const size_t used = hash->length % BLOCK_OCTETS;
    const size_t part = length < BLOCK_OCTETS - used ? length : BLOCK_OCTETS - used;
    memcpy(hash->block + used, from, part);
    hash->length += part;
    from += part;
    length -= part;
    if (used + part == BLOCK_OCTETS) take_block(hash->state, hash->block);
  }
}

void sha256_finish(struct sha256 *hash, uint8_t digest[SHA256_OCTETS]) {
  static const uint8_t padding[BLOCK_OCTETS] = {0x80};
  const uint64_t bits = hash->length * 8;
  const size_t used = hash->length % BLOCK_OCTETS;
  sha256_add(hash, padding, (used < 56 ? 56 : 120) - used);
  uint8_t length[8];
  put_u64(length, bits);
  sha256_add(hash, length, sizeof length);
  for (int i = 0; i < 8; i += 1) put_u32(digest + 4 * i, hash->state[i]);
}

void hmac_sha256(const void *key, size_t key_length, const void *message, size_t length, uint8_t mac[SHA256_OCTETS]) {
  uint8_t padded[BLOCK_OCTETS] = {0};
  struct sha256 hash;
  if (key_length > BLOCK_OCTETS) {
    sha256_start(&hash);
    sha256_add(&hash, key, key_length);
    sha256_finish(&hash, padded);
  } else {
    memcpy(padded, key, key_length);
  }
  for (int i = 0; i < BLOCK_OCTETS; i += 1) padded[i] ^= 0x36;
  sha256_start(&hash);
  sha256_add(&hash, padded, BLOCK_OCTETS);
  sha256_add(&hash, message, length);
  sha256_finish(&hash, mac);
  for (int i = 0; i < BLOCK_OCTETS; i += 1) padded[i] ^= 0x36 ^ 0x5c;
  sha256_start(&hash);
  sha256_add(&hash, padded, BLOCK_OCTETS);
  sha256_add(&hash, mac, SHA256_OCTETS);
  sha256_finish(&hash, mac);
}
