#include "bu_proof.h"

#include <string.h>

#include "bu_octets.h"

namespace bu {

namespace {

/** HMAC(K, label ‖ UID ‖ first ‖ second). */
void derive(const Identity& identity, const char* label, const uint8_t* first, const uint8_t* second, uint8_t* to) {
  hmac::begin(identity.key, keyOctets);
  hmac::add(label, strlen(label));
  hmac::add(identity.uid, uidOctets);
  hmac::add(first, nonceOctets);
  hmac::add(second, nonceOctets);
  hmac::finish(to);
}

}  // namespace

void unitProof(const Identity& identity, const uint8_t* challenge, const uint8_t* nonce, uint8_t* to) {
  derive(identity, "bu1 unit", challenge, nonce, to);
}

void baseProof(const Identity& identity, const uint8_t* challenge, const uint8_t* nonce, uint8_t* to) {
  derive(identity, "bu1 base", nonce, challenge, to);
}

void sessionKey(const Identity& identity, const uint8_t* challenge, const uint8_t* nonce, uint8_t* to) {
  derive(identity, "bu1 key", challenge, nonce, to);
}

void tagOf(const uint8_t* key, Direction direction, uint64_t counter, const uint8_t* transmission, size_t length,
           uint8_t* to) {
  uint8_t head[9];
  head[0] = static_cast<uint8_t>(direction);
  putBig(head + 1, counter, 8);
  uint8_t whole[hmac::octets];
  hmac::begin(key, hmac::octets);
  hmac::add(head, sizeof head);
  hmac::add(transmission, length);
  hmac::finish(whole);
  memcpy(to, whole, tagOctets);
}

bool equalInConstantTime(const uint8_t* a, const uint8_t* b, size_t count) {
  uint8_t difference = 0;
  for (size_t index = 0; index < count; ++index) difference = static_cast<uint8_t>(difference | (a[index] ^ b[index]));
  return difference == 0;
}

}  // namespace bu
