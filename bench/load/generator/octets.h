#pragma once

#include <stddef.h>
#include <stdint.h>

/* Integers on the wire are big-endian. */
static inline void put_u16(uint8_t *at, unsigned value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

static inline unsigned get_u16(const uint8_t *at) { return (unsigned)at[0] << 8 | at[1]; }

static inline void put_u32(uint8_t *at, uint32_t value) {
  for (int octet = 0; octet < 4; octet += 1) at[octet] = (uint8_t)(value >> (24 - 8 * octet));
}

static inline uint32_t get_u32(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void put_u64(uint8_t *at, uint64_t value) {
  put_u32(at, (uint32_t)(value >> 32));
  put_u32(at + 4, (uint32_t)value);
}

static inline uint64_t get_u64(const uint8_t *at) { return (uint64_t)get_u32(at) << 32 | get_u32(at + 4); }
