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

/** HMAC(K, "bu1 unit" ‖ UID ‖ C ‖ N). All results have `hmac::octets`. */
void unitProof(const Identity& identity, const uint8_t* challenge, const uint8_t* nonce, uint8_t* to);
/** HMAC(K, "bu1 base" ‖ UID ‖ N ‖ C). */
void baseProof(const Identity& identity, const uint8_t* challenge, const uint8_t* nonce, uint8_t* to);
/** Ks = HMAC(K, "bu1 key" ‖ UID ‖ C ‖ N). */
void sessionKey(const Identity& identity, const uint8_t* challenge, const uint8_t* nonce, uint8_t* to);
/** The first 8 octets of HMAC(Ks, direction:8 ‖ counter:64 big-endian ‖ transmission). */
void tagOf(const uint8_t* key, Direction direction, uint64_t counter, const uint8_t* transmission, size_t length, uint8_t* to);

/** Equal, in a time that tells nothing about where they differ. */
bool equalInConstantTime(const uint8_t* a, const uint8_t* b, size_t count);

}  // namespace bu
