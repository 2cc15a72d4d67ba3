#pragma once

#include <stdint.h>

/* Latencies counted by the microsecond; what takes a second or longer is in the last. */
#define LATENCY_BUCKETS 1000001

struct latencies {
  uint64_t count;
  uint32_t buckets[LATENCY_BUCKETS];
};

void latencies_clear(struct latencies *latencies);
void latencies_add(struct latencies *latencies, uint64_t ns);

/* Microseconds within which this share (0..1) of all was; 0 when there are none. */
unsigned latencies_at(const struct latencies *latencies, double share);
