#if defined(ARDUINO_ARCH_ESP8266)

#include "esp8266_mdns.h"

#include <ESP8266WiFi.h>
#include <ESP8266mDNS.h>

#include "../../bu_announcement.h"
#include "esp8266_wifi.h"

#define BU_TEXT_OF(name) #name
#define BU_TEXT(name) BU_TEXT_OF(name)

namespace bu::esp8266 {

namespace {

/** As `baseunit flash --board` names it; the core's own name where a project is not ours. */
#if defined(BU_BOARD)
#define BU_BOARD_TEXT BU_TEXT(BU_BOARD)
#elif defined(ARDUINO_BOARD)
#define BU_BOARD_TEXT ARDUINO_BOARD
#else
#define BU_BOARD_TEXT "esp8266"
#endif

/** The core takes texts in RAM only: they are there while they are needed. */
struct Texts {
  char service[9];
  char protocol[4];
  char version[8];
  char definition[11];
  char fingerprint[12];
  char mac[4];
  char board[6];
  char key[4];
  char boardText[sizeof BU_BOARD_TEXT];
};
static const Texts textsInFlash BU_FLASH = {
    "baseunit", "tcp", "version", "definition", "fingerprint", "mac", "board", "key", BU_BOARD_TEXT,
};

constexpr size_t macOctets = 6;

bool isAnnounced = false;

/** `5c:cf:7f:01:02:03`. */
void putMac(char* to) {
  uint8_t mac[macOctets];
  WiFi.macAddress(mac);
  for (size_t index = 0; index < macOctets; ++index) {
    putHex(to + 3 * index, mac + index, 1);
    to[3 * index + 2] = index + 1 < macOctets ? ':' : '\0';
  }
}

void announceNow(const UnitDescription& description, const Settings& settings, uint16_t port) {
  char host[hostNameOctets];
  hostName(settings, host);
  Announcement texts;
  announce(description, identityOf(settings), settings.hasKey, texts);
  char mac[3 * macOctets];
  putMac(mac);
  if (!MDNS.begin(host)) return;
  Texts names;
  copyFromFlash(&names, &textsInFlash, sizeof names);
  const char* const instance = settings.uid.length() > 0 ? settings.uid.c_str() : host;
  const auto service = MDNS.addService(instance, names.service, names.protocol, port);
  if (service == nullptr) return;
  MDNS.addServiceTxt(service, names.version, texts.version);
  MDNS.addServiceTxt(service, names.definition, texts.definition);
  MDNS.addServiceTxt(service, names.fingerprint, texts.fingerprint);
  MDNS.addServiceTxt(service, names.mac, mac);
  MDNS.addServiceTxt(service, names.board, names.boardText);
  MDNS.addServiceTxt(service, names.key, texts.key);
}

}  // namespace

void announceAnew() {
  if (isAnnounced) MDNS.end();
  isAnnounced = false;
}

void loopMdns(const UnitDescription& description, const Settings& settings, uint16_t port) {
  if (!isAnnounced) announceNow(description, settings, port);
  isAnnounced = true;
  MDNS.update();
}

}  // namespace bu::esp8266

#endif
