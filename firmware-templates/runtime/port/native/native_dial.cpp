#if !defined(ARDUINO)

#include "native_dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../bu_base_dialler.h"
#include "../../bu_octets.h"
#include "native_poll.h"

namespace bu::native::dial {

namespace {

BaseAddress address = {};
BaseDialler dialler;
bool hasAddress = false;
/** Being dialled, or taken by the base and not yet accepted; -1: none. */
int dialled = -1;
bool isConnected = false;
uint8_t slotInUse = port::noSlot;

void ended(port::Ending ending) {
  uint8_t random[4];
  port::random(random, sizeof random);
  dialler.ended(ending, littleU32(random), port::millis());
}

void giveUpDialling() {
  if (dialled >= 0) close(dialled);
  dialled = -1;
  isConnected = false;
  ended(port::Ending::done);
}

void startDialling() {
  dialler.dialling(port::millis());
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  char service[6];
  snprintf(service, sizeof service, "%u", static_cast<unsigned>(address.port));
  addrinfo* found = nullptr;
  if (getaddrinfo(address.host, service, &hints, &found) != 0) return giveUpDialling();
  dialled = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int result = dialled < 0 ? -1 : connect(dialled, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  if (result != 0 && errno != EINPROGRESS) giveUpDialling();
}

void checkDialling() {
  pollfd polled = {dialled, POLLOUT, 0};
  if (::poll(&polled, 1, 0) != 1) {
    if (dialler.isLate(port::millis())) return giveUpDialling();
    return poll::want(dialled, POLLOUT);
  }
  int problem = 0;
  socklen_t length = sizeof problem;
  if (getsockopt(dialled, SOL_SOCKET, SO_ERROR, &problem, &length) != 0 || problem != 0) return giveUpDialling();
  isConnected = true;
  dialler.connected();
}

}  // namespace

void begin(const Text<maxBaseAddress>& base, uint32_t sleepMs) {
  hasAddress = parseBaseAddress(base.c_str(), address);
  dialler.begin(sleepMs);
  // With another address what was learnt about the one before means nothing.
  if (dialled >= 0) giveUpDialling();
  dialler.hurry();
}

void loop() {
  if (dialled >= 0 && !isConnected) checkDialling();
  if (hasAddress && dialled < 0 && dialler.isDue(port::millis())) startDialling();
}

bool isWaiting() { return isConnected; }

int takeConnection() {
  const int connection = dialled;
  dialled = -1;
  isConnected = false;
  return connection;
}

void tookSlot(uint8_t slot) {
  slotInUse = slot;
  if (slot == port::noSlot) ended(port::Ending::done);
}

void welcomed(uint8_t slot) {
  if (slot == slotInUse) dialler.welcomed();
}

void closed(uint8_t slot, port::Ending ending) {
  if (slot != slotInUse) return;
  slotInUse = port::noSlot;
  ended(ending);
}

}  // namespace bu::native::dial

#endif
