#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_frame_reader.h"
#include "bu_output.h"
#include "bu_proof.h"

namespace bu {

/** Ping after so long without octets from the base; drop the link after so long (wire/unit.md, "Life of a link"). */
constexpr uint32_t pingMs = 15'000;
constexpr uint32_t silenceMs = 60'000;
/** A transmission must be whole in this time, and output must move in this (reference/limits.md). */
constexpr uint32_t frameMs = 10'000;
constexpr uint32_t stalledMs = 30'000;

/** wire/iotsocket.md, "Transmissions". */
enum class CloseCode : uint8_t { protocolError = 0x00, maintenance = 0x01, tooMuchLoad = 0x02, freeingResources = 0xa1 };

/** The connection to a base that has proved itself: transmissions with their tags, both ways. */
class Link {
 public:
  enum class Received : uint8_t { nothing, frame, lost };

  constexpr Link(uint8_t* input, uint16_t inputOctets, uint8_t* output, uint16_t outputOctets)
      : reader_(input, inputOctets), output_(output, outputOctets) {}

  void start(uint8_t slot, const uint8_t* key, uint64_t now);
  bool isOpen() const { return state_ == State::open; }
  /** Open, or closed by us and not yet rid of its last octets. */
  bool hasSlot() const { return state_ != State::closed; }
  uint8_t slot() const { return slot_; }

  /** Writes what waits, and minds the time. False when the link was lost by that. */
  bool step(uint64_t now);
  /** The next transmission with a right tag. A wrong one, or what is none, closes with `00`: `lost`. */
  Received receive(uint64_t now);
  /** Valid until the next `receive`. */
  const Frame& frame() const { return reader_.frame(); }

  bool hasRoom(size_t count) const { return output_.hasRoom(count + tagOctets); }
  /** Room for a transmission of at most so many octets; null when the peer does not read. */
  uint8_t* begin(size_t maxLength) { return output_.reserve(maxLength + tagOctets); }
  /** Tags and sends it. */
  void finish(uint8_t* transmission, size_t length);

  /** Sends a ping or a pong, if there is room. */
  void say(FrameType type);

  uint64_t inboundAt() const { return inboundAt_; }
  /** Says why, lets it arrive, and closes. */
  void close(CloseCode code, uint64_t now);
  /** Closes now; what is not written yet is lost. */
  void drop();

 private:
  enum class State : uint8_t { closed, open, draining };

  FrameReader reader_;
  Output output_;
  uint64_t sent_ = 0;
  uint64_t received_ = 0;
  uint64_t inboundAt_ = 0;
  uint64_t pingAt_ = 0;
  uint64_t frameAt_ = 0;
  uint64_t movedAt_ = 0;
  uint16_t pendingBefore_ = 0;
  State state_ = State::closed;
  uint8_t slot_ = 0;
  uint8_t key_[hmac::octets] = {};
};

}  // namespace bu
