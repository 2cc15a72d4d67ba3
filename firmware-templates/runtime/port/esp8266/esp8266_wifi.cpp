#if defined(ARDUINO_ARCH_ESP8266)

#include "esp8266_wifi.h"

#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <ESP8266mDNS.h>

#include "esp8266_identity.h"

namespace bu::esp8266 {

namespace {

/** An attempt is left alone for this long: association and DHCP take seconds. */
constexpr uint32_t attemptMs = 10'000;
/** Then, after a random part of a pause that doubles between these two, comes the next one. */
constexpr uint32_t firstPauseMs = 1'000;
constexpr uint32_t lastPauseMs = 60'000;

const UnitDescription* announced = nullptr;
bool isAnnounced = false;
uint32_t attemptAt = 0;
uint32_t waitMs = attemptMs;
uint32_t pauseMs = firstPauseMs;

void attempt() {
  attemptAt = static_cast<uint32_t>(millis());
  uint32_t random = 0;
  ESP.random(reinterpret_cast<uint8_t*>(&random), sizeof random);
  // Full jitter: a street of units does not come back in step after a power cut.
  waitMs = attemptMs + random % pauseMs;
  pauseMs = pauseMs >= lastPauseMs / 2 ? lastPauseMs : pauseMs * 2;
  if (wifiName()[0] != '\0') WiFi.begin(wifiName(), wifiPassword());
}

/** Letters, digits and hyphens of the UID: what a host name may have. */
void hostName(char* to, size_t capacity) {
  size_t length = 0;
  for (const char* at = uidText(); *at != '\0' && length + 1 < capacity; ++at) {
    const bool isPlain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
    to[length++] = isPlain ? *at : '-';
  }
  to[length] = '\0';
}

void copyText(char* to, const FlashText& text) {
  copyFromFlash(to, text.at, text.length);
  to[text.length] = '\0';
}

void startMdns() {
  char host[25];
  char definition[33];
  char version[25];
  char fingerprint[2 * fingerprintOctets + 1];
  hostName(host, sizeof host);
  copyText(definition, announced->name);
  copyText(version, announced->version);
  for (size_t index = 0; index < fingerprintOctets; ++index) {
    const uint8_t octet = octetFromFlash(announced->fingerprint + index);
    for (size_t half = 0; half < 2; ++half) {
      const uint8_t digit = half == 0 ? octet >> 4 : octet & 0x0f;
      fingerprint[2 * index + half] = static_cast<char>(digit < 10 ? '0' + digit : 'a' + digit - 10);
    }
  }
  fingerprint[2 * fingerprintOctets] = '\0';
  if (!MDNS.begin(host)) return;
  const auto service = MDNS.addService(uidText(), "baseunit", "tcp", listenPort);
  if (service == nullptr) return;
  MDNS.addServiceTxt(service, "version", version);
  MDNS.addServiceTxt(service, "definition", definition);
  MDNS.addServiceTxt(service, "fingerprint", fingerprint);
}

}  // namespace

void beginWifi() {
  // The credentials are in the program; writing them to flash at every start would only wear it.
  WiFi.persistent(false);
  WiFi.mode(WIFI_STA);
  WiFi.setAutoReconnect(false);
  char host[25];
  hostName(host, sizeof host);
  WiFi.hostname(host);
  attempt();
}

void announceOverMdns(const UnitDescription& description) { announced = &description; }

void loopWifi() {
  if (WiFi.status() != WL_CONNECTED) {
    if (static_cast<uint32_t>(static_cast<uint32_t>(millis()) - attemptAt) >= waitMs) attempt();
    return;
  }
  pauseMs = firstPauseMs;
  waitMs = 0;
  attemptAt = static_cast<uint32_t>(millis());
  if (!isAnnounced && announced != nullptr) {
    isAnnounced = true;
    startMdns();
  }
  MDNS.update();
}

}  // namespace bu::esp8266

#endif
