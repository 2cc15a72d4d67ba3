#pragma once

#include <stdint.h>

/* CPU time of a process since it began, user and system, of all the threads that it has now; in ns. */
uint64_t process_cpu_ns(int pid);

/* Octets of its resident memory. */
uint64_t process_resident(int pid);
