#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_settings.h"

namespace bu {

constexpr uint32_t sectorOctets = 4096;

/**
 * Two sectors of flash, 0 and 1: bits go from 1 to 0 by writing, back by erasing a whole sector. Offsets and sizes in
 * octets, of words. Each is false when the flash says no.
 */
struct Flash {
  bool (*read)(uint8_t sector, uint32_t offset, uint32_t* to, size_t octets);
  bool (*write)(uint8_t sector, uint32_t offset, const uint32_t* from, size_t octets);
  bool (*erase)(uint8_t sector);
};

/**
 * Settings and boot number in flash, so that power may go at any moment. Octets of a sector, numbers little-endian:
 *
 *     0  generation:u32   one more at every change of sector
 *     4  length:u32       of the settings, at 16
 *     8  CRC-32:u32       of generation, length and settings
 *    12  (unused)
 *    16  settings         bu_settings.cpp, 200 octets
 *   256  boot:u32, ~boot:u32   480 records, one behind the other; the highest whole one counts
 *
 * The sector with the higher generation of those whose CRC is right counts. A boot number is one more record in it, until it
 * is full; that, and new settings, go to the other sector: erased, then settings and boot number, then the head. Before
 * the head's last octet the old sector counts, after it the new one. So each sector is erased once in 960 boots, which
 * its 10 000 erasures outlast.
 */
class StateStore {
 public:
  static constexpr uint32_t bootRecords = 480;

  constexpr explicit StateStore(const Flash& flash) : flash_(flash) {}

  /** Empty settings when none are stored. */
  void readSettings(Settings& to) const;
  /** 0: none. */
  uint32_t lastBoot() const;
  /** False when flash does not give it back; what was there before is then there still. */
  bool storeSettings(const Settings& settings) const;
  bool storeBoot(uint32_t boot) const;

 private:
  static constexpr uint8_t none = 0xff;

  bool isWhole(uint8_t sector, uint32_t& generation) const;
  uint8_t current(uint32_t& generation) const;
  uint32_t lastBootIn(uint8_t sector, uint32_t& freeAt) const;
  bool writeChecked(uint8_t sector, uint32_t offset, const uint32_t* from, size_t octets) const;
  bool rewrite(const uint32_t* settings, uint32_t boot) const;

  const Flash& flash_;
};

}  // namespace bu
