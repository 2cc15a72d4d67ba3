#include "round_trips.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "die.h"
#include "latencies.h"
#include "octets.h"
#include "process.h"
#include "protocol.h"

/* A request carries when it was due, and whose it is: the answer must come to the same. */
#define STAMP_OCTETS 12
#define MOST_PAYLOAD 65535
/* After the last request, so long for the last answer. */
#define GRACE_NS (2 * NS_PER_S)

static const struct protocol *protocol;
static struct links links;
static struct latencies latencies;
static uint8_t payload[MOST_PAYLOAD];
static size_t payload_length;
/* As many round trips as there are objects are under way all the time, not so many a second. */
static bool is_closed_loop;
static bool is_sending;
static uint64_t sent, answered, refused;

static void send_request(struct link *object, uint64_t due_ns) {
  put_u64(payload, due_ns);
  put_u32(payload + 8, (uint32_t)object->index);
  protocol->request(&links, object, payload, payload_length);
  sent += 1;
}

static void hear(struct link *link, const struct message *message) {
  switch (message->kind) {
    case MESSAGE_REQUEST:
      protocol->answer(&links, link, message);
      break;
    case MESSAGE_RESPONSE: {
      answered += 1;
      if (message->code != 0) refused += 1;
      if (message->code == 0 &&
          (message->payload_length != payload_length || get_u32(message->payload + 8) != (uint32_t)link->index))
        die("%d got another's answer", link->index);
      const uint64_t now = now_ns();
      if (message->code == 0) latencies_add(&latencies, now - get_u64(message->payload));
      if (is_closed_loop && is_sending) send_request(link, now);
      break;
    }
    case MESSAGE_PING:
      die("a ping within the measurement: it takes too long");
    default:
      break;
  }
}

/* What came, and what is to be written: one turn. */
static void turn(int timeout_ms) {
  struct link *ready[256];
  links_flush(&links);
  const int count = links_wait(&links, ready, 256, timeout_ms);
  for (int i = 0; i < count; i += 1) link_take(protocol, &links, ready[i], hear);
}

static void run_until(uint64_t end_ns, struct link *objects, const struct options *options) {
  static uint64_t due_ns;
  static int next;
  if (is_closed_loop) {
    while (now_ns() < end_ns) turn(10);
    return;
  }
  /* Paced, it looks all the time: whoever waits in the kernel for microseconds measures his own waking up. */
  if (due_ns == 0) due_ns = now_ns();
  for (uint64_t now = now_ns(); now < end_ns; now = now_ns()) {
    for (; due_ns <= now; due_ns += NS_PER_S / (uint64_t)options->rate) {
      send_request(&objects[next], due_ns);
      next = (next + 1) % options->count;
    }
    turn(0);
  }
}

void round_trips(const struct options *options) {
  protocol = protocol_named(options->protocol);
  payload_length = (size_t)options->payload;
  if (payload_length < STAMP_OCTETS || payload_length > MOST_PAYLOAD) die("a payload of %d", options->payload);
  memset(payload, 'x', sizeof payload);
  struct link central, *objects = calloc((size_t)options->count, sizeof *objects);
  links_start(&links);
  open_all(protocol, &links, &central, objects, options->count, options->port, hear);

  is_closed_loop = options->rate == 0;
  is_sending = true;
  if (is_closed_loop)
    for (int index = 0; index < options->count; index += 1) send_request(&objects[index], now_ns());
  run_until(now_ns() + (uint64_t)options->warm_up_ms * NS_PER_MS, objects, options);

  latencies_clear(&latencies);
  const uint64_t before = answered, started_ns = now_ns(), cpu_ns = process_cpu_ns(options->pid);
  run_until(started_ns + (uint64_t)options->ms * NS_PER_MS, objects, options);
  const uint64_t used_ns = process_cpu_ns(options->pid) - cpu_ns, took_ns = now_ns() - started_ns;
  const uint64_t measured = answered - before;

  is_sending = false;
  for (const uint64_t late_ns = now_ns() + GRACE_NS; answered < sent && now_ns() < late_ns;) turn(10);
  printf("{\"roundTrips\":%" PRIu64 ",\"perSecond\":%.0f,\"cpuUs\":%.3f,\"p50Us\":%u,\"p99Us\":%u,\"p999Us\":%u,"
         "\"maxUs\":%u,\"lost\":%" PRIu64 ",\"refused\":%" PRIu64 "}\n",
         measured, (double)measured * 1e9 / (double)took_ns, (double)used_ns / 1e3 / (double)measured,
         latencies_at(&latencies, 0.5), latencies_at(&latencies, 0.99), latencies_at(&latencies, 0.999),
         latencies_at(&latencies, 1), sent - answered, refused);
}
