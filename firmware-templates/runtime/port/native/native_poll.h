#pragma once

namespace bu::native::poll {

/** Wake the program when this descriptor has something (`POLLIN`), or takes something (`POLLOUT`). For one wait. */
void want(int descriptor, short events);
/** Something moved since the last wait: there may be more to do at once. */
void moved();
/** Waits, at most so long, until something happens that somebody wants: waking for anything else would only spin. */
void wait(int maxMs);

}  // namespace bu::native::poll
