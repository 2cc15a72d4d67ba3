#pragma once

#include <stdint.h>

namespace bu {

/** Counted from the first welcome: a sleeping unit stays no longer, whatever is left (wire/unit.md, "Life of a link"). */
constexpr uint32_t visitMs = 10'000;
/** A unit that nobody has welcomed sleeps after this: its battery is worth more than its readings. */
constexpr uint32_t unwelcomeMs = 60'000;

/** When a unit that sleeps between visits to its base goes to sleep again. */
class Sleeper {
 public:
  void start(uint32_t now) { since_ = now; }

  /** `isDone`: nothing is left to be sent or answered. True: it is time to go, from then on. */
  bool isTime(uint32_t now, bool isServed, bool isDone) {
    if (isServed && !wasWelcome_) {
      wasWelcome_ = true;
      since_ = now;
    }
    if ((isServed && isDone) || now - since_ >= (wasWelcome_ ? visitMs : unwelcomeMs)) isGoing_ = true;
    return isGoing_;
  }

 private:
  /** Its start, then its welcome. */
  uint32_t since_ = 0;
  bool wasWelcome_ = false;
  bool isGoing_ = false;
};

}  // namespace bu
