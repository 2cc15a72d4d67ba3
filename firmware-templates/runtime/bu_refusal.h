#pragma once

#include <stdint.h>

#include "bu_flash.h"

namespace bu {

/**
 * Why a value or its octets are refused: the names of protocol/definition/value-check.ts, checked in the same order,
 * so that both sides refuse alike.
 */
enum class Refusal : uint8_t {
  none = 0,
  tooShort,   // "short", which C++ keeps for itself
  leftOver,
  notBool,
  badIndex,
  tooLong,
  tooMany,
  outOfRange,
  notFinite,
  badUtf8,
  wrongType,  // lines only: text that is no such value; elsewhere the compiler refuses it
};

/** The failed field of a refusal that belongs to no field: octets left over behind the last. */
constexpr uint8_t noField = 255;

/** The names in flash, one behind the other, each ended by a zero. */
extern const char refusalNames[];

/** `short`, `left-over`, … as TypeScript writes it; in flash. */
FlashText nameOf(Refusal refusal);

}  // namespace bu
