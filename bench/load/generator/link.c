#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "die.h"

#define READ_OCTETS 65536
#define FIRST_OCTETS 256

struct sockaddr_in loopback(int host, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(0x7f000000u | (uint32_t)host);
  return address;
}

void links_start(struct links *links) {
  links->to_flush = NULL;
  links->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (links->epoll < 0) die("epoll_create1: %s", strerror(errno));
}

void links_watch(struct links *links, struct link *link) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
  if (epoll_ctl(links->epoll, EPOLL_CTL_ADD, link->fd, &event) < 0) die("epoll_ctl: %s", strerror(errno));
}

void link_open(struct links *links, struct link *link, int index, int source, int port) {
  memset(link, 0, sizeof *link);
  link->index = index;
  link->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (link->fd < 0) die("socket: %s", strerror(errno));
  const int on = 1;
  setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  /* The port is chosen at the connect, so that the same one can serve several destinations. */
  setsockopt(link->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const struct sockaddr_in from = loopback(source, 0), to = loopback(1, port);
  if (bind(link->fd, (const struct sockaddr *)&from, sizeof from) < 0) die("bind: %s", strerror(errno));
  if (connect(link->fd, (const struct sockaddr *)&to, sizeof to) < 0) die("connect to %d: %s", port, strerror(errno));
  fcntl(link->fd, F_SETFL, O_NONBLOCK);
  links_watch(links, link);
}

void link_close(struct link *link) {
  close(link->fd);
  free(link->in.octets);
  free(link->out.octets);
}

static void reserve(struct run *run, size_t more) {
  if (run->length + more <= run->capacity) return;
  size_t capacity = run->capacity == 0 ? FIRST_OCTETS : run->capacity;
  while (capacity < run->length + more) capacity *= 2;
  run->octets = realloc(run->octets, capacity);
  if (run->octets == NULL) die("no memory for %zu octets", capacity);
  run->capacity = capacity;
}

void run_drop(struct run *run, size_t length) {
  run->length -= length;
  memmove(run->octets, run->octets + length, run->length);
}

void link_append(struct links *links, struct link *link, const void *octets, size_t length) {
  reserve(&link->out, length);
  memcpy(link->out.octets + link->out.length, octets, length);
  link->out.length += length;
  if (link->is_to_flush) return;
  link->is_to_flush = true;
  link->next_to_flush = links->to_flush;
  links->to_flush = link;
}

void link_write(struct links *links, struct link *link, const void *octets, size_t length) {
  if (link->is_to_flush) die("%d is written to while something waits", link->index);
  const ssize_t sent = send(link->fd, octets, length, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) die("send: %s", strerror(errno));
  const size_t taken = sent < 0 ? 0 : (size_t)sent;
  if (taken < length) link_append(links, link, (const uint8_t *)octets + taken, length - taken);
}

void links_flush(struct links *links) {
  struct link *link = links->to_flush, *kept = NULL;
  while (link != NULL) {
    struct link *next = link->next_to_flush;
    const ssize_t sent = send(link->fd, link->out.octets, link->out.length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) die("send: %s", strerror(errno));
    if (sent > 0) run_drop(&link->out, (size_t)sent);
    link->is_to_flush = link->out.length > 0;
    if (link->is_to_flush) {
      link->next_to_flush = kept;
      kept = link;
    }
    link = next;
  }
  links->to_flush = kept;
}

int links_wait(struct links *links, struct link **ready, int most, int timeout_ms) {
  struct epoll_event events[256];
  if (most > 256) most = 256;
  /* What a full socket did not take is tried again soon. */
  if (links->to_flush != NULL && timeout_ms != 0) timeout_ms = 1;
  const int count = epoll_wait(links->epoll, events, most, timeout_ms);
  if (count < 0 && errno != EINTR) die("epoll_wait: %s", strerror(errno));
  for (int i = 0; i < count; i += 1) ready[i] = events[i].data.ptr;
  return count < 0 ? 0 : count;
}

long link_read(struct link *link) {
  /* Ten thousand idle links need no 64 KiB each: the octets come by way of one buffer. */
  static uint8_t octets[READ_OCTETS];
  const ssize_t length = recv(link->fd, octets, sizeof octets, 0);
  if (length < 0 && errno == EAGAIN) return -1;
  if (length < 0 && errno == ECONNRESET) return 0;
  if (length < 0) die("recv: %s", strerror(errno));
  reserve(&link->in, (size_t)length);
  memcpy(link->in.octets + link->in.length, octets, (size_t)length);
  link->in.length += (size_t)length;
  return length;
}

void link_take_each(struct link *link,
                    size_t (*take)(void *context, struct link *link, const uint8_t *octets, size_t length),
                    void *context) {
  if (link_read(link) == 0) die("the connection of %d was closed, at stage %d", link->index, link->stage);
  size_t used = 0;
  while (used < link->in.length) {
    const size_t taken = take(context, link, link->in.octets + used, link->in.length - used);
    if (taken == 0) break;
    used += taken;
  }
  run_drop(&link->in, used);
}
