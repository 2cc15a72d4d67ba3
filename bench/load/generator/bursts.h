#pragma once

#include "options.h"

/* Writes many messages at once, and counts in how many segments they are passed on and answered. */
void bursts(const struct options *options);
