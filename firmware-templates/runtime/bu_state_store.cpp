#include "bu_state_store.h"

#include <string.h>

#include "bu_crc.h"

namespace bu {

namespace {

/** The sector's beginning, in words: see the class. */
enum HeadWord : uint8_t { generationWord, lengthWord, crcWord, headWords };

constexpr uint32_t settingsAt = 16;
constexpr uint32_t bootsAt = 256;
constexpr uint32_t bootOctets = 8;
constexpr uint32_t erased = 0xffffffff;
constexpr uint32_t settingsWords = settingsOctets / 4;
static_assert(settingsAt + settingsOctets <= bootsAt, "settings and boot records overlap");
static_assert(bootsAt + StateStore::bootRecords * bootOctets == sectorOctets, "the boot records fill the sector");

/** Read and compared in pieces of so many words: a loop of the ESP8266 has 4 KiB of stack. */
constexpr uint32_t pieceWords = 8;

uint32_t crcOfHead(const uint32_t* head) { return crc32(head, 2 * sizeof *head); }

}  // namespace

void StateStore::readSettings(Settings& to) const {
  uint32_t generation = 0;
  const uint8_t sector = current(generation);
  uint32_t words[settingsWords];
  const bool isThere = sector != none && flash_.read(sector, settingsAt, words, sizeof words);
  decodeSettings(reinterpret_cast<const uint8_t*>(words), isThere ? sizeof words : 0, to);
}

uint32_t StateStore::lastBoot() const {
  uint32_t generation = 0;
  uint32_t freeAt = 0;
  const uint8_t sector = current(generation);
  return sector == none ? 0 : lastBootIn(sector, freeAt);
}

bool StateStore::storeSettings(const Settings& settings) const {
  uint32_t words[settingsWords];
  encodeSettings(settings, reinterpret_cast<uint8_t*>(words));
  return rewrite(words, lastBoot());
}

bool StateStore::storeBoot(uint32_t boot) const {
  uint32_t generation = 0;
  uint32_t freeAt = 0;
  const uint8_t sector = current(generation);
  // A number below the last one (told by the base, or after 2^32) must not be outdone by what is there already.
  if (sector != none && boot >= lastBootIn(sector, freeAt) && freeAt < sectorOctets) {
    const uint32_t record[2] = {boot, ~boot};
    return writeChecked(sector, freeAt, record, sizeof record);
  }
  uint32_t words[settingsWords] = {};
  if (sector != none && !flash_.read(sector, settingsAt, words, sizeof words)) return false;
  return rewrite(words, boot);
}

bool StateStore::isWhole(uint8_t sector, uint32_t& generation) const {
  uint32_t head[headWords];
  if (!flash_.read(sector, 0, head, sizeof head) || head[lengthWord] != settingsOctets) return false;
  uint32_t crc = crcOfHead(head);
  for (uint32_t word = 0; word < settingsWords; word += pieceWords) {
    uint32_t piece[pieceWords];
    const uint32_t words = settingsWords - word < pieceWords ? settingsWords - word : pieceWords;
    if (!flash_.read(sector, settingsAt + 4 * word, piece, 4 * words)) return false;
    crc = crc32(piece, 4 * words, crc);
  }
  generation = head[generationWord];
  return crc == head[crcWord];
}

/** The sector that counts, and its generation; `none`, and 0, when neither does. */
uint8_t StateStore::current(uint32_t& generation) const {
  uint8_t found = none;
  generation = 0;
  for (uint8_t sector = 0; sector < 2; ++sector) {
    uint32_t its = 0;
    if (!isWhole(sector, its) || (found != none && its <= generation)) continue;
    found = sector;
    generation = its;
  }
  return found;
}

/** 0: none. `freeAt`: where the next record goes; the sector's end: nowhere. */
uint32_t StateStore::lastBootIn(uint8_t sector, uint32_t& freeAt) const {
  uint32_t highest = 0;
  for (freeAt = bootsAt; freeAt < sectorOctets; freeAt += bootOctets) {
    uint32_t record[2];
    if (!flash_.read(sector, freeAt, record, sizeof record)) break;
    if (record[0] == erased && record[1] == erased) break;
    if (record[1] == ~record[0] && record[0] > highest) highest = record[0];
  }
  return highest;
}

bool StateStore::writeChecked(uint8_t sector, uint32_t offset, const uint32_t* from, size_t octets) const {
  if (!flash_.write(sector, offset, from, octets)) return false;
  for (size_t at = 0; at < octets; at += 4 * pieceWords) {
    uint32_t piece[pieceWords];
    const size_t count = octets - at < sizeof piece ? octets - at : sizeof piece;
    if (!flash_.read(sector, offset + static_cast<uint32_t>(at), piece, count)) return false;
    if (memcmp(piece, from + at / 4, count) != 0) return false;
  }
  return true;
}

/** Everything anew, in the other sector; its head last. */
bool StateStore::rewrite(const uint32_t* settings, uint32_t boot) const {
  uint32_t generation = 0;
  const uint8_t sector = current(generation) == 0 ? 1 : 0;
  uint32_t head[headWords] = {generation + 1, settingsOctets, 0};
  head[crcWord] = crc32(settings, settingsOctets, crcOfHead(head));
  const uint32_t record[2] = {boot, ~boot};
  return flash_.erase(sector) && writeChecked(sector, settingsAt, settings, settingsOctets) &&
         (boot == 0 || writeChecked(sector, bootsAt, record, sizeof record)) &&
         writeChecked(sector, 0, head, sizeof head);
}

}  // namespace bu
