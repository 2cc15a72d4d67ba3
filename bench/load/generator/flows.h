#pragma once

#include "options.h"

/* Publishers whose messages go to all subscribers, over one relay: as many as it takes, and none may be missing. */
void flows(const struct options *options);
