#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_description.h"
#include "bu_improv.h"
#include "bu_serial_line.h"
#include "bu_settings.h"

namespace bu {

enum class WifiState : uint8_t { joining, joined, refused };

/** What provisioning asks of its port. */
struct ProvisioningHooks {
  /** Leaves the Wi-Fi it is in, and begins to join this one; an empty name: none. */
  void (*joinWifi)(const Settings& settings);
  /** How that goes. */
  WifiState (*wifiState)();
  /** What is in flash. */
  void (*read)(Settings& to);
  /** Puts them there. False when flash does not take them. */
  bool (*store)(const Settings& settings);
  /** The identity or base address is another one: drop every session, and serve with it from now on. */
  void (*identityChanged)();
};

/**
 * Wi-Fi, UID, key and base address of a unit, told over its serial line by RPCs of Improv (bu_improv.h). Wi-Fi settings
 * are kept when they work: joined within 30 s. Who the unit is may be told while it has no key, and within 60 s of power-up
 * by whoever has it in hand; what it is already may be told at any time. Nothing tells a key.
 */
class Provisioning {
 public:
  static constexpr uint32_t joinMs = 30'000;
  static constexpr uint32_t openMs = 60'000;

  /** `settings`: the port's, kept up to date here. `chip`: what the unit runs on, in flash. */
  constexpr Provisioning(SerialLine& line, Settings& settings, const ProvisioningHooks& hooks, FlashText chip)
      : line_(line), settings_(settings), hooks_(hooks), chip_(chip) {}

  /** `isPowerUp`: power came, or somebody pressed the reset button; not a restart or a wake of the unit's own. */
  void begin(const UnitDescription& description, bool isPowerUp, uint32_t now);
  /** In every loop, after the line's. */
  void loop(uint32_t now);

 private:
  void onRpc(const improv::Packet& packet);
  void onWifiSettings(const uint8_t* data, uint8_t length);
  bool isOurs(const uint8_t* data, uint8_t length) const;
  void onIdentity(const uint8_t* data, uint8_t length);
  void checkWifi();
  void wifiFailed(improv::Error error);
  void restoreWifi();
  void fail(improv::Error error);
  void succeed(improv::Command command);
  void become(improv::State state);
  void say();
  bool sayOctet(improv::Type type, uint8_t octet);
  bool sayResult();

  SerialLine& line_;
  Settings& settings_;
  const ProvisioningHooks& hooks_;
  FlashText chip_;
  const UnitDescription* description_ = nullptr;
  uint32_t now_ = 0;
  uint32_t startedAt_ = 0;
  uint32_t joiningAt_ = 0;
  improv::State state_ = improv::State::ready;
  improv::Error error_ = improv::Error::none;
  improv::Command answered_ = improv::Command::currentState;
  bool isOpen_ = false;
  /** What is still to be said, in this order. */
  bool mustSayError_ = false;
  bool mustSayState_ = false;
  bool mustSayResult_ = false;
  bool hasNewIdentity_ = false;
};

}  // namespace bu
