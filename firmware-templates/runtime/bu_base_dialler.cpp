#include "bu_base_dialler.h"

namespace bu {

void BaseDialler::dialling(uint32_t now) {
  state_ = State::dialling;
  since_ = now;
}

void BaseDialler::ended(port::Ending ending, uint32_t random, uint32_t now) {
  state_ = State::waiting;
  since_ = now;
  if (ending == port::Ending::refused) {
    waitMs_ = refusedMs;
    return;
  }
  // Full jitter: a street of units does not come back in step after a power cut.
  waitMs_ = random % doublingMs_;
  doublingMs_ = doublingMs_ >= cappedMs_ / 2 ? cappedMs_ : doublingMs_ * 2;
}

void BaseDialler::hurry() {
  doublingMs_ = firstMs;
  waitMs_ = 0;
}

}  // namespace bu
