#if defined(ARDUINO_ARCH_ESP8266)

#include "esp8266_identity.h"

#if __has_include("secrets.h")
#include "secrets.h"
#else
#include "secrets.example.h"
#pragma message("no secrets.h found: built with secrets.example.h, which joins no Wi-Fi. Copy it to include/secrets.h")
#endif

namespace bu {

namespace {

constexpr int hexValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

constexpr bool isHex(const char* text) {
  while (*text != '\0') {
    if (hexValue(*text++) < 0) return false;
  }
  return true;
}

constexpr size_t uidLength = sizeof(secrets::uid) - 1;

static_assert(uidLength >= 1 && uidLength <= uidOctets, "secrets.h: uid must have 1 to 16 octets");
static_assert(sizeof(secrets::key) - 1 == 2 * keyOctets && isHex(secrets::key),
              "secrets.h: key must be 32 hexadecimal digits; `baseunit keys` makes one");

constexpr Identity makeIdentity() {
  Identity made = {};
  for (size_t index = 0; index < uidLength; ++index) {
    made.uid[uidOctets - uidLength + index] = static_cast<uint8_t>(secrets::uid[index]);
  }
  for (size_t index = 0; index < keyOctets; ++index) {
    made.key[index] =
        static_cast<uint8_t>(hexValue(secrets::key[2 * index]) * 16 + hexValue(secrets::key[2 * index + 1]));
  }
  return made;
}

constexpr Identity ours = makeIdentity();

constexpr bool isKeySet() {
  for (const uint8_t octet : ours.key) {
    if (octet != 0) return true;
  }
  return false;
}

}  // namespace

namespace esp8266 {

const char* uidText() { return secrets::uid; }
const char* wifiName() { return secrets::wifiName; }
const char* wifiPassword() { return secrets::wifiPassword; }
bool hasKey() { return isKeySet(); }

}  // namespace esp8266

const Identity& port::identity() { return ours; }

}  // namespace bu

#endif
