#include "bu_link.h"

#include <string.h>

#include "bu_port.h"

namespace bu {

void Link::send(uint8_t* transmission, size_t length) {
  tagOf(key_, Direction::fromUnit, sent_++, transmission, length, transmission + length);
  out_ = transmission;
  left_ = static_cast<uint16_t>(length + tagOctets);
  busySince_ = now_;
  // At once, and in one piece: two small writes would wait on each other (reference/esp8266.md). What the connection
  // does not take, and a loss, are met again in `step`.
  flush();
}

void Link::say(FrameType type, CloseCode code) {
  uint8_t* transmission = reader_.memory();
  transmission[0] = static_cast<uint8_t>(type);
  transmission[1] = static_cast<uint8_t>(code);
  send(transmission, type == FrameType::close ? 2 : 1);
}

void Link::close(CloseCode code) {
  if (!isOpen()) return;
  if (left_ == 0) say(FrameType::close, code);
  busySince_ = now_;
  state_ = State::draining;
}

void Link::drop() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  memset(key_, 0, sizeof key_);
  port::close(slot_, port::Ending::done);
}

/** False: the connection is lost. */
bool Link::flush() {
  if (left_ == 0) return true;
  const int written = port::write(slot_, out_, left_);
  if (written == port::lost) return false;
  out_ += written;
  left_ = static_cast<uint16_t>(left_ - written);
  return true;
}

}  // namespace bu
