#include "bu_answer.h"

#include "bu_utf8.h"

namespace bu {

namespace {
const char unknownText[] BU_FLASH = "no command has the number ";
const char separator[] BU_FLASH = ": ";
const char dot[] BU_FLASH = ".";
}  // namespace

Answer Answer::refused(const char* reason) {
  Answer answer;
  answer.isOk_ = false;
  size_t length = 0;
  while (length < maxReasonOctets + 4 && reason[length] != '\0') ++length;
  // Cut between two characters: what begins before the bound and ends behind it is left out.
  size_t at = 0;
  while (at < length) {
    const size_t character = utf8CharacterAt(reinterpret_cast<const uint8_t*>(reason) + at, length - at);
    const size_t taken = character == 0 ? 1 : character;
    if (answer.length_ + taken > maxReasonOctets) break;
    answer.append(character == 0 ? "?" : reason + at, taken);
    at += taken;
  }
  return answer;
}

Answer Answer::refused(FlashText reason) {
  Answer answer;
  answer.isOk_ = false;
  answer.append(reason);
  return answer;
}

Answer Answer::unknownMessage(uint8_t number) {
  Answer answer = refused(flashText(unknownText));
  char digits[3];
  size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + number % 10);
    number = static_cast<uint8_t>(number / 10);
  } while (number > 0);
  while (count > 0) answer.append(&digits[--count], 1);
  return answer;
}

Answer Answer::undecodable(const Reader& in, FlashText names) { return about(in.refusal(), in.failedField(), names); }

Answer Answer::unreadable(const LineValue& in, FlashText names) { return about(in.refusal(), 0, names); }

Answer Answer::unsendable(const Writer& out, FlashText names) { return about(out.refusal(), out.failedField(), names); }

/** `names` is `message:field,field`; a refusal of no field names the message alone. */
Answer Answer::about(Refusal refusal, uint8_t field, FlashText names) {
  Answer answer;
  answer.isOk_ = false;
  uint16_t at = 0;
  const auto appendUpTo = [&](char end) {
    const uint16_t start = at;
    while (at < names.length && octetFromFlash(names.at + at) != static_cast<uint8_t>(end)) ++at;
    answer.append(FlashText{names.at + start, static_cast<uint16_t>(at - start)});
    ++at;
  };
  appendUpTo(':');
  if (field != noField) {
    for (uint8_t skipped = 0; skipped < field && at < names.length; ++skipped) {
      while (at < names.length && octetFromFlash(names.at + at) != ',') ++at;
      ++at;
    }
    answer.append(flashText(dot));
    appendUpTo(',');
  }
  answer.append(flashText(separator));
  answer.append(nameOf(refusal));
  return answer;
}

void Answer::append(const char* text, size_t length) {
  for (size_t index = 0; index < length && length_ < maxReasonOctets; ++index) reason_[length_++] = text[index];
}

void Answer::append(FlashText text) {
  for (uint16_t index = 0; index < text.length && length_ < maxReasonOctets; ++index) {
    reason_[length_++] = static_cast<char>(octetFromFlash(text.at + index));
  }
}

}  // namespace bu
