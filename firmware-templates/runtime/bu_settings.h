#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_port.h"
#include "bu_text.h"

namespace bu {

constexpr size_t maxWifiName = 32;
constexpr size_t maxWifiPassword = 64;
constexpr size_t maxBaseAddress = 64;
/** The port of an address that names none. */
constexpr uint16_t defaultUnitPort = 8888;

/** What was told to this unit, and not to its program: who it is, and how it finds its base. */
struct Settings {
  Text<uidOctets> uid;
  uint8_t key[keyOctets] = {};
  bool hasKey = false;
  Text<maxWifiName> wifiName;
  Text<maxWifiPassword> wifiPassword;
  /** `host:port` of the base that the unit dials; empty: it listens. */
  Text<maxBaseAddress> base;
};

/** UID padded on the left, and key; zeros for what is not set. */
Identity identityOf(const Settings& settings);

struct BaseAddress {
  char host[maxBaseAddress + 1];
  uint16_t port;
};

/** `host`, `host:port` or `[IPv6]:port`. False when it is none of them. */
bool parseBaseAddress(const char* text, BaseAddress& to);

/** The most octets of encoded settings: five texts with their lengths, the key with a mark. In words of flash. */
constexpr size_t settingsOctets = 200;

/** Writes `settingsOctets`, unused ones `00`. */
void encodeSettings(const Settings& settings, uint8_t* to);
/** False, and empty settings, when these are none. */
bool decodeSettings(const uint8_t* from, size_t count, Settings& to);

}  // namespace bu
