#include "flows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "die.h"
#include "flow_protocol.h"
#include "octets.h"
#include "process.h"

/* Data begins with the number of its publisher and the message's number of that publisher's. */
#define STAMP_OCTETS 12
#define DATA (2 * FLOW_RECORD_OCTETS)

struct publisher {
  struct link link;
  uint64_t published;
};

struct subscriber {
  uint64_t received;
  /* Of each publisher, the number of its next message. */
  uint64_t *next;
};

static const struct flow_protocol *protocol;
static const struct options *options;
static struct links links;
/* When so long nothing has come, what is missing is lost. */
static uint64_t patience_ns;
static struct link *subscriber_links;
static struct subscriber *subscribers;
static struct publisher *publishers;
/* A message as it must come, but for the stamp. */
static uint8_t message[FLOW_MESSAGE_OCTETS];
/* The octets of one write. */
static uint8_t *batch;
static int opened;
static uint64_t published, delivered;

static const struct flow_protocol *protocol_of(const char *name) {
  const struct flow_protocol *const all[] = {&yamqtt_flows, &mqtt_flows};
  for (size_t i = 0; i < sizeof all / sizeof *all; i += 1)
    if (strcmp(all[i]->name, name) == 0) return all[i];
  die("no flows over %s", name);
}

static void hear_message(int index, const uint8_t *octets) {
  struct subscriber *subscriber = &subscribers[index];
  if (memcmp(octets, message, DATA) != 0) die("%d got a message with another head", index);
  const uint8_t *data = octets + DATA;
  if (memcmp(data + STAMP_OCTETS, message + DATA + STAMP_OCTETS, FLOW_RECORD_OCTETS - STAMP_OCTETS) != 0)
    die("%d got a message with other data", index);
  const uint32_t from = get_u32(data);
  const uint64_t number = get_u64(data + 4);
  if (from >= (uint32_t)options->publishers) die("%d got a message of nobody", index);
  if (number != subscriber->next[from])
    die("%d got message %" PRIu64 " of publisher %u, not %" PRIu64, index, number, from, subscriber->next[from]);
  subscriber->next[from] += 1;
  subscriber->received += 1;
  delivered += 1;
}

static size_t take(void *context, struct link *link, const uint8_t *octets, size_t length) {
  (void)context;
  struct flow_message got = {0};
  const size_t used = protocol->take(link, octets, length, &got);
  if (got.is_opening) opened += 1;
  if (got.octets == NULL) return used;
  if (link->index >= options->subscribers) die("publisher %d got a message", link->index - options->subscribers);
  hear_message(link->index, got.octets);
  return used;
}

static void turn(int timeout_ms) {
  struct link *ready[256];
  links_flush(&links);
  const int count = links_wait(&links, ready, 256, timeout_ms);
  for (int i = 0; i < count; i += 1) link_take_each(ready[i], take, NULL);
}

/* Subscribers come first: a publisher's number is that of its link less theirs. */
static void open_one(struct link *link, int index) {
  const bool is_subscriber = index < options->subscribers;
  link_open(&links, link, index, 1, options->port);
  const int wanted = opened + (protocol->begin(&links, link, is_subscriber) ? 1 : 0);
  for (const uint64_t late_ns = now_ns() + patience_ns; opened < wanted;) {
    turn(100);
    if (now_ns() > late_ns) die("%d was not let in in time", index);
  }
}

static void publish(struct publisher *publisher) {
  size_t length = 0;
  for (int i = 0; i < options->run; i += 1) {
    put_u32(message + DATA, (uint32_t)(publisher - publishers));
    put_u64(message + DATA + 4, publisher->published);
    length += protocol->publish(batch + length, message);
    publisher->published += 1;
  }
  published += (uint64_t)options->run;
  link_write(&links, &publisher->link, batch, length);
}

/* Messages that the slowest subscriber does not have yet. */
static uint64_t in_flight(void) {
  uint64_t least = subscribers[0].received;
  for (int i = 1; i < options->subscribers; i += 1)
    if (subscribers[i].received < least) least = subscribers[i].received;
  return published - least;
}

/* One write after the other, of each publisher in turn, up to the window. */
static void publish_what_may(void) {
  static int next;
  int waiting = 0;
  for (uint64_t flying = in_flight(); flying + (uint64_t)options->run <= (uint64_t)options->window;) {
    struct publisher *publisher = &publishers[next];
    next = (next + 1) % options->publishers;
    if (publisher->link.is_to_flush) {
      /* Its socket is full. */
      waiting += 1;
      if (waiting == options->publishers) return;
      continue;
    }
    waiting = 0;
    publish(publisher);
    flying += (uint64_t)options->run;
  }
}

static void run_for(int ms) {
  for (const uint64_t end_ns = now_ns() + (uint64_t)ms * NS_PER_MS; now_ns() < end_ns;) {
    publish_what_may();
    turn(10);
  }
}

static void wait_for_the_rest(void) {
  uint64_t seen = delivered, since_ns = now_ns();
  while (in_flight() > 0) {
    turn(10);
    if (now_ns() > since_ns + patience_ns) die("%" PRIu64 " messages did not come", in_flight());
    if (delivered == seen) continue;
    seen = delivered;
    since_ns = now_ns();
  }
}

static void prepare(void) {
  uint8_t data[FLOW_RECORD_OCTETS];
  for (size_t i = 0; i < sizeof data; i += 1) data[i] = (uint8_t)(i * 7);
  write_flow_message(message, 'm', FLOW, data, sizeof data);
  batch = malloc((size_t)options->run * (FLOW_MESSAGE_OCTETS + FLOW_MOST_ADDED));
  subscribers = calloc((size_t)options->subscribers, sizeof *subscribers);
  subscriber_links = calloc((size_t)options->subscribers, sizeof *subscriber_links);
  publishers = calloc((size_t)options->publishers, sizeof *publishers);
  links_start(&links);
  for (int i = 0; i < options->subscribers; i += 1) {
    subscribers[i].next = calloc((size_t)options->publishers, sizeof *subscribers[i].next);
    open_one(&subscriber_links[i], i);
  }
  for (int i = 0; i < options->publishers; i += 1) open_one(&publishers[i].link, options->subscribers + i);
}

void flows(const struct options *given) {
  options = given;
  patience_ns = (uint64_t)options->patience_ms * NS_PER_MS;
  protocol = protocol_of(options->protocol);
  if (options->publishers < 1 || options->subscribers < 1) die("nobody publishes, or nobody hears");
  if (options->run < 1 || options->run > options->window) die("writes of %d, %d in flight", options->run, options->window);
  prepare();
  run_for(options->warm_up_ms);
  const uint64_t before = delivered, started_ns = now_ns(), cpu_ns = process_cpu_ns(options->pid);
  run_for(options->ms);
  const uint64_t used_ns = process_cpu_ns(options->pid) - cpu_ns, took_ns = now_ns() - started_ns;
  const uint64_t measured = delivered - before;
  wait_for_the_rest();
  if (measured == 0) die("nothing came");
  printf("{\"delivered\":%" PRIu64 ",\"perSecond\":%.0f,\"cpuUs\":%.3f}\n", measured,
         (double)measured * 1e9 / (double)took_ns, (double)used_ns / 1e3 / (double)measured);
}
