#pragma once

#include <stddef.h>
#include <stdint.h>

namespace bu {

/** One sector of flash: bits go from 1 to 0 by writing, back by erasing the whole. Offsets and sizes in octets, of words. */
struct FlashSector {
  bool (*read)(uint32_t offset, uint32_t* to, size_t octets);
  bool (*write)(uint32_t offset, const uint32_t* from, size_t octets);
  bool (*erase)();
};

/**
 * The boot number in flash: records of 8 octets, the number and its complement, one behind the other; the highest whole
 * one counts. The sector is erased once in 512 boots, so that its 10 000 erasures outlast the chip. Power lost in
 * between leaves a record that is not whole; lost while erasing, no record, and the base then tells the next number.
 */
class BootLog {
 public:
  static constexpr uint32_t sectorOctets = 4096;

  constexpr explicit BootLog(const FlashSector& sector) : sector_(sector) {}

  /** 0: none. */
  uint32_t last() const;
  /** False when flash does not give it back. */
  bool store(uint32_t boot) const;

 private:
  static constexpr uint32_t recordOctets = 8;

  const FlashSector& sector_;
};

}  // namespace bu
