#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_flash.h"
#include "bu_line_value.h"
#include "bu_reader.h"
#include "bu_writer.h"

namespace bu {

/** The most octets of UTF-8 that a refusal's reason has on the wire (wire/unit.md, "Messages"). */
constexpr size_t maxReasonOctets = 80;

/** What became of a command: done, or refused with a reason. What a handler returns. */
class Answer {
 public:
  /** Done; reply fields, if the command has any, were filled in. */
  static Answer ok() { return Answer(); }
  /** Not done. The reason is cut to 80 octets, between two characters; octets that are not UTF-8 become `?`. */
  static Answer refused(const char* reason);
  /** The same for ASCII text in flash. */
  static Answer refused(FlashText reason);

  /** For generated code: no command has this number. */
  static Answer unknownMessage(uint8_t number);
  /** For generated code: `fade.durationMs: out-of-range`. `names` is in flash: `fade:color,durationMs`. */
  static Answer undecodable(const Reader& in, FlashText names);
  /** For generated code of line units: the same for a line. */
  static Answer unreadable(const LineValue& in, FlashText names);
  /** For generated code: the handler's reply cannot be sent: `water reply.queue: out-of-range`. */
  static Answer unsendable(const Writer& out, FlashText names);

  bool isOk() const { return isOk_; }
  const char* reason() const { return reason_; }
  uint8_t reasonLength() const { return length_; }

 private:
  Answer() = default;
  static Answer about(Refusal refusal, uint8_t field, FlashText names);
  void append(const char* text, size_t length);
  void append(FlashText text);

  bool isOk_ = true;
  uint8_t length_ = 0;
  char reason_[maxReasonOctets + 1] = {};
};

static_assert(sizeof(Answer) <= 84, "an answer travels over the stack");

}  // namespace bu
