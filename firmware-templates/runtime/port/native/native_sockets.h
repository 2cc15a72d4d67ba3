#pragma once

#include <stddef.h>
#include <stdint.h>

#include "native_options.h"

// Connections over TCP: those that are accepted, and the one that was dialled (native_dial.h). In slots 0 and 1.
namespace bu::native::sockets {

constexpr uint8_t slots = 2;

/** Listens, and prints `listening HOST:PORT`, unless it does already. Exits with 1 and says why when it cannot. */
void listenOn(const Options& options);
/** -1: none. */
int listeningSocket();

/** Somebody has dialled us. */
bool isWaiting();
/** The listening socket's next connection; -1: there is none. */
int acceptNext();
/** Puts a connection into a free slot; `port::noSlot`, and it is closed, when there is none. */
uint8_t adopt(int socket);

int read(uint8_t slot, uint8_t* to, size_t capacity);
int write(uint8_t slot, const uint8_t* from, size_t count);
bool isUnacknowledged(uint8_t slot);
void close(uint8_t slot);
/** The slot reads `lost` from now on. */
void drop(uint8_t slot);

}  // namespace bu::native::sockets
