#pragma once

#include <stdint.h>

#include "native_options.h"

namespace bu::native {

/** Opens the listening socket and prints `listening HOST:PORT`, or takes over the inherited one. Exits with 1 when it cannot. */
void listenOn(const Options& options);

/** Waits until a connection has something for the sketch, at most `maxMs`. */
void waitForSockets(int maxMs);

/** The listening socket, for the program that comes after a restart. */
int listeningSocket();

}  // namespace bu::native
