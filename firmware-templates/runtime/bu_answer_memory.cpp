#include "bu_answer_memory.h"

#include <string.h>

namespace bu {

const RememberedAnswer* AnswerMemory::find(uint32_t id) const {
  // 0 is no id: an empty place is never found.
  if (id == 0) return nullptr;
  for (const RememberedAnswer& answer : answers_) {
    if (answer.id == id) return &answer;
  }
  return nullptr;
}

const RememberedAnswer& AnswerMemory::remember(uint32_t id, bool isOk, const void* octets, uint8_t length) {
  RememberedAnswer& answer = answers_[next_];
  next_ = static_cast<uint8_t>((next_ + 1) % slots);
  answer.id = id;
  answer.isOk = isOk;
  answer.length = length > maxReasonOctets ? static_cast<uint8_t>(maxReasonOctets) : length;
  memcpy(answer.octets, octets, answer.length);
  return answer;
}

}  // namespace bu
