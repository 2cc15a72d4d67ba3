#pragma once

#include <stdint.h>

#include "../../bu_settings.h"

// The connection to the base that the settings name: dialled, and dialled again.
namespace bu::native::dial {

/** The base to dial from now on; an empty address: none. */
void begin(const Text<maxBaseAddress>& base, uint32_t sleepMs);
/** Dials when it is time to, and notices what came of it. */
void loop();
/** The base took the connection, which waits to be accepted. */
bool isWaiting();
/** That connection. */
int takeConnection();
/** The slot that it got; `port::noSlot`: none was free, it is closed. */
void tookSlot(uint8_t slot);

void welcomed(uint8_t slot);
void closed(uint8_t slot, port::Ending ending);

}  // namespace bu::native::dial
