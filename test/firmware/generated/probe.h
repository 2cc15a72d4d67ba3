#pragma once

// What a probe needs beside its generated part: values as text, and back. One token a value, separated by blanks: bool 0
// or 1, whole numbers decimal, f32 its bits as hexadecimal digits, rgb six digits, oneOf its index, text and bytes `x` and
// their octets, a list its count and then its items. Values past their bounds can be written down as well as others.

#include <baseunit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace probe {

constexpr size_t maxLine = 16 * 1024;
constexpr size_t maxOctets = 2048;

inline uint8_t digitOf(char letter) {
  return static_cast<uint8_t>(letter <= '9' ? letter - '0' : letter - 'a' + 10);
}

/** Hexadecimal digits as octets; how many. */
inline size_t octetsOf(const char* digits, uint8_t* to) {
  size_t count = 0;
  for (; digits[0] != '\0' && digits[1] != '\0' && count < maxOctets; digits += 2) {
    to[count++] = static_cast<uint8_t>(digitOf(digits[0]) * 16 + digitOf(digits[1]));
  }
  return count;
}

inline void putOctets(const uint8_t* octets, size_t count) {
  for (size_t index = 0; index < count; ++index) printf("%02x", octets[index]);
}

inline const char* nextToken() {
  const char* token = strtok(nullptr, " ");
  if (token == nullptr) abort();
  return token;
}

inline void put(bool value) { printf(" %d", value ? 1 : 0); }
inline void put(const bu::Rgb& value) { printf(" %02x%02x%02x", value.red, value.green, value.blue); }
inline void put(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  printf(" %08x", static_cast<unsigned>(bits));
}
/** A whole number, or a oneOf. */
template <class T>
void put(T value) {
  printf(" %lld", static_cast<long long>(value));
}
template <size_t N>
void put(const bu::Text<N>& value) {
  if (value.c_str()[value.length()] != '\0') abort();
  printf(" x");
  putOctets(reinterpret_cast<const uint8_t*>(value.c_str()), value.length());
}
template <size_t N>
void put(const bu::Bytes<N>& value) {
  printf(" x");
  putOctets(value.octets(), value.length());
}
template <class Item, size_t N>
void put(const bu::List<Item, N>& value) {
  printf(" %d", value.count());
  for (const Item& item : value) put(item);
}

inline void take(bool& value) { value = nextToken()[0] == '1'; }
inline void take(bu::Rgb& value) {
  uint8_t octets[maxOctets];
  octetsOf(nextToken(), octets);
  value = {octets[0], octets[1], octets[2]};
}
inline void take(float& value) {
  const uint32_t bits = static_cast<uint32_t>(strtoul(nextToken(), nullptr, 16));
  memcpy(&value, &bits, sizeof value);
}
template <class T>
void take(T& value) {
  value = static_cast<T>(strtoll(nextToken(), nullptr, 10));
}
template <size_t N>
void take(bu::Text<N>& value) {
  uint8_t octets[maxOctets];
  const size_t count = octetsOf(nextToken() + 1, octets);
  value.set(reinterpret_cast<const char*>(octets), count);
}
template <size_t N>
void take(bu::Bytes<N>& value) {
  uint8_t octets[maxOctets];
  const size_t count = octetsOf(nextToken() + 1, octets);
  value.set(octets, count);
}
template <class Item, size_t N>
void take(bu::List<Item, N>& value) {
  value.clear();
  const unsigned long count = strtoul(nextToken(), nullptr, 10);
  for (unsigned long index = 0; index < count; ++index) {
    Item item{};
    take(item);
    value.add(item);
  }
}

inline void putRefusal(bu::Refusal refusal, uint8_t field) {
  const bu::FlashText name = bu::nameOf(refusal);
  printf("no ");
  for (uint16_t index = 0; index < name.length; ++index) printf("%c", bu::octetFromFlash(name.at + index));
  printf(" %d", field);
}

/** `decode` of a line: what became of these octets. The copy ends where they do, so that a sanitizer sees a read past it. */
template <class Message, class PutFields>
void answerDecode(const char* digits, PutFields putFields) {
  static uint8_t octets[maxOctets];
  const size_t count = octetsOf(digits, octets);
  uint8_t* exact = static_cast<uint8_t*>(malloc(count == 0 ? 1 : count));
  memcpy(exact, octets, count);
  Message value;
  bu::Reader in(exact, count);
  const bool isDecoded = decode(in, value);
  if (isDecoded != in.isOk()) abort();
  if (isDecoded) {
    printf("ok");
    putFields(value);
  } else {
    putRefusal(in.refusal(), in.failedField());
  }
  free(exact);
}

/** `encode` of a line: the octets of these values, in a buffer of just the size that the generated code says. */
template <class Message, class TakeFields>
void answerEncode(TakeFields takeFields) {
  Message value;
  takeFields(value);
  uint8_t* exact = static_cast<uint8_t*>(malloc(Message::maxOctets == 0 ? 1 : Message::maxOctets));
  bu::Writer out(exact, Message::maxOctets);
  const bool isEncoded = encode(out, value);
  if (isEncoded != out.isOk()) abort();
  if (isEncoded) {
    printf("ok ");
    putOctets(exact, out.length());
  } else {
    putRefusal(out.refusal(), out.failedField());
  }
  free(exact);
}

/** The texts of a unit and its fingerprint, as octets. */
template <size_t N, size_t V, size_t D>
void answerDescribe(const char (&name)[N], const char (&version)[V], const char (&descriptor)[D],
                    const uint8_t (&fingerprint)[bu::fingerprintOctets]) {
  const bu::FlashText texts[] = {bu::flashText(name), bu::flashText(version), bu::flashText(descriptor)};
  for (const bu::FlashText& text : texts) {
    putOctets(reinterpret_cast<const uint8_t*>(text.at), text.length);
    printf(" ");
  }
  putOctets(fingerprint, sizeof fingerprint);
}

/** The defaults of a message, as its struct has them. */
template <class Message, class PutFields>
void answerDefault(PutFields putFields) {
  printf("ok");
  putFields(Message{});
}

}  // namespace probe
