#pragma once

#include <stdint.h>

/* Datagrams that the kernel threw away because a socket's receive buffer was full, of the UDP sockets at this port. */
uint64_t kernel_drops(int port);
