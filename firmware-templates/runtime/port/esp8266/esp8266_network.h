#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../../bu_port.h"

// Connections over the Wi-Fi: slots 0 and 1.
namespace bu::esp8266 {

constexpr uint8_t networkSlots = 2;
constexpr uint16_t listenPort = 8888;

/**
 * Listens at `listenPort`; or dials the base, `host:port`, when it is not empty. `sleepMs`: of the unit's description.
 * Again when the address or the unit's identity is another: connections that are there are then `lost`.
 */
void serveNetwork(const char* baseAddress, uint32_t sleepMs);
/** Others can dial this unit. */
bool isListening();
/** Dials when it is time and `mayDial`. In every loop while the Wi-Fi is there. */
void loopNetwork(uint32_t now, bool mayDial);
/** The Wi-Fi is there again: what was waited for means nothing. */
void networkIsBack();

// As in bu_port.h.
bool isNetworkWaiting();
uint8_t acceptNetwork();
void networkWelcomed(uint8_t slot);
int readNetwork(uint8_t slot, uint8_t* to, size_t capacity);
int writeNetwork(uint8_t slot, const uint8_t* from, size_t count);
bool isNetworkUnacknowledged(uint8_t slot);
void closeNetwork(uint8_t slot, port::Ending ending);

}  // namespace bu::esp8266
