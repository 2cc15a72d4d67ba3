#include "sessions.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "die.h"
#include "process.h"
#include "protocol.h"

/* Connections that were begun and are not open yet, at most: less than a listener's backlog. */
#define MOST_UNOPENED 200
/* The bare server says an octet when it has accepted so many. */
#define BARE_GROUP 50
/* The connections come from so many addresses, so that their ports suffice also while old ones linger. */
#define SOURCES 20
/* Until what came with the last connections is done. */
#define SETTLE_MS 2000
/* Node gives memory back some time after it was collected, some of it only after the next time. */
#define COLLECTIONS 3
#define COLLECT_MS 1200
#define LOOK_EVERY_US 20000
#define PATIENCE_NS (30 * NS_PER_S)

static const struct protocol *protocol;
static struct links links;
static int opened;
static uint64_t pings;

static void hear(struct link *link, const struct message *message) {
  if (message->kind == MESSAGE_OPENED) opened += 1;
  if (message->kind != MESSAGE_PING) return;
  pings += 1;
  protocol->pong(&links, link);
}

/* Gives how many links had something. */
static int turn(int timeout_ms) {
  struct link *ready[256];
  links_flush(&links);
  const int count = links_wait(&links, ready, 256, timeout_ms);
  for (int i = 0; i < count; i += 1) {
    if (protocol != NULL) {
      link_take(protocol, &links, ready[i], hear);
      continue;
    }
    const long length = link_read(ready[i]);
    if (length == 0) die("the bare server closed a connection");
    if (length > 0) opened += BARE_GROUP * (int)length;
    ready[i]->in.length = 0;
  }
  return count;
}

/* It looks now and then, and is not woken: the other side's CPU time is not to contain that. */
static void run_for(int ms) {
  for (const uint64_t end_ns = now_ns() + (uint64_t)ms * NS_PER_MS; now_ns() < end_ns;) {
    while (turn(0) > 0) continue;
    usleep(LOOK_EVERY_US);
  }
}

/* Tells the process to collect its garbage, and waits until that is done. */
static void collect(const struct options *options) {
  if (!options->is_collecting) return;
  for (int times = 0; times < COLLECTIONS; times += 1) {
    if (kill(options->pid, SIGUSR2) < 0) die("there is no process %d", options->pid);
    run_for(COLLECT_MS);
  }
}

void sessions(const struct options *options) {
  protocol = strcmp(options->protocol, "bare") == 0 ? NULL : protocol_named(options->protocol);
  if (options->count % BARE_GROUP != 0) die("the number of sessions is not a multiple of %d", BARE_GROUP);
  struct link *all = calloc((size_t)options->count, sizeof *all);
  links_start(&links);
  collect(options);
  const uint64_t resident_before = process_resident(options->pid), opening_cpu_ns = process_cpu_ns(options->pid);
  const uint64_t started_ns = now_ns();
  for (int begun = 0; opened < options->count;) {
    if (begun < options->count && begun - opened < MOST_UNOPENED) {
      link_open(&links, &all[begun], begun, 2 + begun % SOURCES, options->port);
      if (protocol != NULL) protocol->begin(&links, &all[begun]);
      begun += 1;
      /* Once in a while is enough: a client of one connection does not wait for others either. */
      if (begun % 16 == 0) turn(0);
    } else {
      turn(100);
    }
    if (now_ns() > started_ns + PATIENCE_NS) die("%d of %d were opened in time", opened, options->count);
  }
  const uint64_t took_ns = now_ns() - started_ns;
  const uint64_t opened_cpu_ns = process_cpu_ns(options->pid) - opening_cpu_ns;

  run_for(options->ms == 0 ? 0 : SETTLE_MS);
  const uint64_t resident_at_first = process_resident(options->pid);
  run_for(options->warm_up_ms);
  pings = 0;
  const uint64_t cpu_ns = process_cpu_ns(options->pid), held_ns = now_ns();
  run_for(options->ms);
  const double held_s = (double)(now_ns() - held_ns) / 1e9;
  const uint64_t used_ns = process_cpu_ns(options->pid) - cpu_ns;
  collect(options);
  const uint64_t resident = process_resident(options->pid);
  printf("{\"sessions\":%d,\"openedMs\":%.1f,\"openedCpuMs\":%.1f,\"residentBefore\":%" PRIu64
         ",\"residentAtFirst\":%" PRIu64 ",\"resident\":%" PRIu64
         ",\"heldS\":%.2f,\"cpuMsPerS\":%.3f,\"pings\":%" PRIu64 "}\n",
         options->count, (double)took_ns / 1e6, (double)opened_cpu_ns / 1e6, resident_before, resident_at_first,
         resident, held_s, held_s > 0 ? (double)used_ns / 1e6 / held_s : 0, pings);
  /* The end of this process closes all of them. */
}
