#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_writer.h"

namespace bu {

/** What is known of a reading in the ring beside its fields. */
struct Reading {
  uint64_t measuredAt;
  uint32_t sequence;
  uint16_t length;
  uint8_t number;
};

/**
 * Readings not yet acknowledged, oldest first, in memory lent to it. When it is full the oldest is dropped; the gap in
 * the sequence tells. Sequences start at 1 in each boot (wire/unit.md, "Identity of a report").
 */
class ReportRing {
 public:
  /** Keeps at most `slots` readings; there is memory for one more, which is being written. */
  constexpr ReportRing(Reading* readings, uint8_t* values, uint8_t slots, uint16_t slotOctets)
      : readings_(readings), values_(values), slotOctets_(slotOctets), slots_(slots) {}

  /** Where the next reading's fields are written. */
  Writer begin();
  /** Takes in what was written to `begin()`. When the ring is full, the oldest is dropped. */
  void finish(uint8_t number, size_t length, uint64_t now);

  bool isEmpty() const { return count_ == 0; }
  uint16_t count() const { return count_; }
  uint32_t dropped() const { return dropped_; }
  /** The oldest, and its fields. Only when not empty. */
  const Reading& oldest() const { return readings_[first_]; }
  const uint8_t* oldestFields() const { return values_ + static_cast<size_t>(first_) * slotOctets_; }
  void removeOldest();
  /** Forgets all up to and with this sequence. One that was never given out forgets nothing. */
  void forgetUpTo(uint32_t sequence);

  /** No sequence is left in this boot. */
  bool isExhausted() const { return lastSequence_ >= lastOfBoot_; }
  /** A new boot begins: what is in the ring is numbered from 1. */
  void renumber();
  /** The last sequence of a boot; for tests, which cannot wait for four thousand million readings. */
  void setLastOfBoot(uint32_t sequence) { lastOfBoot_ = sequence; }

 private:
  size_t place(uint16_t index) const { return static_cast<size_t>(first_ + index) % (static_cast<size_t>(slots_) + 1); }

  Reading* readings_;
  uint8_t* values_;
  uint32_t lastSequence_ = 0;
  uint32_t lastOfBoot_ = UINT32_MAX;
  uint32_t dropped_ = 0;
  uint16_t slotOctets_;
  uint8_t slots_;
  uint8_t first_ = 0;
  uint16_t count_ = 0;
};

}  // namespace bu
