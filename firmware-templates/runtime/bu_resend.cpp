#include "bu_resend.h"

namespace bu {

bool Resend::step(uint32_t now) {
  const uint32_t passed = now - since_;
  if (isInFlight_) {
    if (passed >= answerMs) failed(now);
    return false;
  }
  if (failures_ == 0) return true;
  return passed >= (failures_ < doubled ? firstMs / 2 << failures_ : lastMs);
}

void Resend::failed(uint32_t now) {
  isInFlight_ = false;
  since_ = now;
  if (failures_ < doubled) ++failures_;
}

}  // namespace bu
