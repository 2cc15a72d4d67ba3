#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bu_answer.h"
#include "bu_once.h"

namespace bu {

/** Reply fields of an answer; with their message number 32 (wire/unit.md, "Commands are remembered"). */
constexpr uint8_t maxReplyOctets = 31;

/** What a command was answered with: reply fields, or a reason. */
struct RememberedAnswer {
  uint32_t id;
  bool isOk : 1;
  uint8_t length : 7;
  uint8_t octets[maxReplyOctets];
};

static_assert(sizeof(RememberedAnswer) == 36, "16 of them are most of a unit's memory");

/**
 * The answers of the last 16 commands, so that one sent twice is applied once. The oldest makes room. The
 * reason of the latest refusal is kept whole, of one before as much as a reply can have.
 */
class AnswerMemory {
 public:
  static constexpr uint8_t slots = 16;

  /** Null when this id, which is not 0, is not among the last 16. */
  const RememberedAnswer* find(uint32_t id) const;
  /** Keeps the answer just given: of one that is `ok` its reply fields, at most `maxReplyOctets`. */
  void remember(uint32_t id, Answer answer, const uint8_t* fields, size_t length);
  /** The answer as it was. Message number and reply fields are written to `reply`, and so is a reason that `Answer` no longer has. */
  static Answer recall(const RememberedAnswer& known, uint8_t number, Writer& reply);

 private:
  uint8_t next_ = 0;
  RememberedAnswer answers_[slots] = {};
};

BU_ONCE const RememberedAnswer* AnswerMemory::find(uint32_t id) const {
  for (const RememberedAnswer& answer : answers_) {
    if (answer.id == id) return &answer;
  }
  return nullptr;
}

BU_ONCE void AnswerMemory::remember(uint32_t id, Answer answer, const uint8_t* fields, size_t length) {
  if (!answer.isOk()) {
    Answer::setReasonOf(id);
    fields = reinterpret_cast<const uint8_t*>(Answer::reason());
    length = Answer::reasonLength();
  }
  if (length > maxReplyOctets) {
    // A reason: reply fields are never longer. Cut between two characters.
    length = maxReplyOctets;
    while ((fields[length] & 0xc0U) == 0x80) --length;
  }
  RememberedAnswer& place = answers_[next_];
  next_ = (next_ + 1U) % slots;
  place.id = id;
  place.isOk = answer.isOk();
  place.length = length & 0x7fU;
  memcpy(place.octets, fields, length);
}

BU_ONCE Answer AnswerMemory::recall(const RememberedAnswer& known, uint8_t number, Writer& reply) {
  if (known.isOk && known.length > 0) *reply.take(1) = number;
  if (known.isOk || Answer::reasonOf() != known.id) reply.octets(known.octets, known.length);
  return known.isOk ? Answer::ok() : Answer::refused();
}

}  // namespace bu
