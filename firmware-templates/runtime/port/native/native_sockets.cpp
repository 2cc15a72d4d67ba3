#if !defined(ARDUINO)

#include "native_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/sockios.h>
#endif

#include "native_poll.h"
#include "native_process.h"

namespace bu::native::sockets {

namespace {

/** Waiting connections, as lwIP allows on the ESP8266. */
constexpr int backlog = 5;

int listener = -1;
int connections[slots] = {-1, -1};

bool wouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

void setOption(int socket, int level, int name, int value) { setsockopt(socket, level, name, &value, sizeof value); }

void announceAddress(int socket) {
  sockaddr_storage address = {};
  socklen_t length = sizeof address;
  char host[NI_MAXHOST];
  char service[NI_MAXSERV];
  sockaddr* plain = reinterpret_cast<sockaddr*>(&address);
  if (getsockname(socket, plain, &length) != 0 ||
      getnameinfo(plain, length, host, sizeof host, service, sizeof service, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    giveUp("cannot tell the address");
  }
  printf("listening %s:%s\n", host, service);
  fflush(stdout);
}

}  // namespace

void listenOn(const Options& options) {
  if (listener >= 0) return;
  listener = options.inheritedSocket;
  if (listener < 0) {
    addrinfo hints = {};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    char service[6];
    snprintf(service, sizeof service, "%u", static_cast<unsigned>(options.port));
    addrinfo* found = nullptr;
    const int problem = getaddrinfo(options.host, service, &hints, &found);
    if (problem != 0) {
      fprintf(stderr, "%s: %s\n", options.host, gai_strerror(problem));
      exit(1);
    }
    listener = socket(found->ai_family, SOCK_STREAM, 0);
    if (listener < 0) giveUp("cannot open a socket");
    setOption(listener, SOL_SOCKET, SO_REUSEADDR, 1);
    if (bind(listener, found->ai_addr, found->ai_addrlen) != 0 || listen(listener, backlog) != 0) {
      giveUp("cannot listen");
    }
    freeaddrinfo(found);
    announceAddress(listener);
  }
  fcntl(listener, F_SETFL, O_NONBLOCK);
}

int listeningSocket() { return listener; }

bool isWaiting() {
  if (listener < 0) return false;
  poll::want(listener, POLLIN);
  pollfd polled = {listener, POLLIN, 0};
  return ::poll(&polled, 1, 0) == 1;
}

int acceptNext() { return listener < 0 ? -1 : ::accept(listener, nullptr, nullptr); }

uint8_t adopt(int socket) {
  const uint8_t slot = connections[0] < 0 ? 0 : 1;
  if (connections[slot] >= 0) {
    ::close(socket);
    return port::noSlot;
  }
  fcntl(socket, F_SETFL, O_NONBLOCK);
  fcntl(socket, F_SETFD, FD_CLOEXEC);
  setOption(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  // The second line of defence against peers that vanish; the session's own pings are the first.
  setOption(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  setOption(socket, IPPROTO_TCP, TCP_KEEPIDLE, 30);
  setOption(socket, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  setOption(socket, IPPROTO_TCP, TCP_KEEPCNT, 3);
  connections[slot] = socket;
  poll::moved();
  return slot;
}

int read(uint8_t slot, uint8_t* to, size_t capacity) {
  const int socket = connections[slot];
  if (socket < 0) return port::lost;
  poll::want(socket, POLLIN);
  const ssize_t count = recv(socket, to, capacity, 0);
  if (count < 0 && wouldBlock()) return 0;
  if (count <= 0) return port::lost;
  poll::moved();
  return static_cast<int>(count);
}

int write(uint8_t slot, const uint8_t* from, size_t count) {
  const int socket = connections[slot];
  if (socket < 0) return port::lost;
  const ssize_t taken = send(socket, from, count, MSG_NOSIGNAL);
  if (taken < 0 && !wouldBlock()) return port::lost;
  const size_t written = taken < 0 ? 0 : static_cast<size_t>(taken);
  if (written < count) poll::want(socket, POLLOUT);
  if (written > 0) poll::moved();
  return static_cast<int>(written);
}

bool isUnacknowledged(uint8_t slot) {
  int left = 0;
#if defined(SIOCOUTQ)
  if (connections[slot] >= 0) ioctl(connections[slot], SIOCOUTQ, &left);
#endif
  return left > 0;
}

void close(uint8_t slot) {
  const int socket = connections[slot];
  if (socket < 0) return;
  // Unread octets would turn the close into a reset, which may overtake what was written last.
  shutdown(socket, SHUT_WR);
  uint8_t unread[256];
  for (int left = 64; left > 0 && recv(socket, unread, sizeof unread, 0) > 0; --left) continue;
  ::close(socket);
  connections[slot] = -1;
}

void drop(uint8_t slot) {
  if (connections[slot] >= 0) shutdown(connections[slot], SHUT_RDWR);
}

}  // namespace bu::native::sockets

#endif
