#if defined(ARDUINO_ARCH_ESP8266)

#include "esp8266_provisioning.h"

#include <Arduino.h>

#include "../../bu_provisioning.h"
#include "esp8266_flash.h"
#include "esp8266_serial.h"
#include "esp8266_wifi.h"

namespace bu {
namespace esp8266 {

namespace {

static const char chip[] BU_FLASH = "ESP8266";

/** The SDK's reset reasons that somebody's hand gives: power, and the reset button (or who opens the USB port). */
constexpr uint32_t powerOn = 0;
constexpr uint32_t resetPin = 6;

Identity ours;
void (*hearChange)() = nullptr;

void takeIdentity() {
  ours = identityOf(settings);
  hearChange();
}

void readSettings(Settings& to) { store.readSettings(to); }

bool storeSettings(const Settings& from) { return store.storeSettings(from); }

constexpr ProvisioningHooks hooks = {joinWifi, wifiState, readSettings, storeSettings, takeIdentity};

Provisioning provisioning(serialLine, settings, hooks, flashText(chip));

}  // namespace

Settings settings;

void beginProvisioning(const UnitDescription& description, void (*identityChanged)()) {
  hearChange = identityChanged;
  store.readSettings(settings);
  ours = identityOf(settings);
  const uint32_t reason = ESP.getResetInfoPtr()->reason;
  provisioning.begin(description, reason == powerOn || reason == resetPin, static_cast<uint32_t>(millis()));
}

void loopProvisioning(uint32_t now) { provisioning.loop(now); }

}  // namespace esp8266

const Identity& port::identity() { return esp8266::ours; }

}  // namespace bu

#endif
