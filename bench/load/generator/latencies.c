#include "latencies.h"

#include <string.h>

void latencies_clear(struct latencies *latencies) { memset(latencies, 0, sizeof *latencies); }

void latencies_add(struct latencies *latencies, uint64_t ns) {
  const uint64_t us = ns / 1000;
  latencies->buckets[us < LATENCY_BUCKETS ? us : LATENCY_BUCKETS - 1] += 1;
  latencies->count += 1;
}

unsigned latencies_at(const struct latencies *latencies, double share) {
  const double wanted = share * (double)latencies->count;
  uint64_t passed = 0;
  for (unsigned us = 0; us < LATENCY_BUCKETS; us += 1) {
    passed += latencies->buckets[us];
    if (passed > 0 && (double)passed >= wanted) return us;
  }
  return 0;
}
