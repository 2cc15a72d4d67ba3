#include "bu_link.h"

#include <string.h>

#include "bu_opening.h"
#include "bu_port.h"

namespace bu {

void Link::start(uint8_t slot, const uint8_t* key, uint64_t now) {
  slot_ = slot;
  memcpy(key_, key, sizeof key_);
  reader_.reset();
  output_.reset();
  sent_ = 0;
  received_ = 0;
  inboundAt_ = pingAt_ = frameAt_ = movedAt_ = now;
  pendingBefore_ = 0;
  state_ = State::open;
}

bool Link::step(uint64_t now) {
  if (state_ == State::closed) return true;
  const Output::Flush flushed = output_.flush(slot_);
  if (flushed == Output::Flush::lost) {
    drop();
    return false;
  }
  if (state_ == State::draining) {
    if (flushed == Output::Flush::done || now - movedAt_ >= drainMs) drop();
    return true;
  }
  if (output_.pending() < pendingBefore_ || output_.pending() == 0) movedAt_ = now;
  pendingBefore_ = output_.pending();
  if (now - movedAt_ >= stalledMs) {
    drop();
    return false;
  }
  if (now - inboundAt_ >= silenceMs) {
    close(CloseCode::freeingResources, now);
    return false;
  }
  if (reader_.isInside() && now - frameAt_ >= frameMs) {
    close(CloseCode::protocolError, now);
    return false;
  }
  // Inbound octets alone prove that the base lives: our own writes prove nothing.
  const uint64_t quietSince = pingAt_ > inboundAt_ ? pingAt_ : inboundAt_;
  if (now - quietSince >= pingMs && hasRoom(1)) {
    pingAt_ = now;
    say(FrameType::ping);
  }
  return true;
}

Link::Received Link::receive(uint64_t now) {
  if (state_ != State::open) return Received::nothing;
  FrameReader::Status status = FrameReader::Status::more;
  if (reader_.wanted() == 0) reader_.reset();
  while (status == FrameReader::Status::more) {
    const int count = port::read(slot_, reader_.place(), reader_.wanted());
    if (count == 0) return Received::nothing;
    if (count == port::lost) {
      drop();
      return Received::lost;
    }
    inboundAt_ = now;
    if (!reader_.isInside()) frameAt_ = now;
    status = reader_.took(static_cast<uint16_t>(count));
  }
  uint8_t tag[tagOctets];
  if (status == FrameReader::Status::frame) {
    tagOf(key_, Direction::fromBase, received_, reader_.transmission(), reader_.transmissionLength(), tag);
    if (equalInConstantTime(tag, reader_.tag(), tagOctets)) {
      ++received_;
      return Received::frame;
    }
  }
  close(CloseCode::protocolError, now);
  return Received::lost;
}

void Link::finish(uint8_t* transmission, size_t length) {
  tagOf(key_, Direction::fromUnit, sent_++, transmission, length, transmission + length);
  output_.commit(length + tagOctets);
  // At once, and in one piece: two small writes would wait on each other (reference/esp8266.md). What the connection
  // does not take, and a loss, are met again in `step`.
  output_.flush(slot_);
}

void Link::say(FrameType type) {
  uint8_t* transmission = begin(1);
  if (transmission == nullptr) return;
  transmission[0] = firstOctetOf(type);
  finish(transmission, 1);
}

void Link::close(CloseCode code, uint64_t now) {
  if (state_ != State::open) return;
  uint8_t* transmission = begin(2);
  if (transmission != nullptr) {
    transmission[0] = firstOctetOf(FrameType::close);
    transmission[1] = static_cast<uint8_t>(code);
    finish(transmission, 2);
  }
  movedAt_ = now;
  state_ = State::draining;
}

void Link::drop() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  memset(key_, 0, sizeof key_);
  port::close(slot_);
}

}  // namespace bu
