#include "bursts.h"

#include <errno.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "die.h"
#include "iotsocket.h"
#include "protocol.h"

/* So many bursts; the median is told. */
#define BURSTS 21
#define PATIENCE_NS (5 * NS_PER_S)

static const struct protocol *protocol;
static struct links links;
static struct link central, object;
static int requests, responses, pongs;

/* What the central answers, all at once when all has come: in one write. */
static void hear(struct link *link, const struct message *message) {
  switch (message->kind) {
    case MESSAGE_REQUEST:
      requests += 1;
      protocol->answer(&links, link, message);
      break;
    case MESSAGE_RESPONSE:
      if (message->code != 0) die("a request was refused: %02x", message->code);
      responses += 1;
      break;
    case MESSAGE_PONG:
      pongs += 1;
      break;
    default:
      break;
  }
}

/* Segments with data that have come. On loopback a write of less than 64 KiB is one, when it goes out at once. */
static int segments(const struct link *link) {
  struct tcp_info info;
  socklen_t length = sizeof info;
  if (getsockopt(link->fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0) die("TCP_INFO: %s", strerror(errno));
  return (int)info.tcpi_data_segs_in;
}

static void wait_for(const int *count, int wanted) {
  const uint64_t late_ns = now_ns() + PATIENCE_NS;
  while (*count < wanted) {
    struct link *ready[2];
    const int found = links_wait(&links, ready, 2, 1);
    for (int i = 0; i < found; i += 1) link_take(protocol, &links, ready[i], hear);
    if (now_ns() > late_ns) die("%d of %d came back", *count, wanted);
  }
}

static int compare(const void *left, const void *right) { return *(const int *)left - *(const int *)right; }
static int median(int *values) {
  qsort(values, BURSTS, sizeof *values, compare);
  return values[BURSTS / 2];
}

void bursts(const struct options *options) {
  protocol = protocol_named(options->protocol);
  uint8_t *payload = calloc(1, (size_t)options->payload);
  links_start(&links);
  open_all(protocol, &links, &central, &object, 1, options->port, hear);
  int to_central[BURSTS], to_object[BURSTS], of_pongs[BURSTS];
  for (int burst = 0; burst < BURSTS; burst += 1) {
    requests = responses = pongs = 0;
    const int central_before = segments(&central);
    for (int i = 0; i < options->count; i += 1) protocol->request(&links, &object, payload, (size_t)options->payload);
    links_flush(&links);
    wait_for(&requests, options->count);
    to_central[burst] = segments(&central) - central_before;

    const int object_before = segments(&object);
    links_flush(&links);
    wait_for(&responses, options->count);
    to_object[burst] = segments(&object) - object_before;

    of_pongs[burst] = 0;
    if (protocol != &iotsocket_protocol) continue;
    const int pongs_before = segments(&object);
    for (int i = 0; i < options->count; i += 1) send_ping(&links, &object);
    links_flush(&links);
    wait_for(&pongs, options->count);
    of_pongs[burst] = segments(&object) - pongs_before;
  }
  printf("{\"messages\":%d,\"toCentral\":%d,\"toObject\":%d,\"pongs\":%d}\n", options->count, median(to_central),
         median(to_object), median(of_pongs));
}
