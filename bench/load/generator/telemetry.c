#define _GNU_SOURCE
#include "telemetry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "die.h"
#include "iotsocket.h"
#include "kernel_drops.h"
#include "octets.h"
#include "process.h"
#include "protocol.h"

/* Datagrams of one `sendmmsg`. */
#define BATCH 64
#define MOST_DATAGRAM 1400
/* When so long nothing has come, what is missing is lost. */
#define QUIET_NS (250 * NS_PER_MS)
/* From the first rate up or down by this factor, until one is lossless and one is not; then halved, down to 5 %. */
#define STEP 1.5
#define CLOSE_ENOUGH 1.05
/* A rate that the generator itself does not reach is no measure of the other side. */
#define REACHED 0.97
/* Something else may have been in the way: a rate is lost, or not reached, when so many attempts say so. */
#define ATTEMPTS 2
#define FIRST_RATE 50000
#define LEAST_RATE 1000

static struct links links;
static struct link central;
static uint8_t (*tokens)[TOKEN_OCTETS];
static int token_count;
/* Where datagrams go. */
static int udp;
static uint8_t *datagrams;
static size_t datagram_length;
/* The other side only counts, and says how many when it is asked. */
static bool is_bare;
static uint64_t received;

static void hear(struct link *link, const struct message *message) {
  if (message->kind == MESSAGE_TELEMETRY) {
    if (message->payload_length != datagram_length - TOKEN_OCTETS - BLOCK_HEAD_OCTETS) die("telemetry of a wrong length");
    received += 1;
  }
  if (message->kind == MESSAGE_PING) send_pong(&links, link);
  if (message->kind != MESSAGE_TOKEN) return;
  memcpy(tokens[link->index], message->payload, TOKEN_OCTETS);
  token_count += 1;
}

static void turn(int timeout_ms) {
  struct link *ready[64];
  links_flush(&links);
  const int count = links_wait(&links, ready, 64, timeout_ms);
  for (int i = 0; i < count; i += 1) link_take(&iotsocket_protocol, &links, ready[i], hear);
}

/* Asks the bare sink, behind all the datagrams, how many it has had since it began. The question comes back before the
   count: an answer that is late is another's. */
static uint64_t count_of_sink(void) {
  static uint8_t question;
  question += 1;
  for (int attempt = 0; attempt < 100; attempt += 1) {
    uint8_t answer[1 + 8];
    send(udp, &question, 1, 0);
    while (recv(udp, answer, sizeof answer, 0) == sizeof answer)
      if (answer[0] == question) return get_u64(answer + 1);
  }
  die("the sink does not answer");
}

static void wait_for_all(uint64_t wanted) {
  if (is_bare) {
    static uint64_t before;
    const uint64_t count = count_of_sink();
    received = count - before;
    before = count;
    return;
  }
  uint64_t seen = received, since_ns = now_ns();
  while (received < wanted && now_ns() < since_ns + QUIET_NS) {
    turn(10);
    if (received == seen) continue;
    seen = received;
    since_ns = now_ns();
  }
}

struct trial {
  uint64_t sent;
  uint64_t lost;
  uint64_t dropped_by_kernel;
  double per_second;
  double cpu_us;
};

static struct trial run_trial(double rate, const struct options *options) {
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH];
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < BATCH; i += 1) messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
  struct trial trial = {0};
  received = 0;
  const uint64_t drops = kernel_drops(options->udp_port), cpu_ns = process_cpu_ns(options->pid);
  const uint64_t started_ns = now_ns(), end_ns = started_ns + (uint64_t)options->ms * NS_PER_MS;
  uint64_t now = started_ns;
  for (; now < end_ns; now = now_ns()) {
    const uint64_t due = (uint64_t)((double)(now - started_ns) * rate / 1e9);
    unsigned batch = due - trial.sent < BATCH ? (unsigned)(due - trial.sent) : BATCH;
    for (unsigned i = 0; i < batch; i += 1)
      parts[i] = (struct iovec){datagrams + (trial.sent + i) % (uint64_t)token_count * datagram_length, datagram_length};
    const int taken = batch == 0 ? 0 : sendmmsg(udp, messages, batch, 0);
    if (taken < 0 && errno != EAGAIN) die("sendmmsg: %s", strerror(errno));
    if (taken > 0) trial.sent += (uint64_t)taken;
    if (!is_bare) turn(0);
  }
  trial.per_second = (double)trial.sent * 1e9 / (double)(now - started_ns);
  wait_for_all(trial.sent);
  trial.lost = received < trial.sent ? trial.sent - received : 0;
  trial.dropped_by_kernel = kernel_drops(options->udp_port) - drops;
  trial.cpu_us = (double)(process_cpu_ns(options->pid) - cpu_ns) / 1e3 / (double)trial.sent;
  return trial;
}

