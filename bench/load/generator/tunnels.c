#include "tunnels.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "die.h"
#include "latencies.h"
#include "octets.h"
#include "process.h"
#include "tunnel_protocol.h"

/* A payload begins with when its question was said, and with the pair's number; an answer repeats its question. */
#define STAMP_OCTETS 12
#define MOST_PAYLOAD 16384

static const struct tunnel_protocol *protocol;
static const struct options *options;
static struct links links;
/* When so long nothing has come, what is missing is lost. */
static uint64_t patience_ns;
/* When the question was said that each pair has under way. */
static uint64_t *asked_ns;
static struct latencies latencies;
/* A payload as it must come, but for the stamp. */
static uint8_t payload[MOST_PAYLOAD];
static size_t payload_length;
static bool is_asking;
static int opened, under_way;
static uint64_t delivered;

static const struct tunnel_protocol *protocol_of(const char *name) {
  const struct tunnel_protocol *const all[] = {&elfin_line_tunnels, &elfin_segment_tunnels, &pipe_tunnels,
                                               &pipe_line_tunnels, &mqtt_tunnels};
  for (size_t i = 0; i < sizeof all / sizeof *all; i += 1)
    if (strcmp(all[i]->name, name) == 0) return all[i];
  die("no tunnels over %s", name);
}

static void ask(struct link *link) {
  const uint64_t now = now_ns();
  asked_ns[PAIR_OF(link)] = now;
  put_u64(payload, now);
  put_u32(payload + 8, (uint32_t)PAIR_OF(link));
  protocol->say(&links, link, payload, payload_length);
  under_way += 1;
}

static void hear(struct link *link, const uint8_t *octets) {
  if (get_u32(octets + 8) != (uint32_t)PAIR_OF(link)) die("%d got what is another pair's", link->index);
  if (get_u64(octets) != asked_ns[PAIR_OF(link)]) die("%d got what is no answer to its question", link->index);
  if (memcmp(octets + STAMP_OCTETS, payload + STAMP_OCTETS, payload_length - STAMP_OCTETS) != 0)
    die("%d got other octets than were sent", link->index);
  delivered += 1;
  if (!IS_ASKING(link)) {
    protocol->say(&links, link, octets, payload_length);
    return;
  }
  under_way -= 1;
  latencies_add(&latencies, now_ns() - get_u64(octets));
  if (is_asking) ask(link);
}

static size_t take(void *context, struct link *link, const uint8_t *octets, size_t length) {
  (void)context;
  struct tunnel_message got = {0};
  const size_t used = protocol->take(&links, link, octets, length, payload_length, &got);
  if (got.is_opening) opened += 1;
  if (got.payload != NULL) hear(link, got.payload);
  return used;
}

static void turn(int timeout_ms) {
  struct link *ready[256];
  links_flush(&links);
  const int count = links_wait(&links, ready, 256, timeout_ms);
  for (int i = 0; i < count; i += 1) link_take_each(ready[i], take, NULL);
}

static void open_one(struct link *link, int index) {
  link_open(&links, link, index, 1, options->port);
  const int wanted = opened + (protocol->begin(&links, link) ? 1 : 0);
  links_flush(&links);
  for (const uint64_t late_ns = now_ns() + patience_ns; opened < wanted;) {
    turn(100);
    if (now_ns() > late_ns) die("%d was not let in in time", index);
  }
}

static void run_for(int ms) {
  for (const uint64_t end_ns = now_ns() + (uint64_t)ms * NS_PER_MS; now_ns() < end_ns;) turn(10);
}

static void wait_for_the_rest(void) {
  for (const uint64_t late_ns = now_ns() + patience_ns; under_way > 0;) {
    turn(10);
    if (now_ns() > late_ns) die("%d pairs have no answer", under_way);
  }
}

void tunnels(const struct options *given) {
  options = given;
  patience_ns = (uint64_t)options->patience_ms * NS_PER_MS;
  protocol = protocol_of(options->protocol);
  payload_length = (size_t)options->payload;
  if (payload_length < STAMP_OCTETS || payload_length > MOST_PAYLOAD) die("a payload of %d", options->payload);
  for (size_t i = 0; i < payload_length; i += 1) payload[i] = (uint8_t)(i * 7);
  asked_ns = calloc((size_t)options->count, sizeof *asked_ns);
  struct link *ends = calloc(2 * (size_t)options->count, sizeof *ends);
  links_start(&links);
  for (int pair = 0; pair < options->count; pair += 1) {
    open_one(&ends[2 * pair + 1], 2 * pair + 1);
    open_one(&ends[2 * pair], 2 * pair);
  }

  is_asking = true;
  for (int pair = 0; pair < options->count; pair += 1) ask(&ends[2 * pair]);
  run_for(options->warm_up_ms);
  latencies_clear(&latencies);
  const uint64_t before = delivered, started_ns = now_ns(), cpu_ns = process_cpu_ns(options->pid);
  run_for(options->ms);
  const uint64_t used_ns = process_cpu_ns(options->pid) - cpu_ns, took_ns = now_ns() - started_ns;
  const uint64_t measured = delivered - before;
  is_asking = false;
  wait_for_the_rest();
  if (measured == 0) die("nothing came");
  printf("{\"delivered\":%" PRIu64 ",\"perSecond\":%.0f,\"cpuUs\":%.3f,\"p50Us\":%u,\"p99Us\":%u}\n", measured,
         (double)measured * 1e9 / (double)took_ns, (double)used_ns / 1e3 / (double)measured,
         latencies_at(&latencies, 0.5), latencies_at(&latencies, 0.99));
}
