#include "bu_serial_frame.h"

#include "bu_crc.h"
#include "bu_octets.h"

namespace bu {

namespace {

/** Writes COBS octet by octet: each block's first octet, which counts the block, is filled in when the block ends. */
class CobsWriter {
 public:
  explicit CobsWriter(uint8_t* to) : to_(to) {}

  void put(uint8_t octet) {
    if (octet == 0) {
      endBlock();
    } else {
      to_[length_++] = octet;
    }
  }
  size_t finish() {
    endBlock();
    // The place for the next block's count: there is none.
    to_[length_ - 1] = 0;
    return length_;
  }

 private:
  void endBlock() {
    to_[block_] = static_cast<uint8_t>(length_ - block_);
    block_ = length_++;
  }

  uint8_t* to_;
  size_t block_ = 0;
  size_t length_ = 1;
};

}  // namespace

size_t encodeFrame(const uint8_t* chunk, size_t count, uint8_t* to) {
  const uint16_t crc = crc16(chunk, count);
  CobsWriter out(to);
  for (size_t index = 0; index < count; ++index) out.put(chunk[index]);
  out.put(static_cast<uint8_t>(crc >> 8));
  out.put(static_cast<uint8_t>(crc));
  return out.finish();
}

int decodeFrame(uint8_t* octets, size_t count) {
  if (count < frameOctetsFor(0) - 1 || count > frameOctetsFor(maxChunkOctets) - 1) return noFrame;
  size_t length = 0;
  for (size_t at = 0; at < count;) {
    const size_t end = at + octets[at];
    if (octets[at] == 0 || end > count) return noFrame;
    // The zero between two blocks; behind the last there is none.
    if (at > 0) octets[length++] = 0;
    while (++at < end) octets[length++] = octets[at];
  }
  if (length < chunkCrcOctets) return noFrame;
  const size_t chunk = length - chunkCrcOctets;
  return crc16(octets, chunk) == bigU16(octets + chunk) ? static_cast<int>(chunk) : noFrame;
}

}  // namespace bu
