#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__XTENSA__)
// As in the core: constants marked so lie in flash, each in a section of its own, and are read in whole words.
#define BU_STUB_TEXT(a) #a
#define BU_STUB_SECTION(line, count) ".irom.text." BU_STUB_TEXT(line) "." BU_STUB_TEXT(count)
#define PROGMEM __attribute__((section(BU_STUB_SECTION(__LINE__, __COUNTER__))))

#if defined(BU_STUB_EMULATED)
// The emulator would let them be read like any others: there they are not where they seem to be (chip/support/chip.ld).
constexpr uintptr_t flashDistance = 0x40000;
#else
constexpr uintptr_t flashDistance = 0;
#endif

static inline uint8_t pgm_read_byte(const void* address) {
  const uintptr_t at = reinterpret_cast<uintptr_t>(address) + flashDistance;
  return static_cast<uint8_t>(*reinterpret_cast<const uint32_t*>(at & ~uintptr_t{3}) >> ((at & 3) * 8));
}

extern "C" void* memcpy_P(void* to, const void* from, size_t count);
#else
// A host reads all its memory octet by octet, and a section of it is like any other.
#define PROGMEM
#define pgm_read_byte(address) (*reinterpret_cast<const uint8_t*>(address))

inline void* memcpy_P(void* to, const void* from, size_t count) { return memcpy(to, from, count); }
#endif
