#pragma once

#include <stdint.h>

#include "bu_answer.h"

namespace bu {

/** Reply fields of an answer with their message number (wire/unit.md, "Commands are remembered"). */
constexpr size_t maxReplyOctets = 32;

/** What a command was answered with: `ok` and reply octets, or a reason. */
struct RememberedAnswer {
  uint32_t id;
  bool isOk;
  uint8_t length;
  // Room for a whole reason, so that the second answer is the first one to the octet.
  uint8_t octets[maxReasonOctets];
};

static_assert(maxReplyOctets <= maxReasonOctets, "a reply fits where a reason fits");

/** The answers of the last 16 commands, so that one sent twice is applied once. The oldest makes room. */
class AnswerMemory {
 public:
  static constexpr uint8_t slots = 16;

  /** Null when this id is not among the last 16. */
  const RememberedAnswer* find(uint32_t id) const;
  const RememberedAnswer& remember(uint32_t id, bool isOk, const void* octets, uint8_t length);

 private:
  RememberedAnswer answers_[slots] = {};
  uint8_t next_ = 0;
};

}  // namespace bu
