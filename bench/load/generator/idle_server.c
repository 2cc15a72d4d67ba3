#define _GNU_SOURCE
#include "idle_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "die.h"
#include "iotsocket.h"
#include "link.h"

#define PING_AFTER_NS (15 * NS_PER_S)
#define SWEEP_NS (500 * NS_PER_MS)
/* Beside the sessions: whoever looks whether it is there. */
#define MORE_CONNECTIONS 100
#define BACKLOG 4096

enum { NEW, CHALLENGED, OPEN, GONE };
/* Octets that each step takes. */
static const size_t needed[] = {4, 48};

struct session {
  struct link link;
  uint64_t heard_ns;
  bool is_pinged;
};

static struct links links;
static struct link listener;
static struct session *sessions;
static int session_count, most_sessions;

static void listen_at(int port) {
  const int on = 1;
  listener.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const struct sockaddr_in at = loopback(1, port);
  if (bind(listener.fd, (const struct sockaddr *)&at, sizeof at) < 0) die("bind: %s", strerror(errno));
  if (listen(listener.fd, BACKLOG) < 0) die("listen: %s", strerror(errno));
  links_start(&links);
  links_watch(&links, &listener);
}

static void accept_one(void) {
  const int fd = accept4(listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) die("accept4: %s", strerror(errno));
  if (session_count == most_sessions) die("more than %d connections", most_sessions);
  struct session *session = &sessions[session_count];
  session_count += 1;
  session->link.fd = fd;
  links_watch(&links, &session->link);
}

static void hear(struct session *session, uint64_t now) {
  struct link *link = &session->link;
  session->heard_ns = now;
  session->is_pinged = false;
  if (link_read(link) == 0) {
    link->stage = GONE;
    close(link->fd);
    return;
  }
  while (link->stage != OPEN && link->in.length >= needed[link->stage]) {
    static const uint8_t accepted_and_challenge[2 + 16] = {0x80};
    static const uint8_t verdict[1] = {1};
    run_drop(&link->in, needed[link->stage]);
    if (link->stage == NEW)
      link_append(&links, link, accepted_and_challenge, sizeof accepted_and_challenge);
    else
      link_append(&links, link, verdict, sizeof verdict);
    link->stage += 1;
  }
  if (link->stage == OPEN) link->in.length = 0;
}

static void ping_the_silent(uint64_t now) {
  for (int i = 0; i < session_count; i += 1) {
    struct session *session = &sessions[i];
    if (session->link.stage != OPEN || session->is_pinged || now - session->heard_ns < PING_AFTER_NS) continue;
    session->is_pinged = true;
    send_ping(&links, &session->link);
  }
}

void idle_server(const struct options *options) {
  most_sessions = options->count + MORE_CONNECTIONS;
  sessions = calloc((size_t)most_sessions, sizeof *sessions);
  listen_at(options->port);
  for (uint64_t swept_ns = now_ns();;) {
    struct link *ready[256];
    links_flush(&links);
    const int count = links_wait(&links, ready, 256, 100);
    const uint64_t now = now_ns();
    for (int i = 0; i < count; i += 1) {
      if (ready[i] == &listener)
        accept_one();
      else
        hear((struct session *)ready[i], now);
    }
    if (now - swept_ns < SWEEP_NS) continue;
    swept_ns = now;
    ping_the_silent(now);
  }
}
