#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_description.h"

// What the runtime asks of the machine it runs on. Exactly one port is linked: port/esp8266, port/native, or a test's
// own. Nothing here blocks.
namespace bu {

constexpr size_t uidOctets = 16;
constexpr size_t keyOctets = 16;

/** Who the unit is: its UID, padded on the left with zeros, and the key it shares with its base. */
struct Identity {
  uint8_t uid[uidOctets];
  uint8_t key[keyOctets];
};

enum class LogLevel : uint8_t { debug = 0, info = 1, warn = 2, error = 3 };

namespace port {

/** Connections that may exist at once: the base's, and one that wants to take its place. */
constexpr uint8_t slots = 2;

/** What `read` and `write` return when the connection is gone. */
constexpr int lost = -1;

/** Starts to listen. `needsKey`: the unit speaks the proved session, and cannot start without a UID and a key. */
void begin(bool needsKey);
/** Tells name, version and fingerprint to those who look for units on the network. Called once, after begin. */
void announce(const UnitDescription& description);
/** Looks after the network (Wi-Fi, mDNS). Called in every loop. */
void loop();

/** Milliseconds since start; passes 2^32 and begins again. */
uint32_t millis();
/** Octets that nobody can foretell. */
void random(uint8_t* to, size_t count);
const Identity& identity();

/** The boot number stored last; 0 when there is none. */
uint32_t storedBoot();
/** Stores it so that it survives a loss of power. False when that failed. */
bool storeBoot(uint32_t boot);
/** Why the chip started, in its own numbers. */
uint8_t resetReason();
/** Starts the firmware anew. Does not return. */
void restart();

/** Somebody waits to be accepted. */
bool isWaiting();
/** Accepts who waits into an empty slot. False when nobody did. */
bool accept(uint8_t slot);
/** Octets that have arrived, at most `capacity`; 0: none now; `lost`: closed by the peer, or broken. */
int read(uint8_t slot, uint8_t* to, size_t capacity);
/** Octets taken, perhaps fewer than given, perhaps 0; `lost`: broken. */
int write(uint8_t slot, const uint8_t* from, size_t count);
/** The peer has not yet acknowledged all that was written. */
bool isUnacknowledged(uint8_t slot);
/** Closes in order: what was written still arrives. */
void close(uint8_t slot);

/** A line for whoever watches the unit's own output. */
void log(LogLevel level, const char* text);

}  // namespace port
}  // namespace bu
