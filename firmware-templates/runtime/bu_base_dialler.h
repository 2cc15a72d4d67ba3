#pragma once

#include <stdint.h>

#include "bu_port.h"

namespace bu {

/**
 * When a unit that dials its base dials again (wire/unit.md, "Life of a link"): after a random part of a time that doubles
 * from 1 s to 60 s (15 s for units that sleep between visits) until a base is there that proves itself and answers the hello;
 * after 5 min when it was the wrong base, or the base knows another key. What dials is the port; `now` is its clock.
 */
class BaseDialler {
 public:
  static constexpr uint32_t firstMs = 1'000;
  static constexpr uint32_t lastMs = 60'000;
  static constexpr uint32_t lastOfSleeperMs = 15'000;
  static constexpr uint32_t refusedMs = 300'000;
  /** A base that has not taken the connection after this will not. */
  static constexpr uint32_t connectMs = 5'000;

  /** At once the first time. `sleepMs`: of the unit's description. */
  void begin(uint32_t sleepMs) { cappedMs_ = sleepMs > 0 ? lastOfSleeperMs : lastMs; }

  /** It is time to dial: say `dialling` and do so. */
  bool isDue(uint32_t now) const { return state_ == State::waiting && now - since_ >= waitMs_; }
  void dialling(uint32_t now);
  /** Nobody took the connection in time: give it up, and say `ended`. */
  bool isLate(uint32_t now) const { return state_ == State::dialling && now - since_ >= connectMs; }
  /** The base took the connection; the rest is the session's. */
  void connected() { state_ = State::connected; }
  /** The base there has proved itself and answered the hello. */
  void welcomed() { doublingMs_ = firstMs; }
  /** The connection came to nothing, or ended. `random`: any number. */
  void ended(port::Ending ending, uint32_t random, uint32_t now);
  /** The network is back, or the address is another one: what was waited for means nothing. */
  void hurry();

 private:
  enum class State : uint8_t { waiting, dialling, connected };

  uint32_t since_ = 0;
  uint32_t waitMs_ = 0;
  uint32_t doublingMs_ = firstMs;
  uint32_t cappedMs_ = lastMs;
  State state_ = State::waiting;
};

}  // namespace bu
