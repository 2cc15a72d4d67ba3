#pragma once

#include "options.h"

/* Pairs of connections over one relay: one end asks, the other answers, and one message of each pair is under way. */
void tunnels(const struct options *options);
