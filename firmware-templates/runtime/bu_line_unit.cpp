#include "bu_line_unit.h"

#include "bu_port.h"

namespace bu {

namespace {
/** Octets taken in one loop, so that the sketch gets its turn however much is sent. */
constexpr size_t octetsPerLoop = 128;
}  // namespace

void LineReadCore::begin() {
  port::begin(description_);
  uptime_.tick(port::millis());
}

void LineReadCore::loop() {
  port::loop();
  const uint64_t now = uptime_.tick(port::millis());
  if (!isConnected_) {
    slot_ = port::isWaiting() ? port::accept() : port::noSlot;
    if (slot_ == port::noSlot) return;
    isConnected_ = true;
    acknowledgedAt_ = now;
    written_ = 0;
  }
  // What a reader sends means nothing; it is taken only to notice that it has gone.
  uint8_t ignored[octetsPerLoop];
  if (port::read(slot_, ignored, sizeof ignored) == port::lost) return drop();
  flush();
  if (!isConnected_) return;
  if (written_ == lines_[last_].length() && !port::isUnacknowledged(slot_)) acknowledgedAt_ = now;
  if (now - acknowledgedAt_ >= lineStalledMs) drop();
}

LineText& LineReadCore::beginLine() {
  LineText& next = lines_[1 - last_];
  next.reset();
  return next;
}

Refusal LineReadCore::sendLine() {
  LineText& next = lines_[1 - last_];
  next.end();
  if (!next.isOk()) return next.refusal();
  // A reader that has half a line must get the other half: it misses this one.
  if (isConnected_ && written_ > 0 && written_ < lines_[last_].length()) return Refusal::none;
  last_ = static_cast<uint8_t>(1 - last_);
  written_ = 0;
  if (isConnected_) flush();
  return Refusal::none;
}

void LineReadCore::flush() {
  const uint16_t left = static_cast<uint16_t>(lines_[last_].length() - written_);
  if (left == 0) return;
  const int written = port::write(slot_, reinterpret_cast<const uint8_t*>(lines_[last_].octets()) + written_, left);
  if (written == port::lost) return drop();
  written_ = static_cast<uint16_t>(written_ + written);
}

void LineReadCore::drop() {
  port::close(slot_, port::Ending::done);
  isConnected_ = false;
  written_ = 0;
}

void LineUpdatableCore::begin() {
  port::begin(description_);
  uptime_.tick(port::millis());
}

void LineUpdatableCore::loop() {
  port::loop();
  const uint64_t now = uptime_.tick(port::millis());
  if (!isConnected_) {
    slot_ = port::isWaiting() ? port::accept() : port::noSlot;
    if (slot_ == port::noSlot) return;
    isConnected_ = true;
    inboundAt_ = now;
    reader_.reset();
  }
  uint8_t octets[octetsPerLoop];
  const int count = port::read(slot_, octets, sizeof octets);
  const bool isSilent = count == 0 && now - inboundAt_ >= lineSilentMs && port::isWaiting();
  if (count == port::lost || isSilent) {
    port::close(slot_, port::Ending::done);
    isConnected_ = false;
    return;
  }
  if (count > 0) inboundAt_ = now;
  for (int index = 0; index < count; ++index) {
    if (reader_.push(static_cast<char>(octets[index]))) handle(reader_.line(), reader_.length());
  }
}

void LineUpdatableCore::handle(const char* line, size_t length) {
  // `\n\r` and the like: an empty line between two ends is no value.
  if (length == 0) return;
  LineValue value(line, length);
  const Answer answer = description_.lineDispatch(value);
  if (!answer.isOk()) port::log(LogLevel::warn, answer.reason());
}

}  // namespace bu
