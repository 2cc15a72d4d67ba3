#pragma once

#include <stdint.h>

#include "../../bu_description.h"

namespace bu::esp8266 {

constexpr uint16_t listenPort = 8888;

/** Joins the Wi-Fi of secrets.h and keeps joined, without ever waiting. */
void beginWifi();
/** What is announced as `_baseunit._tcp`, once the Wi-Fi is there. */
void announceOverMdns(const UnitDescription& description);
void loopWifi();

}  // namespace bu::esp8266
