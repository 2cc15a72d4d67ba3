#pragma once

#include <stddef.h>
#include <stdint.h>

#include "native_options.h"

// The serial line: a terminal or pseudo-terminal. Frames and Improv packets for units of typed messages, as it is for
// line units (the Arduino Uno's program, in the original's house). Slot 2.
namespace bu::native::serial {

constexpr uint8_t slot = 2;

/** Opens it, and prints `serial PATH`. Exits with 1 and says why when it cannot be. `settings`: what provisioning changes. */
void begin(const Options& options, const UnitDescription& description, Settings& settings, void (*identityChanged)());
/** -1: none. */
int descriptor();
/** `isWanted`: somebody else is there and needs the opening that nobody at this line answers. */
void loop(bool isWanted);

bool isWaiting(bool isServedElsewhere);
void open();
int read(uint8_t* to, size_t capacity);
int write(const uint8_t* from, size_t count);
bool isUnacknowledged();
void close();
/** The slot reads `lost` from now on. */
void drop();
void served();

}  // namespace bu::native::serial