static void prepare_tokens(const struct options *options) {
  tokens = calloc((size_t)options->count, sizeof *tokens);
  links_start(&links);
  if (is_bare) {
    token_count = options->count;
    return;
  }
  struct link *objects = calloc((size_t)options->count, sizeof *objects);
  open_all(&iotsocket_protocol, &links, &central, objects, options->count, options->port, hear);
  for (const uint64_t late_ns = now_ns() + 5 * NS_PER_S; token_count < options->count;) {
    turn(100);
    if (now_ns() > late_ns) die("%d of %d tokens came", token_count, options->count);
  }
}

static void prepare_datagrams(const struct options *options) {
  datagram_length = TOKEN_OCTETS + BLOCK_HEAD_OCTETS + (size_t)options->payload;
  if (datagram_length > MOST_DATAGRAM) die("a payload of %d", options->payload);
  datagrams = malloc((size_t)token_count * datagram_length);
  memset(datagrams, 'x', (size_t)token_count * datagram_length);
  for (int i = 0; i < token_count; i += 1) {
    uint8_t *datagram = datagrams + (size_t)i * datagram_length;
    memcpy(datagram, tokens[i], TOKEN_OCTETS);
    write_block_head(datagram + TOKEN_OCTETS, (size_t)options->payload);
  }
}

static void connect_udp(int port) {
  udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const struct sockaddr_in to = loopback(1, port);
  if (connect(udp, (const struct sockaddr *)&to, sizeof to) < 0) die("udp: %s", strerror(errno));
  const struct timeval patience = {.tv_usec = 100000};
  setsockopt(udp, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

void telemetry(const struct options *options) {
  is_bare = strcmp(options->protocol, "bare") == 0;
  prepare_tokens(options);
  prepare_datagrams(options);
  connect_udp(options->udp_port);
  wait_for_all(0);

  /* The highest rate known to be lossless, and the lowest known not to be; 0: none yet. */
  double rate = options->rate > 0 ? options->rate : FIRST_RATE, good = 0, bad = 0;
  struct trial best = {0}, worst = {0};
  int losses = 0, unreached = 0;
  while (good == 0 || bad == 0 || bad / good > CLOSE_ENOUGH) {
    const struct trial trial = run_trial(rate, options);
    losses = trial.lost > 0 ? losses + 1 : 0;
    unreached = trial.per_second < rate * REACHED ? unreached + 1 : 0;
    if (trial.lost == 0 && trial.per_second > best.per_second) best = trial;
    if (unreached == ATTEMPTS) break;
    if (unreached > 0 || (losses > 0 && losses < ATTEMPTS)) continue;
    if (losses > 0) {
      bad = rate;
      worst = trial;
    } else {
      good = rate;
    }
    if (rate < LEAST_RATE) die("datagrams are lost at any rate");
    rate = bad == 0 ? rate * STEP : good == 0 ? rate / STEP : (bad + good) / 2;
    losses = 0;
  }
  printf("{\"perSecond\":%.0f,\"cpuUs\":%.3f,\"isGeneratorsLimit\":%s,\"lostAbove\":%" PRIu64
         ",\"lostAboveByKernel\":%" PRIu64 "}\n",
         best.per_second, best.cpu_us, unreached > 0 ? "true" : "false", worst.lost, worst.dropped_by_kernel);
}
