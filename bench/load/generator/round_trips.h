#pragma once

#include "options.h"

/* Requests of objects to a central that answers each, over one relay. */
void round_trips(const struct options *options);
