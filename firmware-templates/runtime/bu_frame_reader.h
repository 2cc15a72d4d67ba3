#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_flash.h"
#include "bu_octets.h"
#include "bu_once.h"
#include "bu_proof.h"

namespace bu {

/** First octets of transmissions (wire/iotsocket.md, "Transmissions"): those that an object meets, with RTE 0. */
enum class FrameType : uint8_t {
  ping = 0x10,
  pong = 0x20,
  request = 0x30,
  response = 0x40,
  telemetryToken = 0x50,
  close = 0xf0,
};

/** Octets of a request and of a response before the data of their payload block. */
constexpr size_t requestHeadOctets = 6;
constexpr size_t responseHeadOctets = 7;

/**
 * A transmission from the base. Octets, big-endian:
 *
 *     0     type:4 RTE:1 (0 towards an object) reserved:3 (0)
 *     request   1..2 tracking  3 format:4 options:4  4..5 length  6.. data
 *     response  1..2 tracking  3 return code  4 format:4 options:4  5..6 length  7.. data
 *     telemetry token  1..8      close  1 code      ping, pong  nothing
 *     then  8 octets of tag
 */
class Frame {
 public:
  FrameType type() const { return static_cast<FrameType>(octets_[0]); }
  // Of requests and responses:
  uint16_t tracking() const { return bigU16(octets_ + 1); }
  /** Of a response. */
  uint8_t code() const { return octets_[3]; }
  /** `format:4 options:4` of the payload block. */
  uint8_t format() const { return data()[-3]; }
  uint16_t length() const { return bigU16(data() - 2); }
  const uint8_t* data() const {
    return octets_ + (type() == FrameType::request ? requestHeadOctets : responseHeadOctets);
  }

 private:
  explicit Frame(const uint8_t* octets) : octets_(octets) {}
  friend class FrameReader;

  const uint8_t* octets_;
};

/**
 * Collects one transmission and its tag in memory lent to it. Says how many octets it wants, never takes one more, and
 * so may stop at any octet. What it does not know is bad at once, without waiting for more.
 */
class FrameReader {
 public:
  enum class Status : uint8_t { more, frame, bad };

  /** Lends the memory, and begins. */
  void lend(uint8_t* buffer, uint16_t capacity) {
    buffer_ = buffer;
    capacity_ = capacity;
    reset();
  }

  uint8_t* memory() { return buffer_; }
  uint16_t capacity() const { return capacity_; }
  /** Where the next octets go, and at most how many. */
  uint8_t* place() { return buffer_ + filled_; }
  uint16_t wanted() const { return static_cast<uint16_t>(needed_ - filled_); }
  /** So many octets were put there. */
  Status took(size_t count);

  /** The whole transmission, valid as long as nothing else is put there. Its tag lies behind it. */
  Frame frame() const { return Frame(buffer_); }
  size_t transmissionLength() const { return static_cast<size_t>(filled_ - tagOctets); }

  /** Some octets of a transmission are there. */
  bool isInside() const { return filled_ > 0; }
  void reset() {
    filled_ = 0;
    needed_ = 1;
  }

 private:
  uint8_t* buffer_ = nullptr;
  uint16_t capacity_ = 0;
  uint16_t filled_ = 0;
  uint16_t needed_ = 0;
};

/** Octets of a transmission before its data, by its type; 0: an object never meets it. */
static const uint8_t octetsBeforeData[16] BU_FLASH = {0, 1, 1, requestHeadOctets, responseHeadOctets, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};

/** Looks at what is there, and asks for as many octets as that tells. */
BU_ONCE FrameReader::Status FrameReader::took(size_t count) {
  filled_ = static_cast<uint16_t>(filled_ + count);
  if (filled_ < needed_) return Status::more;
  const uint8_t first = buffer_[0];
  // RTE and the reserved bits are 0 towards an object: with any of them it is none of these.
  const size_t head = (first & 0x0fU) == 0 ? octetFromFlash(octetsBeforeData + (first >> 4)) : 0;
  if (head == 0) return Status::bad;
  size_t needed = head;
  if (filled_ >= head) {
    needed += tagOctets;
    if (head >= requestHeadOctets && head <= responseHeadOctets) needed += bigU16(buffer_ + head - 2);
    if (needed > capacity_) return Status::bad;
  }
  needed_ = static_cast<uint16_t>(needed);
  return filled_ < needed ? Status::more : Status::frame;
}

}  // namespace bu
