#pragma once

#include <stdint.h>

#include "bu_port.h"

namespace bu {

/** `isDue()` is true once an interval, at once the first time. A loop that was late does not catch up. */
class Every {
 public:
  constexpr explicit Every(uint32_t intervalMs) : intervalMs_(intervalMs) {}

  bool isDue() {
    const uint32_t now = port::millis();
    // Subtraction stays right when millis() passes 2^32 and begins again.
    if (hasRun_ && static_cast<uint32_t>(now - lastMs_) < intervalMs_) return false;
    const bool isLate = !hasRun_ || static_cast<uint32_t>(now - lastMs_) >= 2 * intervalMs_;
    lastMs_ = isLate ? now : lastMs_ + intervalMs_;
    hasRun_ = true;
    return true;
  }

 private:
  uint32_t intervalMs_;
  uint32_t lastMs_ = 0;
  bool hasRun_ = false;
};

}  // namespace bu
