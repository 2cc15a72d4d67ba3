#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_answer.h"
#include "bu_flash.h"
#include "bu_line_value.h"

namespace bu {

constexpr size_t fingerprintOctets = 8;

/** `read`: measures, its link is always held. `updatable`: waits for commands, its link is opened when needed. */
enum class UnitKind : uint8_t { read = 0, updatable = 1 };

/** Decodes the fields of command `number`, calls its handler, and encodes the reply fields (never more than 31 octets). */
using Dispatch = Answer (*)(uint8_t number, Reader& fields, Writer& reply);

/** For line units: makes a value of a line and calls the handler. */
using LineDispatch = Answer (*)(LineValue& line);

/** What a definition becomes in firmware. Texts and fingerprint are in flash. */
struct UnitDescription {
  FlashText name;
  FlashText version;
  UnitKind kind;
  /** Its canonical text, sent piece by piece when the base's differs (wire/unit.md, "Descriptor and fingerprint"). */
  FlashText descriptor;
  /** `fingerprintOctets` octets, in flash. */
  const uint8_t* fingerprint;
  /** Session units; null for line units. */
  Dispatch dispatch;
  /** Updatable line units; null for all others. */
  LineDispatch lineDispatch;
  /** The unit sleeps for so many ms between two visits to the base; 0: it never does. */
  uint32_t sleepMs;
};

}  // namespace bu
