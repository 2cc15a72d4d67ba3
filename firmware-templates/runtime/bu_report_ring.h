#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_once.h"
#include "bu_writer.h"

namespace bu {

/** What is known of a reading in the ring beside its fields. */
struct Reading {
  /** The clock, and how often it had passed 2^32 and begun again. */
  uint32_t measuredAt;
  uint8_t turn;
  uint8_t number;
  uint16_t length;
};

static_assert(sizeof(Reading) == 8, "the ring is the largest part of a unit's memory");

/**
 * Readings not yet acknowledged, oldest first, in memory lent to it. When it is full the oldest is dropped; the gap in
 * the sequence tells. Sequences start at 1 in each boot (wire/unit.md, "Identity of a report").
 */
class ReportRing {
 public:
  /** Keeps at most `slots` readings; there is memory for one more, which is being written. Where that memory ends. */
  uint8_t* lend(Reading* memory, uint8_t slots, uint16_t slotOctets) {
    readings_ = memory;
    values_ = reinterpret_cast<uint8_t*>(memory + slots + 1);
    slots_ = slots;
    slotOctets_ = slotOctets;
    return fieldsAt(slots) + slotOctets;
  }

  /** Where the next reading's fields are written. */
  Writer begin() { return Writer(fieldsAt(place(count_)), slotOctets_); }
  /** Takes in what was written to `begin()`. When the ring is full, the oldest is dropped. */
  void finish(uint8_t number, size_t length, uint32_t now, uint8_t turn);

  bool isEmpty() const { return count_ == 0; }
  uint32_t dropped() const { return dropped_; }
  /** The oldest, its fields, and its sequence. Only when not empty. */
  const Reading& oldest() const { return readings_[first_]; }
  const uint8_t* oldestFields() const { return fieldsAt(first_); }
  uint32_t oldestSequence() const { return lastSequence_ - count_ + 1; }
  void removeOldest();
  /** Forgets all up to and with this sequence. One that was never given out forgets nothing. */
  void forgetUpTo(uint32_t sequence);

  /** Of the newest reading; 0: none was made in this boot. */
  uint32_t lastSequence() const { return lastSequence_; }
  /** No sequence is left in this boot. */
  bool isExhausted() const { return lastSequence_ == UINT32_MAX; }
  /** A new boot begins: what is in the ring is numbered from 1. */
  void renumber() { lastSequence_ = count_; }
  /** For tests, which cannot wait for four thousand million readings. */
  void skipTo(uint32_t sequence) { lastSequence_ = sequence; }

 private:
  uint8_t place(size_t index) const;
  uint8_t* fieldsAt(uint8_t place) const { return values_ + static_cast<size_t>(place) * slotOctets_; }

  Reading* readings_ = nullptr;
  uint8_t* values_ = nullptr;
  uint32_t lastSequence_ = 0;
  uint32_t dropped_ = 0;
  uint16_t slotOctets_ = 0;
  uint16_t count_ = 0;
  uint8_t slots_ = 0;
  uint8_t first_ = 0;
};

BU_ONCE void ReportRing::finish(uint8_t number, size_t length, uint32_t now, uint8_t turn) {
  Reading& reading = readings_[place(count_)];
  reading.measuredAt = now;
  reading.turn = turn;
  reading.number = number;
  reading.length = static_cast<uint16_t>(length);
  ++lastSequence_;
  if (count_ < slots_) {
    ++count_;
  } else {
    first_ = place(1);
    ++dropped_;
  }
}

inline void ReportRing::removeOldest() {
  first_ = place(1);
  --count_;
}

BU_ONCE void ReportRing::forgetUpTo(uint32_t sequence) {
  if (sequence > lastSequence_) return;
  while (count_ > lastSequence_ - sequence) removeOldest();
}

inline uint8_t ReportRing::place(size_t index) const {
  const size_t at = first_ + index;
  return static_cast<uint8_t>(at > slots_ ? at - slots_ - 1 : at);
}

}  // namespace bu
