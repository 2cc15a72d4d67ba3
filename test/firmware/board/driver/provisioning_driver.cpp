// Provisioning over the line under test, with a Wi-Fi and a flash that do what the test says.
#include <bu_provisioning.h>

#include <memory>

#include "../../runtime/driver/scripted_port.h"
#include "board_driver.h"

namespace {

bu::Settings inFlash;
bu::Settings settings;
bu::WifiState wifi = bu::WifiState::joining;
bool canStore = true;
std::unique_ptr<bu::Provisioning> made;

using scripted::happened;

void joinWifi(const bu::Settings& with) { happened(std::string("join ") + with.wifiName.c_str()); }
bu::WifiState wifiState() { return wifi; }
void readSettings(bu::Settings& to) { to = inFlash; }
bool storeSettings(const bu::Settings& from) {
  happened("store");
  if (canStore) inFlash = from;
  return canStore;
}
void identityChanged() { happened("identity"); }

constexpr bu::ProvisioningHooks hooks = {joinWifi, wifiState, readSettings, storeSettings, identityChanged};
constexpr char chip[] = "ESP8266";
constexpr char name[] = "led-lamp";
constexpr char version[] = "1.0.0";
const bu::UnitDescription description = {bu::flashText(name), bu::flashText(version), bu::UnitKind::updatable,
                                         bu::flashText(name), nullptr, nullptr, nullptr, 0};

std::string told(const bu::Settings& all) {
  return digitsOf(all.uid.c_str()) + " " + (all.hasKey ? digitsOf(all.key, sizeof all.key) : "-") + " " +
         digitsOf(all.wifiName.c_str()) + " " + digitsOf(all.wifiPassword.c_str()) + " " + digitsOf(all.base.c_str());
}

}  // namespace

std::string provisioning(std::istringstream& line) {
  std::string command, word;
  uint32_t number = 0;
  line >> command;
  scripted::world.events.clear();
  if (command == "new") {
    inFlash = bu::Settings();
    canStore = true;
    wifi = bu::WifiState::joining;
  } else if (command == "begin") {
    // `begin <now> <power-up 0|1>`: the program starts with what is in flash.
    int isPowerUp = 0;
    line >> number >> isPowerUp;
    settings = inFlash;
    made = std::make_unique<bu::Provisioning>(lineUnderTest(), settings, hooks, bu::flashText(chip));
    made->begin(description, isPowerUp != 0, number);
  } else if (command == "loop") {
    line >> number;
    lineUnderTest().loop(number);
    made->loop(number);
  } else if (command == "wifi") {
    line >> word;
    wifi = word == "joined"    ? bu::WifiState::joined
           : word == "refused" ? bu::WifiState::refused
                               : bu::WifiState::joining;
  } else if (command == "cannot-store") {
    canStore = false;
  } else if (command == "flash") {
    return told(inFlash);
  } else if (command == "used") {
    return told(settings);
  }
  std::string all;
  for (const std::string& event : scripted::world.events) all += (all.empty() ? "" : ";") + event;
  return all;
}
