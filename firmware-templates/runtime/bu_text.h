#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

namespace bu {

/**
 * Text of at most N octets of UTF-8, held in place and closed by a zero for printf and the like (text may itself
 * contain zeros: `length()` counts). Text that did not fit is remembered as such, and refused (`tooLong`) when sent.
 */
template <size_t N>
class Text {
  static_assert(N >= 1 && N <= 255, "a text field has 1 to 255 octets");

 public:
  static constexpr size_t capacity = N;

  constexpr Text() = default;
  constexpr Text(const char* text) { set(text); }
  constexpr Text(const char* text, size_t length) { set(text, length); }

  /** False when it does not fit; the text is then empty and refused when sent. */
  constexpr bool set(const char* text) {
    size_t length = 0;
    while (length <= N && text[length] != '\0') ++length;
    return set(text, length);
  }
  constexpr bool set(const char* text, size_t length) {
    tooLong_ = length > N;
    length_ = tooLong_ ? 0 : static_cast<uint8_t>(length);
    for (size_t index = 0; index < length_; ++index) octets_[index] = text[index];
    octets_[length_] = '\0';
    return !tooLong_;
  }
  /** As much of it as fits, cut between two characters. */
  constexpr void setCut(const char* text) {
    size_t length = 0;
    while (length <= N && text[length] != '\0') ++length;
    if (length > N) {
      length = N;
      while (length > 0 && (static_cast<uint8_t>(text[length]) & 0xC0U) == 0x80U) --length;
    }
    set(text, length);
  }

  constexpr const char* c_str() const { return octets_; }
  constexpr uint8_t length() const { return length_; }
  constexpr bool isTooLong() const { return tooLong_; }
  bool operator==(const char* text) const { return strlen(text) == length_ && memcmp(text, octets_, length_) == 0; }
  bool operator!=(const char* text) const { return !(*this == text); }

 private:
  char octets_[N + 1] = {};
  uint8_t length_ = 0;
  bool tooLong_ = false;
};

static_assert(sizeof(Text<8>) == 11, "octets, closing zero, length, mark");

}  // namespace bu
