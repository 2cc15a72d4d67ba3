#pragma once

#include "options.h"

/* Opens very many sessions, holds them, and lets all of them go at once. */
void sessions(const struct options *options);
