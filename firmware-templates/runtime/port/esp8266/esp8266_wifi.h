#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../../bu_provisioning.h"
#include "../../bu_settings.h"

namespace bu::esp8266 {

/** Of a name on the network, and its closing zero. */
constexpr size_t hostNameOctets = uidOctets + 1;

void beginWifi(const Settings& settings);
/** Leaves the Wi-Fi it is in and joins that of `settings`, which stay: again and again, without ever waiting. */
void joinWifi(const Settings& settings);
/** Tries again when it is time. True: joined. */
bool loopWifi(uint32_t now);
/** How the last `joinWifi` goes, as the SDK says; the time that it may take is its caller's. */
WifiState wifiState();

/** The UID as a host name: what may not be in one is a hyphen. Without UID `unit-` and the end of the MAC. */
void hostName(const Settings& settings, char* to);

}  // namespace bu::esp8266
