#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_proof.h"

namespace bu {

/** wire/iotsocket.md, "Transmissions": those that an object meets. */
enum class FrameType : uint8_t { ping = 1, pong = 2, request = 3, response = 4, telemetryToken = 5, close = 15 };

constexpr uint8_t firstOctetOf(FrameType type) { return static_cast<uint8_t>(static_cast<uint8_t>(type) << 4); }

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
struct Frame {
  FrameType type;
  uint16_t tracking;
  /** Return code of a response, close code of a close. */
  uint8_t code;
  /** `format:4 options:4` of the payload block. */
  uint8_t format;
  const uint8_t* data;
  uint16_t length;
};

/**
 * Collects one transmission and its tag in memory lent to it. Says how many octets it wants, never takes one more, and
 * so may stop at any octet. What it does not know is bad at once, without waiting for more.
 */
class FrameReader {
 public:
  enum class Status : uint8_t { more, frame, bad };

  constexpr FrameReader(uint8_t* buffer, uint16_t capacity) : buffer_(buffer), capacity_(capacity) {}

  /** Where the next octets go, and at most how many. */
  uint8_t* place() { return buffer_ + filled_; }
  uint16_t wanted() const { return static_cast<uint16_t>(needed_ - filled_); }
  /** So many octets were put there. After `frame` the frame is valid until `reset`. */
  Status took(uint16_t count);

  const Frame& frame() const { return frame_; }
  /** The transmission without its tag, and the tag. */
  const uint8_t* transmission() const { return buffer_; }
  uint16_t transmissionLength() const { return static_cast<uint16_t>(needed_ - tagOctets); }
  const uint8_t* tag() const { return buffer_ + transmissionLength(); }

  /** Some octets of a transmission are there, but not all. */
  bool isInside() const { return filled_ > 0 && filled_ < needed_; }
  void reset() {
    filled_ = 0;
    needed_ = 1;
  }

 private:
  Status grow();

  uint8_t* buffer_;
  uint16_t capacity_;
  uint16_t filled_ = 0;
  uint16_t needed_ = 1;
  Frame frame_ = {};
};

}  // namespace bu
