#pragma once

#include <stddef.h>
#include <stdint.h>

namespace bu {

/** The longest line, in octets, its end not counted (reference/limits.md, "Firmware"). */
constexpr uint16_t maxLineOctets = 512;
/** Text from the channel is handed on as it is up to this length (wire/unit.md, "Line units"). */
constexpr uint16_t minLineOctets = 64;

/** The longest line that a unit keeps whose values take at most `valueOctets` as text. */
constexpr uint16_t lineOctetsFor(uint16_t valueOctets) {
#if defined(ARDUINO_ARCH_AVR)
  // 2 KiB of RAM are all there is: no room for blanks around the longest value.
  return valueOctets < minLineOctets ? minLineOctets : valueOctets;
#else
  return valueOctets < maxLineOctets ? maxLineOctets : valueOctets;
#endif
}

/** Splits octets into lines ended by `\r`, `\n` or both together. A line that is too long is ignored to its end. */
class LineReader {
 public:
  /** Borrows the memory of a line. */
  constexpr LineReader(char* line, uint16_t capacity) : line_(line), capacity_(capacity) {}

  /** True when this octet ended a line; `line()` is then valid until the next call. */
  bool push(char octet);
  void reset();

  const char* line() const { return line_; }
  size_t length() const { return ended_; }

 private:
  char* line_;
  uint16_t capacity_;
  uint16_t filled_ = 0;
  uint16_t ended_ = 0;
  bool isAfterCr_ = false;
  bool isTooLong_ = false;
};

}  // namespace bu
