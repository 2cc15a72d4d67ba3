#pragma once

#include "options.h"

/* Finds the most datagrams a second of which none is lost. */
void telemetry(const struct options *options);
