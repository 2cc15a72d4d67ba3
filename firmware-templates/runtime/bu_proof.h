#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_hmac.h"
#include "bu_port.h"

// The computations of wire/unit.md, "Opening with mutual proof".
namespace bu {

constexpr size_t nonceOctets = 16;
constexpr size_t tagOctets = 8;

/** The first octet under a tag. */
enum class Direction : uint8_t { fromUnit = 0, fromBase = 1 };

/** What the unit, the base and the session's key are made with: "bu1 unit", "bu1 base", "bu1 key". */
enum class Label : uint8_t { unit, base, key };

/** HMAC(K, label ‖ UID ‖ first ‖ second) of `port::identity()`. Nonces have `nonceOctets`, the result `hmac::octets`. */
void derive(Label label, const uint8_t* first, const uint8_t* second, uint8_t* to);
inline void unitProof(const uint8_t* challenge, const uint8_t* nonce, uint8_t* to) {
  derive(Label::unit, challenge, nonce, to);
}
inline void baseProof(const uint8_t* challenge, const uint8_t* nonce, uint8_t* to) {
  derive(Label::base, nonce, challenge, to);
}
/** Ks. */
inline void sessionKey(const uint8_t* challenge, const uint8_t* nonce, uint8_t* to) {
  derive(Label::key, challenge, nonce, to);
}
/** The first 8 octets of HMAC(Ks, direction:8 ‖ counter:64 big-endian ‖ transmission). */
void tagOf(const uint8_t* key, Direction direction, uint64_t counter, const uint8_t* transmission, size_t length, uint8_t* to);

/** Equal, in a time that tells nothing about where they differ. */
bool equalInConstantTime(const uint8_t* a, const uint8_t* b, size_t count);

}  // namespace bu
