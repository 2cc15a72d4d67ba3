#if defined(ARDUINO_ARCH_ESP8266)

#include <Arduino.h>

#include "../../bu_port.h"
#include "esp8266_flash.h"
#include "esp8266_mdns.h"
#include "esp8266_network.h"
#include "esp8266_provisioning.h"
#include "esp8266_serial.h"
#include "esp8266_wifi.h"

namespace bu {

namespace {

using namespace esp8266;

/** Behind those of the network. */
constexpr uint8_t serialSlot = networkSlots;
static_assert(serialSlot + 1 == port::slots, "two slots for the network, one for the serial line");

const UnitDescription* served = nullptr;
/** Where a base has answered the hello. */
uint8_t welcomedSlot = port::noSlot;
bool isSerialTaken = false;
bool wasJoined = false;

bool isSession() { return served->dispatch != nullptr; }

/** A unit of typed messages serves nobody while it has no key; who wants to know why asks its serial line. */
bool mayServe() { return !isSession() || settings.hasKey; }

void serve() {
  if (!mayServe()) {
    static const char noKey[] BU_FLASH = "no key yet: this unit serves no base; baseunit provision gives it one";
    return logFlash(LogLevel::warn, flashText(noKey));
  }
  // Nobody asks a line unit who it is: it is dialled, and dials nobody. The end of a text is an empty one.
  serveNetwork(settings.base.c_str() + (isSession() ? 0 : settings.base.length()), served->sleepMs);
}

void becomeAnother() {
  serialLine.giveWay();
  serve();
  announceAnew();
}

bool isServedOverNetwork() { return welcomedSlot < networkSlots; }

/** Somebody is at the serial line, whom dialling would keep waiting. */
bool isSerialInUse() { return isSerialTaken && !serialLine.isUnanswered(); }

}  // namespace

namespace port {

void begin(const UnitDescription& description) {
  served = &description;
  beginSerial();
  if (!isFlashFree()) {
    static const char taken[] BU_FLASH =
        "the file system reaches into the sectors of our settings: build with eagle.flash.4m2m.ld";
    logFlash(LogLevel::error, flashText(taken));
  }
  beginProvisioning(description, becomeAnother);
  beginWifi(settings);
  serve();
}

void loop() {
  const uint32_t now = millis();
  serialLine.loop(now);
  loopProvisioning(now);
  const bool isJoined = loopWifi(now);
  if (isJoined && !wasJoined) networkIsBack();
  wasJoined = isJoined;
  if (isJoined) {
    loopNetwork(now, !isSerialInUse());
    if (isListening()) loopMdns(*served, settings, listenPort);
  }
  // Nobody may be at the serial line; whoever comes over the network is.
  if (isNetworkWaiting()) serialLine.giveWay();
}

uint32_t millis() { return static_cast<uint32_t>(::millis()); }

void random(uint8_t* to, size_t count) { ESP.random(to, count); }

uint32_t storedBoot() { return store.lastBoot(); }

bool storeBoot(uint32_t boot) { return store.storeBoot(boot); }

uint8_t resetReason() { return static_cast<uint8_t>(ESP.getResetInfoPtr()->reason); }

uint32_t freeHeap() { return ESP.getFreeHeap(); }

void restart() { ESP.restart(); }

void sleep(uint32_t ms) {
  // The chip's own clock of sleep ends after some 3.5 hours; the unit then comes sooner.
  const uint64_t longest = ESP.deepSleepMax();
  const uint64_t wanted = static_cast<uint64_t>(ms) * 1000;
  ESP.deepSleep(wanted < longest ? wanted : longest);
}

bool isWaiting() {
  return isNetworkWaiting() || (isSession() && mayServe() && serialLine.isWaiting(isServedOverNetwork()));
}

uint8_t accept() {
  if (isNetworkWaiting()) return acceptNetwork();
  if (!isSession() || !mayServe() || !serialLine.isWaiting(isServedOverNetwork())) return noSlot;
  serialLine.open();
  isSerialTaken = true;
  return serialSlot;
}

void welcomed(uint8_t slot) {
  welcomedSlot = slot;
  if (slot == serialSlot) return serialLine.served();
  networkWelcomed(slot);
}

int read(uint8_t slot, uint8_t* to, size_t capacity) {
  return slot == serialSlot ? serialLine.read(to, capacity) : readNetwork(slot, to, capacity);
}

int write(uint8_t slot, const uint8_t* from, size_t count) {
  return slot == serialSlot ? serialLine.write(from, count) : writeNetwork(slot, from, count);
}

bool isUnacknowledged(uint8_t slot) {
  return slot == serialSlot ? serialLine.isUnacknowledged() : isNetworkUnacknowledged(slot);
}

void close(uint8_t slot, Ending ending) {
  if (slot == welcomedSlot) welcomedSlot = noSlot;
  if (slot != serialSlot) return closeNetwork(slot, ending);
  serialLine.close();
  isSerialTaken = false;
}

}  // namespace port
}  // namespace bu

#endif
