#include "bu_announcement.h"

#include "bu_hmac.h"

namespace bu {

namespace {

void putText(char* to, FlashText text) {
  copyFromFlash(to, text.at, text.length);
  to[text.length] = '\0';
}

static const char markerLabel[] BU_FLASH = "bu1 marker";
static const char lineKey[] BU_FLASH = "line";
static const char noKey[] BU_FLASH = "none";

void putMarker(const Identity& identity, char* to) {
  char label[sizeof markerLabel];
  putText(label, flashText(markerLabel));
  uint8_t whole[hmac::octets];
  hmac::begin(identity.key, keyOctets);
  hmac::add(label, sizeof label - 1);
  hmac::add(identity.uid, uidOctets);
  hmac::finish(whole);
  putHex(to, whole, Announcement::markerOctets);
}

}  // namespace

void putHex(char* to, const uint8_t* octets, size_t count) {
  for (size_t index = 0; index < 2 * count; ++index) {
    const uint8_t digit = index % 2 == 0 ? octets[index / 2] >> 4 : octets[index / 2] & 0x0f;
    to[index] = static_cast<char>(digit < 10 ? '0' + digit : 'a' + digit - 10);
  }
  to[2 * count] = '\0';
}

void announce(const UnitDescription& description, const Identity& identity, bool hasKey, Announcement& to) {
  putText(to.definition, description.name);
  putText(to.version, description.version);
  uint8_t fingerprint[fingerprintOctets];
  copyFromFlash(fingerprint, description.fingerprint, sizeof fingerprint);
  putHex(to.fingerprint, fingerprint, sizeof fingerprint);
  if (description.dispatch == nullptr) {
    putText(to.key, flashText(lineKey));
  } else if (hasKey) {
    putMarker(identity, to.key);
  } else {
    putText(to.key, flashText(noKey));
  }
}

}  // namespace bu
