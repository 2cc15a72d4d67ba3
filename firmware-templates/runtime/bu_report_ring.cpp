#include "bu_report_ring.h"

namespace bu {

Writer ReportRing::begin() { return Writer(values_ + place(count_) * slotOctets_, slotOctets_); }

void ReportRing::finish(uint8_t number, size_t length, uint64_t now) {
  Reading& reading = readings_[place(count_)];
  reading.number = number;
  reading.length = static_cast<uint16_t>(length);
  reading.measuredAt = now;
  reading.sequence = ++lastSequence_;
  ++count_;
  if (count_ > slots_) {
    removeOldest();
    ++dropped_;
  }
}

void ReportRing::removeOldest() {
  first_ = static_cast<uint8_t>(place(1));
  --count_;
}

void ReportRing::forgetUpTo(uint32_t sequence) {
  if (sequence > lastSequence_) return;
  while (count_ > 0 && oldest().sequence <= sequence) removeOldest();
}

void ReportRing::renumber() {
  lastSequence_ = 0;
  for (uint16_t index = 0; index < count_; ++index) readings_[place(index)].sequence = ++lastSequence_;
}

}  // namespace bu
