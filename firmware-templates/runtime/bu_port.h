#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_description.h"

// The sketch, as the Arduino cores declare it: one that includes nothing of theirs links as well.
extern "C" {
void setup();
void loop();
}

// What the runtime asks of the machine it runs on. Exactly one port is linked: port/esp8266, port/avr (line units alone, which
// ask for less), port/native, or a test's own. Nothing here blocks.
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

/**
 * Connections that may exist at once, each in a slot of this number or below: over the network the base's and one that
 * wants to take its place; and the serial line, where the board has one for that.
 */
constexpr uint8_t slots = 3;
/** No slot. */
constexpr uint8_t noSlot = 0xff;

/** What `read` and `write` return when the connection is gone. */
constexpr int lost = -1;

/** How a connection ended. */
enum class Ending : uint8_t {
  done,
  /** Who is there cannot prove that it has our key, or refuses ours: somebody has to change something first. */
  refused,
};

/**
 * Starts what carries connections: listens, or dials the base, or both, as the settings say; and tells those who look for
 * units on the network about this one. A unit of typed messages (`description.dispatch`) serves nobody while it has no key.
 * Called once; `description` stays.
 */
void begin(const UnitDescription& description);
/** Looks after the network and the serial line. Called in every loop. */
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
/** Octets of the heap that are free; 0 where there is none, or nobody knows. */
uint32_t freeHeap();
/** Starts the firmware anew. Does not return. */
void restart();
/** Sleeps, and starts the firmware anew after so many ms. Does not return. */
void sleep(uint32_t ms);

/** A connection waits to be accepted: somebody dialled us, the base that we dialled is there, or the serial line begins anew. */
bool isWaiting();
/** Accepts it. Gives its slot, or `noSlot` when there was none, or no slot is free. */
uint8_t accept();
/** The base at that connection has proved itself and answered the hello. */
void welcomed(uint8_t slot);
/** Octets that have arrived, at most `capacity`; 0: none now; `lost`: closed by the peer, or broken. */
int read(uint8_t slot, uint8_t* to, size_t capacity);
/** Octets taken, perhaps fewer than given, perhaps 0; `lost`: broken. */
int write(uint8_t slot, const uint8_t* from, size_t count);
/** The peer has not yet acknowledged all that was written. */
bool isUnacknowledged(uint8_t slot);
/** Closes in order: what was written still arrives. */
void close(uint8_t slot, Ending ending);

/** A line for whoever watches the unit's own output. */
void log(LogLevel level, const char* text);

}  // namespace port
}  // namespace bu
