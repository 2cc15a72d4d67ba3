#pragma once

#include <string.h>

#include "bu_octets.h"
#include "bu_unit_core.h"

// What a typed unit does with the transmissions of its base (wire/unit.md, "Messages").
namespace bu {

namespace {
const char refusedReport[] BU_FLASH = "the base refused a report";

constexpr uint16_t commandHeadOctets = 5;
/** Describe and restart: number, u16. */
constexpr uint16_t ownRequestOctets = 3;
/** The longest piece of the descriptor in one answer. */
constexpr size_t maxDescribeOctets = 512;
/** Times in one session that a unit takes the next boot number, so that no base can keep it busy writing flash. */
constexpr uint8_t maxNextBoots = 3;
}  // namespace

BU_ONCE void UnitCore::onFrame(Frame frame) {
  switch (frame.type()) {
    case FrameType::ping:
      return link_.say(FrameType::pong);
    case FrameType::request:
      return onRequest(frame);
    case FrameType::response:
      return onResponse(frame);
    case FrameType::close:
      return link_.drop();
    case FrameType::pong:
    case FrameType::telemetryToken:
      return;
  }
}

BU_ONCE void UnitCore::onRequest(Frame frame) {
  // Before it has answered the hello a base may send nothing but pings, pongs and tokens.
  if (!isWelcome_) return link_.close(CloseCode::protocolError);
  const uint16_t tracking = frame.tracking();
  // In the memory where the request is: what answers it is made when it has been read.
  uint8_t* data = link_.memory() + responseHeadOctets;
  Writer reply(data, link_.memoryOctets() - responseHeadOctets - tagOctets);
  const Answer answer = carryOut(frame, reply);
  // A handler that reports may have used up the boot's last sequence, which ends the session.
  if (!link_.isOpen()) return;
  size_t length = reply.length();
  if (!answer.isOk() && length == 0) {
    length = Answer::reasonLength();
    memcpy(data, Answer::reason(), length);
  }
  transmit(FrameType::response, tracking, answer.isOk(), data, length);
}

BU_ONCE Answer UnitCore::carryOut(Frame frame, Writer& reply) {
  const uint8_t* data = frame.data();
  const uint16_t length = frame.length();
  const uint8_t number = data[0];
  const bool isOurs = number == describeNumber || number == restartNumber;
  if (frame.format() != typedFormat || length == 0 || (isOurs && length != ownRequestOctets)) {
    return Answer::refused(Answer::OwnReason::notTyped);
  }
  if (isOurs) {
    const uint16_t value = littleU16(data + 1);
    if (number == describeNumber) return describe(value, reply);
    isRestarting_ = true;
    restartAt_ = now_ + value;
    return Answer::ok();
  }
  const uint32_t id = length < commandHeadOctets ? 0 : littleU32(data + 1);
  if (id == 0) return Answer::refused(Answer::OwnReason::noId);
  if (commandsToCome_ > 0) --commandsToCome_;
  // With another key the unit is another base's, whose ids begin anew. Never 0: a base does not count to 2^31.
  const uint32_t ours = id ^ (littleU32(port::identity().key) | 0x80000000U);
  const RememberedAnswer* known = answers_.find(ours);
  if (known != nullptr) return AnswerMemory::recall(*known, number, reply);
  // Reply fields have the message number before them.
  *reply.take(1) = number;
  Reader fields(data + commandHeadOctets, static_cast<size_t>(length - commandHeadOctets));
  const Answer answer = description_->dispatch(number, fields, reply);
  answers_.remember(ours, answer, reply.from(1), reply.length() - 1);
  if (!answer.isOk() || reply.length() == 1) reply.clear();
  return answer;
}

BU_ONCE Answer UnitCore::describe(uint16_t offset, Writer& reply) {
  const FlashText& text = description_->descriptor;
  if (offset > text.length) return Answer::refused(Answer::OwnReason::pastTheEnd);
  constexpr size_t headOctets = 3;
  size_t piece = reply.room() - headOctets;
  const size_t left = static_cast<size_t>(text.length - offset);
  if (piece > maxDescribeOctets) piece = maxDescribeOctets;
  if (piece > left) piece = left;
  uint8_t* data = reply.take(headOctets + piece);
  data[0] = describeNumber;
  copyFromFlash(putLittle(data + 1, text.length, 2), text.at + offset, piece);
  return Answer::ok();
}

BU_ONCE void UnitCore::onResponse(Frame frame) {
  const uint16_t tracking = frame.tracking();
  if (hello_.isInFlight(tracking)) return onHelloAnswer(frame);
  if (report_.isInFlight(tracking)) return onReportAnswer(frame);
  if (line_ != nullptr && line_->request.isInFlight(tracking)) line_->request.done();
  // An answer that came too late: what it answered was sent again under another number, and is known by its sequence.
}

BU_ONCE void UnitCore::onHelloAnswer(Frame frame) {
  constexpr uint16_t welcomeOctets = 24;
  constexpr uint16_t nextBootOctets = 5;
  const uint8_t code = frame.code();
  if (code > codeNotValid) return hello_.failed(now_);
  const uint8_t* data = frame.data();
  const bool isNextBoot = code == codeNotValid;
  if (frame.length() != (isNextBoot ? nextBootOctets : welcomeOctets) || frame.format() != typedFormat ||
      data[0] != helloNumber || (isNextBoot && nextBoots_++ == maxNextBoots)) {
    return link_.close(CloseCode::protocolError);
  }
  hello_.done();
  if (isNextBoot) return takeBoot(littleU32(data + 1));
  const uint64_t unixMs = static_cast<uint64_t>(littleU32(data + 13)) << 32 | littleU32(data + 9);
  // 0: the base does not know it.
  if (unixMs > uptime()) {
    unixAtZero_[0] = static_cast<uint32_t>(unixMs - uptime());
    unixAtZero_[1] = static_cast<uint32_t>((unixMs - uptime()) >> 32);
  }
  ring_.forgetUpTo(littleU32(data + 17));
  commandsToCome_ = data[21];
  isWelcome_ = true;
  port::welcomed(link_.slot());
}

BU_ONCE void UnitCore::onReportAnswer(Frame frame) {
  const uint8_t code = frame.code();
  if (code > codeNotValid) return report_.failed(now_);
  report_.done();
  // The ring may have dropped it meanwhile.
  if (!ring_.isEmpty() && ring_.oldestSequence() == reportSequence_) ring_.removeOldest();
  if (code == codeNotValid) {
    ++refusedReports_;
    warn(flashText(refusedReport));
  }
}

}  // namespace bu
