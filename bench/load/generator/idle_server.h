#pragma once

#include "options.h"

/* Not a load but a peer: a server in C that opens IoTSocket sessions without a check, and pings whoever was silent for
   15 s. What its heartbeats take is what the system takes for them. Runs until it is ended. */
void idle_server(const struct options *options);
