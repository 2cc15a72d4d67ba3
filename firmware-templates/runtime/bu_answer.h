#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_flash.h"
#include "bu_line_value.h"
#include "bu_reader.h"
#include "bu_writer.h"

namespace bu {

/** The most octets of UTF-8 that a refusal's reason has on the wire (wire/unit.md, "Messages"). */
#if defined(ARDUINO_ARCH_AVR)
// Line units, whose reasons nobody hears.
constexpr size_t maxReasonOctets = 0;
#else
constexpr size_t maxReasonOctets = 80;
#endif

/**
 * What became of a command: done, or refused with a reason. What a handler returns. There is memory for one reason, as for
 * one handler at a time: the last refusal's.
 */
class Answer {
 public:
  /** Done; reply fields, if the command has any, were filled in. */
  static constexpr Answer ok() { return Answer(true); }
  /** Not done. The reason is cut to 80 octets, between two characters; what is not UTF-8, and no reason at all, becomes `?`. */
  static Answer refused(const char* reason);
  /** The same for ASCII text in flash, which is not empty. */
  static Answer refused(FlashText reason);

  /** For generated code: no command has this number. */
  static Answer unknownMessage() { return refused(OwnReason::unknownMessage); }
  /** For generated code: `fade.durationMs: out-of-range`. `names` is in flash: `fade`, `color`, `durationMs`, zeros between. */
  static Answer undecodable(const Reader& in, FlashText names) { return about(in.refusal(), in.failedField(), names); }
  /** For generated code of line units: the same for a line. */
  static Answer unreadable(const LineValue& in, FlashText names) { return about(in.refusal(), 0, names); }
  /** For generated code: the handler's reply cannot be sent: `water reply.queue: out-of-range`. */
  static Answer unsendable(const Writer& out, FlashText names) { return about(out.refusal(), out.failedField(), names); }

  /** Reasons that are not a handler's and name no field. */
  enum class OwnReason : uint8_t { unknownMessage, notTyped, noId, pastTheEnd };
  static Answer refused(OwnReason reason);
  /** With the reason that was given before. */
  static constexpr Answer refused() { return Answer(false); }

  constexpr bool isOk() const { return isOk_; }
  /** Of the last refusal. Closed by a zero. */
  static const char* reason() { return reason_.text; }
  static uint8_t reasonLength() { return reason_.length; }
  /** The command, by its id, whose reason it is; 0: another's. */
  static uint32_t reasonOf() { return reason_.of; }
  static void setReasonOf(uint32_t id) { reason_.of = id; }

 private:
  explicit constexpr Answer(bool isOk) : isOk_(isOk) {}
  static Answer about(Refusal refusal, uint8_t field, FlashText names);
  static Answer begin();
  static void put(char octet);
  static void putItem(const char* list, size_t index);

  struct Reason {
    uint32_t of;
    uint8_t length;
    char text[maxReasonOctets + 1];
  };
  static Reason reason_;

  bool isOk_;
};

}  // namespace bu
