#pragma once

#include <stdint.h>

namespace bu {

/** When a request that got no answer, or "not now", goes out again: after 1, 2, 4 … 60 s (wire/unit.md, "Messages"). */
class Resend {
 public:
  static constexpr uint32_t firstMs = 1'000;
  static constexpr uint32_t lastMs = 60'000;

  bool isInFlight() const { return isInFlight_; }
  bool isInFlight(uint16_t tracking) const { return isInFlight_ && tracking_ == tracking; }
  bool mayGo(uint64_t now) const { return !isInFlight_ && now >= notBefore_; }
  bool isLate(uint64_t now, uint32_t allowedMs) const { return isInFlight_ && now - sentAt_ >= allowedMs; }

  void sent(uint16_t tracking, uint64_t now) {
    isInFlight_ = true;
    tracking_ = tracking;
    sentAt_ = now;
  }
  void failed(uint64_t now) {
    isInFlight_ = false;
    notBefore_ = now + waitMs_;
    waitMs_ = waitMs_ >= lastMs / 2 ? lastMs : waitMs_ * 2;
  }
  /** Answered: the next one starts afresh. */
  void done() {
    isInFlight_ = false;
    notBefore_ = 0;
    waitMs_ = firstMs;
  }

 private:
  uint64_t sentAt_ = 0;
  uint64_t notBefore_ = 0;
  uint32_t waitMs_ = firstMs;
  uint16_t tracking_ = 0;
  bool isInFlight_ = false;
};

}  // namespace bu
