#pragma once

#include <stdint.h>

namespace bu {

/** The clock has reached a time that was at most 24 days ahead, and at most as long ago. */
constexpr bool hasPassed(uint32_t time, uint32_t now) { return static_cast<int32_t>(now - time) >= 0; }

/** A request without an answer is taken for lost after this. */
constexpr uint32_t answerMs = 10'000;

/** When a request that got no answer, or "not now", goes out again: after 1, 2, 4 … 60 s (wire/unit.md, "Messages"). */
class Resend {
 public:
  bool isInFlight() const { return isInFlight_; }
  bool isInFlight(uint16_t tracking) const { return isInFlight_ && tracking_ == tracking; }

  /** Minds the time. True when the request may go out. */
  bool step(uint32_t now);
  void sent(uint16_t tracking, uint32_t now) {
    isInFlight_ = true;
    tracking_ = tracking;
    since_ = now;
  }
  void failed(uint32_t now);
  /** Answered: the next one starts afresh. */
  void done() {
    isInFlight_ = false;
    failures_ = 0;
  }

 private:
  static constexpr uint32_t firstMs = 1'000;
  static constexpr uint32_t lastMs = 60'000;
  /** Failures after which the wait is not doubled any more. */
  static constexpr uint8_t doubled = 7;

  /** Since then it is in flight, or waits. */
  uint32_t since_ = 0;
  uint16_t tracking_ = 0;
  bool isInFlight_ = false;
  uint8_t failures_ = 0;
};

}  // namespace bu
