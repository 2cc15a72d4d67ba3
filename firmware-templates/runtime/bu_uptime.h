#pragma once

#include <stdint.h>

namespace bu {

/** Milliseconds since start in 64 bits, from a clock that passes 2^32 and begins again. Tick it at least once in 49 days. */
class Uptime {
 public:
  /** Takes the clock's time in; returns the uptime. */
  uint64_t tick(uint32_t millis) {
    now_ += static_cast<uint32_t>(millis - last_);
    last_ = millis;
    return now_;
  }
  uint64_t now() const { return now_; }

 private:
  uint64_t now_ = 0;
  uint32_t last_ = 0;
};

}  // namespace bu
