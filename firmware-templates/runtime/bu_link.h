#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_frame_reader.h"
#include "bu_once.h"
#include "bu_port.h"
#include "bu_proof.h"
#include "bu_resend.h"

namespace bu {

/** Ping after so long without octets from the base; drop the link after so long (wire/unit.md, "Life of a link"). */
constexpr uint32_t pingMs = 15'000;
constexpr uint32_t silenceMs = 60'000;
/** A transmission must be whole in this time, and output must move in this (reference/limits.md). */
constexpr uint32_t frameMs = 10'000;
constexpr uint32_t stalledMs = 30'000;
/** Time that a closing connection has to take what was written last. */
constexpr uint32_t drainMs = 2'000;

/** wire/iotsocket.md, "Transmissions". */
enum class CloseCode : uint8_t {
  protocolError = 0x00,
  maintenance = 0x01,
  tooMuchLoad = 0x02,
  sleeping = 0xa0,
  freeingResources = 0xa1,
};

/**
 * The connection to a base that has proved itself: transmissions with their tags. One at a time, in or out, in the same
 * memory: while one is half received none is made, and while one is not written whole none is received.
 */
class Link {
 public:
  /** Lends the memory for transmissions and their tags. */
  void lend(uint8_t* memory, uint16_t octets) { reader_.lend(memory, octets); }
  uint8_t* memory() { return reader_.memory(); }
  uint16_t memoryOctets() const { return reader_.capacity(); }
  /** Where Ks goes before `start`. */
  uint8_t* key() { return key_; }
  void start(uint8_t slot, uint32_t now);

  bool isOpen() const { return state_ == State::open; }
  /** Open, or closed by us and not yet rid of its last octets. */
  bool hasSlot() const { return state_ != State::closed; }
  uint8_t slot() const { return slot_; }
  /** Of the last octets from the base. */
  uint32_t inboundAt() const { return inboundAt_; }

  /** Writes what waits, and minds the time: pings, and closes. */
  void step(uint32_t now);
  /** True: a transmission with a right tag is in `frame`. A wrong one, or what is none, closes with `00`. */
  bool receive();
  /** Valid until the next `receive` or `send`. */
  Frame frame() const { return reader_.frame(); }

  /** A transmission may be made, in the memory that was lent or in another. */
  bool isFree() const { return isOpen() && left_ == 0 && !reader_.isInside(); }
  /** Tags and sends it. Behind it is room for its tag; it stays where it is until the link is free again. */
  void send(uint8_t* transmission, size_t length);
  /** Sends a ping, a pong, or a close. */
  void say(FrameType type, CloseCode code = CloseCode::protocolError);

  /** Says why if the last transmission has gone, lets it arrive, and closes. */
  void close(CloseCode code);
  /** Closes now; what is not written yet is lost. */
  void drop();

 private:
  enum class State : uint8_t { closed, open, draining };

  bool flush();
  void heardFrom(uint32_t now) {
    inboundAt_ = now;
    pings_ = 0;
  }

  FrameReader reader_;
  const uint8_t* out_ = nullptr;
  /** Octets not written yet. */
  uint16_t left_ = 0;
  State state_ = State::closed;
  uint8_t slot_ = 0;
  /** Said since the last octets from the base. */
  uint8_t pings_ = 0;
  uint32_t now_ = 0;
  uint32_t inboundAt_ = 0;
  /** Since then a transmission is half received, or half written and has not moved: never both. Or we are closing. */
  uint32_t busySince_ = 0;
  // Transmissions. A base is connected anew long before there are as many as these can count.
  uint32_t sent_ = 0;
  uint32_t received_ = 0;
  uint8_t key_[hmac::octets] = {};
};

BU_ONCE void Link::start(uint8_t slot, uint32_t now) {
  now_ = now;
  slot_ = slot;
  state_ = State::open;
  reader_.reset();
  left_ = 0;
  sent_ = 0;
  received_ = 0;
  heardFrom(now);
}

BU_ONCE void Link::step(uint32_t now) {
  if (state_ == State::closed) return;
  now_ = now;
  if (left_ > 0) {
    const uint16_t before = left_;
    if (!flush()) return drop();
    if (left_ < before && isOpen()) busySince_ = now;
  }
  const uint32_t busyMs = now - busySince_;
  const uint32_t quietMs = now - inboundAt_;
  if (state_ == State::draining) {
    if ((left_ == 0 && !port::isUnacknowledged(slot_)) || busyMs >= drainMs) drop();
  } else if (left_ > 0 && busyMs >= stalledMs) {
    drop();
  } else if (quietMs >= silenceMs) {
    close(CloseCode::freeingResources);
  } else if (reader_.isInside() && busyMs >= frameMs) {
    close(CloseCode::protocolError);
  } else if (isFree() && quietMs >= pingMs * (1U + pings_)) {
    ++pings_;
    say(FrameType::ping);
  }
}

BU_ONCE bool Link::receive() {
  if (!isOpen() || left_ > 0) return false;
  FrameReader::Status status = FrameReader::Status::more;
  while (status == FrameReader::Status::more) {
    const int count = port::read(slot_, reader_.place(), reader_.wanted());
    if (count == 0) return false;
    if (count == port::lost) {
      drop();
      return false;
    }
    if (!reader_.isInside()) busySince_ = now_;
    // Inbound octets alone prove that the base lives: our own writes prove nothing.
    heardFrom(now_);
    status = reader_.took(static_cast<size_t>(count));
  }
  const uint8_t* transmission = reader_.memory();
  const size_t length = reader_.transmissionLength();
  reader_.reset();
  if (status == FrameReader::Status::frame) {
    uint8_t tag[tagOctets];
    tagOf(key_, Direction::fromBase, received_++, transmission, length, tag);
    if (equalInConstantTime(tag, transmission + length, tagOctets)) return true;
  }
  close(CloseCode::protocolError);
  return false;
}

}  // namespace bu
