#include "bu_settings.h"

#include <string.h>

namespace bu {

namespace {

/** uid:text | mark:8 (1: a key is set) | key:16 | Wi-Fi name:text | password:text | base:text; text = length:8 octets. */
constexpr size_t usedOctets =
    1 + uidOctets + 1 + keyOctets + 1 + maxWifiName + 1 + maxWifiPassword + 1 + maxBaseAddress;
static_assert(usedOctets <= settingsOctets && settingsOctets % 4 == 0, "the settings' place in flash is too small");

template <size_t N>
uint8_t* put(uint8_t* to, const Text<N>& text) {
  *to++ = text.length();
  memcpy(to, text.c_str(), text.length());
  return to + text.length();
}

/** Null when the text is longer than it may be. Room for the longest was checked before. */
template <size_t N>
const uint8_t* take(const uint8_t* from, Text<N>& text) {
  if (from == nullptr || from[0] > N) return nullptr;
  text.set(reinterpret_cast<const char*>(from + 1), from[0]);
  return from + 1 + from[0];
}

}  // namespace

Identity identityOf(const Settings& settings) {
  Identity made = {};
  memcpy(made.uid + uidOctets - settings.uid.length(), settings.uid.c_str(), settings.uid.length());
  if (settings.hasKey) memcpy(made.key, settings.key, keyOctets);
  return made;
}

bool parseBaseAddress(const char* text, BaseAddress& to) {
  const char* colon = strrchr(text, ':');
  const bool isBracketed = text[0] == '[';
  const char* bracket = isBracketed ? strchr(text, ']') : nullptr;
  if (isBracketed && bracket == nullptr) return false;
  if (colon != nullptr && bracket != nullptr && colon < bracket) colon = nullptr;
  // More than one colon and no brackets: nobody can say where the port begins.
  if (!isBracketed && colon != strchr(text, ':')) return false;
  const char* hostEnd = colon != nullptr ? colon : text + strlen(text);
  if (bracket != nullptr && hostEnd != bracket + 1) return false;
  const char* host = isBracketed ? text + 1 : text;
  const size_t length = static_cast<size_t>((isBracketed ? bracket : hostEnd) - host);
  if (length == 0 || length > maxBaseAddress) return false;
  for (size_t index = 0; index < length; ++index) {
    if (host[index] <= ' ' || host[index] > '~') return false;
  }
  uint32_t port = defaultUnitPort;
  if (colon != nullptr) {
    const size_t digits = strlen(colon + 1);
    if (digits == 0 || digits > 5) return false;
    port = 0;
    for (const char* at = colon + 1; *at != '\0'; ++at) {
      if (*at < '0' || *at > '9') return false;
      port = port * 10 + static_cast<uint32_t>(*at - '0');
    }
    if (port == 0 || port > UINT16_MAX) return false;
  }
  memcpy(to.host, host, length);
  to.host[length] = '\0';
  to.port = static_cast<uint16_t>(port);
  return true;
}

void encodeSettings(const Settings& settings, uint8_t* to) {
  memset(to, 0, settingsOctets);
  to = put(to, settings.uid);
  *to++ = settings.hasKey ? 1 : 0;
  if (settings.hasKey) memcpy(to, settings.key, keyOctets);
  to = put(to + keyOctets, settings.wifiName);
  to = put(to, settings.wifiPassword);
  put(to, settings.base);
}

bool decodeSettings(const uint8_t* from, size_t count, Settings& to) {
  to = Settings();
  if (count != settingsOctets) return false;
  const uint8_t* at = take(from, to.uid);
  if (at != nullptr && at[0] <= 1) {
    to.hasKey = at[0] == 1;
    memcpy(to.key, at + 1, keyOctets);
    at = take(at + 1 + keyOctets, to.wifiName);
    at = take(at, to.wifiPassword);
    at = take(at, to.base);
    if (at != nullptr) return true;
  }
  to = Settings();
  return false;
}

}  // namespace bu
