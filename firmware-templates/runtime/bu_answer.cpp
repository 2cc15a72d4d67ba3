#include "bu_answer.h"

#include <string.h>

#include "bu_utf8.h"

namespace bu {

namespace {
/** In the order of OwnReason. */
const char ownReasons[] BU_FLASH = "no such command\0not typed\0no id\0no such offset";
}  // namespace

Answer::Reason Answer::reason_;

Answer Answer::refused(const char* reason) {
  const Answer answer = begin();
  const size_t length = strlen(reason);
  // Cut between two characters: what begins before the bound and ends behind it is left out.
  size_t at = 0;
  // An empty reason becomes `?`, too: a refusal has one, by which its second answer is told from others.
  do {
    const size_t character = utf8CharacterAt(reinterpret_cast<const uint8_t*>(reason) + at, length - at);
    if (reason_.length + character > maxReasonOctets) break;
    if (character == 0) put('?');
    for (size_t index = 0; index < character; ++index) put(reason[at + index]);
    at += character == 0 ? 1 : character;
  } while (at < length);
  return answer;
}

Answer Answer::refused(FlashText reason) {
  const Answer answer = begin();
  for (uint16_t index = 0; index < reason.length; ++index) put(static_cast<char>(octetFromFlash(reason.at + index)));
  return answer;
}

Answer Answer::refused(OwnReason reason) {
  const Answer answer = begin();
  putItem(ownReasons, static_cast<size_t>(reason));
  return answer;
}

/** A refusal of no field names the message alone. */
Answer Answer::about(Refusal refusal, uint8_t field, FlashText names) {
  const Answer answer = begin();
  putItem(names.at, 0);
  if (field != noField) {
    put('.');
    putItem(names.at, field + 1U);
  }
  put(':');
  put(' ');
  putItem(refusalNames, static_cast<size_t>(refusal));
  return answer;
}

Answer Answer::begin() {
  reason_.of = 0;
  reason_.length = 0;
  reason_.text[0] = '\0';
  return Answer(false);
}

void Answer::put(char octet) {
  if (reason_.length != maxReasonOctets) reason_.text[reason_.length++] = octet;
  reason_.text[reason_.length] = '\0';
}

/** One of the texts that lie in flash one behind the other, each ended by a zero. */
void Answer::putItem(const char* list, size_t index) {
  for (size_t skip = index;; ++list) {
    const char octet = static_cast<char>(octetFromFlash(list));
    if (octet != '\0') {
      if (skip == 0) put(octet);
    } else if (skip-- == 0) {
      return;
    }
  }
}

}  // namespace bu
