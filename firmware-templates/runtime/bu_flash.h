#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// On the chips constants lie in RAM unless they are told to stay in flash. An ESP8266 reads flash in words only, an AVR has
// it in an address space of its own: whatever is marked BU_FLASH is read with the two functions below and nothing else.
#if defined(ARDUINO_ARCH_ESP8266)
#include <pgmspace.h>
#define BU_FLASH PROGMEM
#elif defined(ARDUINO_ARCH_AVR)
#include <avr/pgmspace.h>
#define BU_FLASH PROGMEM
#else
#define BU_FLASH
#endif

namespace bu {

/** Text in flash: where it begins and its octets, without a closing zero. */
struct FlashText {
  const char* at;
  uint16_t length;
};

/** `static const char name[] BU_FLASH = "led-lamp";` as a FlashText. */
template <size_t N>
constexpr FlashText flashText(const char (&text)[N]) {
  static_assert(N >= 1 && N - 1 <= UINT16_MAX, "text in flash has at most 65 535 octets");
  return {text, static_cast<uint16_t>(N - 1)};
}

inline void copyFromFlash(void* to, const void* from, size_t count) {
#if defined(PROGMEM)
  memcpy_P(to, from, count);
#else
  memcpy(to, from, count);
#endif
}

inline uint8_t octetFromFlash(const void* from) {
#if defined(PROGMEM)
  return pgm_read_byte(from);
#else
  return *static_cast<const uint8_t*>(from);
#endif
}

}  // namespace bu
