#pragma once

#include "native_options.h"

namespace bu::native {

/** Says what does not work and why (errno), and exits with 1. */
[[noreturn]] void giveUp(const char* what);

/** Takes the arguments, and SIGTERM and SIGINT from now on. */
const Options& beginProcess(int count, char** arguments);
/** A signal said to stop, or whoever started this program is gone and did not get to end it. */
bool isEnding();
/**
 * The same program again in the same process, with what the outside sees left open: its listening socket and its serial
 * line. `resetReason`: as the ESP8266 numbers them.
 */
[[noreturn]] void startAnew(uint8_t resetReason, int listeningSocket, int serialLine);

}  // namespace bu::native
