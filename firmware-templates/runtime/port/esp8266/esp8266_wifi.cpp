#if defined(ARDUINO_ARCH_ESP8266)

#include "esp8266_wifi.h"

#include <Arduino.h>
#include <ESP8266WiFi.h>

#include "../../bu_announcement.h"

namespace bu::esp8266 {

namespace {

/** An attempt is left alone for this long: association and DHCP take seconds. */
constexpr uint32_t attemptMs = 10'000;
/** Then, after a random part of a pause that doubles between these two, comes the next one. */
constexpr uint32_t firstPauseMs = 1'000;
constexpr uint32_t lastPauseMs = 60'000;
/** For so long after an attempt began the SDK may still tell of what was before. */
constexpr uint32_t settleMs = 500;

const Settings* joining = nullptr;
uint32_t attemptAt = 0;
uint32_t waitMs = 0;
uint32_t pauseMs = firstPauseMs;

void attempt(uint32_t now) {
  attemptAt = now;
  // Full jitter: a street of units does not come back in step after a power cut.
  waitMs = attemptMs + ESP.random() % pauseMs;
  pauseMs = pauseMs >= lastPauseMs / 2 ? lastPauseMs : pauseMs * 2;
  if (joining->wifiName.length() > 0) WiFi.begin(joining->wifiName.c_str(), joining->wifiPassword.c_str());
}

bool isSettling(uint32_t now) { return static_cast<uint32_t>(now - attemptAt) < settleMs; }

bool isPlain(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9');
}

}  // namespace

void beginWifi(const Settings& settings) {
  // The credentials are in our own settings; a second copy in the SDK's would only wear its flash.
  WiFi.persistent(false);
  WiFi.mode(WIFI_STA);
  WiFi.setAutoReconnect(false);
  joinWifi(settings);
}

void joinWifi(const Settings& settings) {
  joining = &settings;
  char host[hostNameOctets];
  hostName(settings, host);
  WiFi.disconnect();
  WiFi.hostname(host);
  pauseMs = firstPauseMs;
  attempt(static_cast<uint32_t>(millis()));
}

WifiState wifiState() {
  if (isSettling(static_cast<uint32_t>(millis()))) return WifiState::joining;
  switch (WiFi.status()) {
    case WL_CONNECTED:
      return WifiState::joined;
    case WL_CONNECT_FAILED:
    case WL_WRONG_PASSWORD:
      return WifiState::refused;
    default:
      // That no access point has this name may be the scan's fault: it is looked for again.
      return WifiState::joining;
  }
}

bool loopWifi(uint32_t now) {
  if (isSettling(now)) return false;
  if (WiFi.status() != WL_CONNECTED) {
    if (static_cast<uint32_t>(now - attemptAt) >= waitMs) attempt(now);
    return false;
  }
  // Lost after it was there: the next attempt is made at once.
  pauseMs = firstPauseMs;
  waitMs = 0;
  return true;
}

void hostName(const Settings& settings, char* to) {
  const size_t length = settings.uid.length();
  for (size_t index = 0; index < length; ++index) {
    const char letter = settings.uid.c_str()[index];
    to[index] = isPlain(letter) ? letter : '-';
  }
  to[length] = '\0';
  if (length > 0) return;
  constexpr uint8_t tailOctets = 3;
  uint8_t mac[6];
  WiFi.macAddress(mac);
  static const char start[] BU_FLASH = "unit-";
  constexpr size_t startOctets = sizeof start - 1;
  copyFromFlash(to, start, startOctets);
  putHex(to + startOctets, mac + sizeof mac - tailOctets, tailOctets);
}

}  // namespace bu::esp8266

#endif
