#include "bu_serial_line.h"

#include <string.h>

#include "bu_port.h"

namespace bu {

namespace {
/** Times that octets are taken in one loop, so that the sketch gets its turn however much noise there is. */
constexpr uint8_t readsPerLoop = 4;
}  // namespace

void SerialLine::loop(uint32_t now) {
  now_ = now;
  const bool isTime = now - begunAt_ >= againMs;
  if (isTime) isDue_ = true;
  if (isTime && state_ == State::begun) lose();
  if (isTime && state_ == State::closed && chunkEnd_ > 0) dropInput(rest_);
  if (isPacketAwaited_ && now - packetAt_ >= packetMs) {
    isPacketAwaited_ = false;
    ++packetStart_;
  }
  receive();
  flush();
}

bool SerialLine::isWaiting(bool isServedElsewhere) const {
  return state_ == State::closed && (isAsked_ || (isDue_ && !isServedElsewhere));
}

void SerialLine::giveWay() {
  if (isUnanswered()) lose();
}

void SerialLine::open() {
  state_ = chunkEnd_ > 0 ? State::heard : State::begun;
  begunAt_ = now_;
  // Whoever is there may be in a session that we have forgotten; who sent a reset is not.
  needsReset_ = !isAsked_;
  isDue_ = isAsked_ = false;
}

int SerialLine::read(uint8_t* to, size_t capacity) {
  if (chunkEnd_ == 0 && state_ != State::closed && state_ != State::lost) receive();
  if (state_ == State::closed || state_ == State::lost) return port::lost;
  const size_t left = static_cast<size_t>(chunkEnd_ - chunkStart_);
  const size_t count = left < capacity ? left : capacity;
  memcpy(to, input_ + chunkStart_, count);
  chunkStart_ = static_cast<uint8_t>(chunkStart_ + count);
  if (chunkEnd_ > 0 && chunkStart_ == chunkEnd_) dropInput(rest_);
  return static_cast<int>(count);
}

int SerialLine::write(const uint8_t* from, size_t count) {
  if (state_ == State::closed || state_ == State::lost) return port::lost;
  size_t taken = 0;
  while (taken < count) {
    flush();
    if (isUnacknowledged()) break;
    const size_t left = count - taken;
    const size_t piece = left < maxSentChunk ? left : maxSentChunk;
    send(from + taken, piece);
    taken += piece;
  }
  flush();
  return static_cast<int>(taken);
}

void SerialLine::close() {
  drop();
  state_ = State::closed;
}

void SerialLine::drop() {
  // The other side may still believe in the session: this is how a line says that it is over.
  if (state_ == State::heard) needsReset_ = true;
  lose();
}

improv::Packet SerialLine::packet() const {
  const uint8_t* octets = input_ + packetStart_;
  return {static_cast<improv::Type>(octets[improv::markOctets]), octets + improv::headOctets,
          octets[improv::headOctets - 1]};
}

void SerialLine::packetDone() {
  if (!hasPacket()) return;
  dropInput(rest_);
  isAfterPacket_ = true;
}

bool SerialLine::sendPacket(const uint8_t* packet, size_t count) {
  if (count > outputOctets || !beginText()) return false;
  memcpy(output_, packet, count);
  outputStart_ = 0;
  outputEnd_ = static_cast<uint8_t>(count);
  flushOutput();
  return true;
}

bool SerialLine::beginText() {
  if (state_ == State::heard) return false;
  flush();
  if (isUnacknowledged()) return false;
  needsMark_ = true;
  return true;
}

void SerialLine::receive() {
  for (uint8_t reads = 0; !isHolding() && reads < readsPerLoop; ++reads) {
    const size_t count = uart_.read(input_ + filled_, inputOctets - filled_);
    filled_ = static_cast<uint8_t>(filled_ + count);
    look();
    if (count == 0) return;
    if (filled_ == inputOctets && !isHolding()) takeOverlong();
  }
}

/** Takes frames and packets from what has arrived, until there is one to be held, or more must arrive. */
void SerialLine::look() {
  while (filled_ > 0 && !isHolding()) {
    if (isAfterPacket_ && input_[0] == '\n') dropInput(1);
    isAfterPacket_ = false;
    const void* end = memchr(input_, 0, filled_);
    const size_t frameEnd = end == nullptr ? filled_ : static_cast<size_t>(static_cast<const uint8_t*>(end) - input_);
    if (!isServed_ && lookForPacket(frameEnd)) return;
    if (end == nullptr) return;
    takeFrame(frameEnd);
  }
}

/** A packet that begins before `frameEnd` is there, or begun and not yet whole. */
bool SerialLine::lookForPacket(size_t frameEnd) {
  for (; packetStart_ < frameEnd; ++packetStart_) {
    size_t matching = 0;
    while (matching < improv::markOctets && packetStart_ + matching < filled_ &&
           input_[packetStart_ + matching] == improv::markAt(matching)) {
      ++matching;
    }
    if (matching < improv::markOctets) {
      if (packetStart_ + matching == filled_) return false;
      continue;
    }
    const bool hasHead = packetStart_ + improv::headOctets <= filled_;
    const size_t octets =
        improv::headOctets + 1 + (hasHead ? input_[packetStart_ + improv::headOctets - 1] : size_t{0});
    if (octets > inputOctets) continue;
    // What is before it can be no whole frame any more.
    if (packetStart_ + octets > inputOctets) dropInput(packetStart_);
    if (!hasHead || packetStart_ + octets > filled_) {
      if (!isPacketAwaited_) packetAt_ = now_;
      isPacketAwaited_ = true;
      return true;
    }
    isPacketAwaited_ = false;
    const uint8_t* packet = input_ + packetStart_;
    if (improv::checksumOf(packet, octets - 1) != packet[octets - 1]) continue;
    packetOctets_ = static_cast<uint8_t>(octets);
    rest_ = static_cast<uint8_t>(packetStart_ + octets);
    return true;
  }
  return false;
}

void SerialLine::takeFrame(size_t count) {
  const bool isEmpty = count == 0 && !isOverlong_;
  const int chunk = isOverlong_ ? noFrame : decodeFrame(input_, count);
  isOverlong_ = false;
  const bool isInUse = state_ == State::begun || state_ == State::heard;
  // Who asks for a beginning may have seen one already, and have answered it: that is an answer to the next one too.
  if (chunk > 0 && (isInUse || isAsked_)) {
    if (isInUse) state_ = State::heard;
    chunkStart_ = 0;
    chunkEnd_ = static_cast<uint8_t>(chunk);
    rest_ = static_cast<uint8_t>(count + 1);
    return;
  }
  dropInput(count + 1);
  if (chunk == 0) {
    isAsked_ = true;
    begunAt_ = now_;
    lose();
  }
  // Before anything came in this session it may be older than the session: noise.
  if (chunk == noFrame && !isEmpty && state_ == State::heard) drop();
}

/** The input is full, and there is neither frame nor packet in it: only what may be the beginning of a packet is kept. */
void SerialLine::takeOverlong() {
  isOverlong_ = true;
  dropInput(isServed_ ? filled_ : packetStart_);
}

void SerialLine::dropInput(size_t count) {
  memmove(input_, input_ + count, filled_ - count);
  filled_ = static_cast<uint8_t>(filled_ - count);
  packetStart_ = packetOctets_ = chunkStart_ = chunkEnd_ = rest_ = 0;
  isPacketAwaited_ = false;
}

void SerialLine::lose() {
  if (state_ == State::closed || state_ == State::lost) return;
  if (chunkEnd_ > 0) dropInput(rest_);
  state_ = State::lost;
  isServed_ = false;
}

/** Writes what waits, and a reset that is due behind it. */
void SerialLine::flush() {
  flushOutput();
  if (!needsReset_ || isUnacknowledged()) return;
  needsReset_ = false;
  send(nullptr, 0);
  flushOutput();
}

void SerialLine::flushOutput() {
  if (!isUnacknowledged()) return;
  const size_t left = static_cast<size_t>(outputEnd_ - outputStart_);
  outputStart_ = static_cast<uint8_t>(outputStart_ + uart_.write(output_ + outputStart_, left));
}

void SerialLine::send(const uint8_t* chunk, size_t count) {
  outputStart_ = outputEnd_ = 0;
  if (needsMark_) output_[outputEnd_++] = 0;
  needsMark_ = false;
  outputEnd_ = static_cast<uint8_t>(outputEnd_ + encodeFrame(chunk, count, output_ + outputEnd_));
}

}  // namespace bu
