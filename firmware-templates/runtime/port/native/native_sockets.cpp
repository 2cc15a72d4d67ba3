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
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/sockios.h>
#endif

namespace bu {

namespace {

/** Waiting connections, as lwIP allows on the ESP8266. */
constexpr int backlog = 5;

struct Slot {
  int socket = -1;
  /** The sketch asked for octets since the last wait, and for room to write: else waking it would only spin. */
  bool wantsRead = false;
  bool wantsWrite = false;
};

int listener = -1;
bool wantsAccept = false;
/** Something moved since the last wait: there may be more to do at once. */
bool hasMoved = false;
Slot connections[port::slots];

bool wouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

void setOption(int socket, int level, int name, int value) { setsockopt(socket, level, name, &value, sizeof value); }

[[noreturn]] void giveUp(const char* what, const char* why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

void announceAddress(int socket) {
  sockaddr_storage address = {};
  socklen_t length = sizeof address;
  char host[NI_MAXHOST];
  char service[NI_MAXSERV];
  sockaddr* plain = reinterpret_cast<sockaddr*>(&address);
  if (getsockname(socket, plain, &length) != 0 ||
      getnameinfo(plain, length, host, sizeof host, service, sizeof service, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    giveUp("cannot tell the address", strerror(errno));
  }
  printf("listening %s:%s\n", host, service);
  fflush(stdout);
}

}  // namespace

namespace native {

void listenOn(const Options& options) {
  if (options.inheritedSocket >= 0) {
    listener = options.inheritedSocket;
  } else {
    addrinfo hints = {};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    char service[6];
    snprintf(service, sizeof service, "%u", static_cast<unsigned>(options.port));
    addrinfo* found = nullptr;
    const int problem = getaddrinfo(options.host, service, &hints, &found);
    if (problem != 0) giveUp(options.host, gai_strerror(problem));
    listener = socket(found->ai_family, SOCK_STREAM, 0);
    if (listener < 0) giveUp("cannot open a socket", strerror(errno));
    setOption(listener, SOL_SOCKET, SO_REUSEADDR, 1);
    if (bind(listener, found->ai_addr, found->ai_addrlen) != 0 || listen(listener, backlog) != 0) {
      giveUp("cannot listen", strerror(errno));
    }
    freeaddrinfo(found);
    announceAddress(listener);
  }
  fcntl(listener, F_SETFL, O_NONBLOCK);
}

void waitForSockets(int maxMs) {
  pollfd polled[port::slots + 1];
  nfds_t count = 0;
  if (wantsAccept) polled[count++] = {listener, POLLIN, 0};
  for (Slot& slot : connections) {
    const int events = (slot.wantsRead ? POLLIN : 0) | (slot.wantsWrite ? POLLOUT : 0);
    if (slot.socket >= 0 && events != 0) polled[count++] = {slot.socket, static_cast<short>(events), 0};
    slot.wantsRead = slot.wantsWrite = false;
  }
  wantsAccept = false;
  poll(polled, count, hasMoved ? 0 : maxMs);
  hasMoved = false;
}

int listeningSocket() { return listener; }

}  // namespace native

namespace port {

bool isWaiting() {
  wantsAccept = true;
  pollfd polled = {listener, POLLIN, 0};
  return poll(&polled, 1, 0) == 1;
}

bool accept(uint8_t slot) {
  const int socket = ::accept(listener, nullptr, nullptr);
  if (socket < 0) return false;
  fcntl(socket, F_SETFL, O_NONBLOCK);
  fcntl(socket, F_SETFD, FD_CLOEXEC);
  setOption(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  // The second line of defence against peers that vanish; the session's own pings are the first.
  setOption(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  setOption(socket, IPPROTO_TCP, TCP_KEEPIDLE, 30);
  setOption(socket, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  setOption(socket, IPPROTO_TCP, TCP_KEEPCNT, 3);
  connections[slot] = Slot();
  connections[slot].socket = socket;
  hasMoved = true;
  return true;
}

int read(uint8_t slot, uint8_t* to, size_t capacity) {
  Slot& connection = connections[slot];
  if (connection.socket < 0) return lost;
  connection.wantsRead = true;
  const ssize_t count = recv(connection.socket, to, capacity, 0);
  if (count < 0 && wouldBlock()) return 0;
  if (count <= 0) return lost;
  hasMoved = true;
  return static_cast<int>(count);
}

int write(uint8_t slot, const uint8_t* from, size_t count) {
  Slot& connection = connections[slot];
  if (connection.socket < 0) return lost;
  const ssize_t taken = send(connection.socket, from, count, MSG_NOSIGNAL);
  if (taken < 0 && !wouldBlock()) return lost;
  const size_t written = taken < 0 ? 0 : static_cast<size_t>(taken);
  if (written < count) connection.wantsWrite = true;
  if (written > 0) hasMoved = true;
  return static_cast<int>(written);
}

bool isUnacknowledged(uint8_t slot) {
  int left = 0;
#if defined(SIOCOUTQ)
  if (connections[slot].socket >= 0) ioctl(connections[slot].socket, SIOCOUTQ, &left);
#endif
  return left > 0;
}

void close(uint8_t slot) {
  Slot& connection = connections[slot];
  if (connection.socket < 0) return;
  // Unread octets would turn the close into a reset, which may overtake what was written last.
  shutdown(connection.socket, SHUT_WR);
  uint8_t unread[256];
  for (int left = 64; left > 0 && recv(connection.socket, unread, sizeof unread, 0) > 0; --left) continue;
  ::close(connection.socket);
  connection = Slot();
}

}  // namespace port
}  // namespace bu

#endif
