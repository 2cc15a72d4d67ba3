#if !defined(ARDUINO)

#include "native_poll.h"

#include <poll.h>

namespace bu::native::poll {

namespace {

/** Listener, two connections, one that is being dialled, serial line. */
constexpr nfds_t most = 5;

pollfd wanted[most];
nfds_t count = 0;
bool hasMoved = false;

}  // namespace

void want(int descriptor, short events) {
  for (nfds_t index = 0; index < count; ++index) {
    if (wanted[index].fd != descriptor) continue;
    wanted[index].events = static_cast<short>(wanted[index].events | events);
    return;
  }
  if (count < most) wanted[count++] = {descriptor, events, 0};
}

void moved() { hasMoved = true; }

void wait(int maxMs) {
  ::poll(wanted, count, hasMoved ? 0 : maxMs);
  count = 0;
  hasMoved = false;
}

}  // namespace bu::native::poll

#endif
