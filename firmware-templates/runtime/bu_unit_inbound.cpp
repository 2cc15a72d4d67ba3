#include <string.h>

#include "bu_octets.h"
#include "bu_unit_core.h"

// What a typed unit does with the transmissions of its base (wire/unit.md, "Messages").
namespace bu {

namespace {
const char notTyped[] BU_FLASH = "not a typed message";
const char noId[] BU_FLASH = "a command needs an id other than 0";
const char pastTheEnd[] BU_FLASH = "the offset is behind the descriptor's end";
const char describeNames[] BU_FLASH = "describe:offset";
const char restartNames[] BU_FLASH = "restart:delayMs";

constexpr uint8_t codeValid = 0x00;
constexpr uint8_t codeNotValid = 0x01;
/** Payload format 2: UTF-8. */
constexpr uint8_t reasonFormat = 0x20;
constexpr uint8_t firstNumber = 1;
constexpr uint8_t lastNumber = 111;
constexpr size_t commandHeadOctets = 5;
}  // namespace

void UnitCore::onFrame(const Frame& frame, uint64_t now) {
  switch (frame.type) {
    case FrameType::ping:
      return link_.say(FrameType::pong);
    case FrameType::request:
      return onRequest(frame, now);
    case FrameType::response:
      return onResponse(frame, now);
    case FrameType::close:
      link_.drop();
      return afterLoss(now);
    case FrameType::pong:
    case FrameType::telemetryToken:
      return;
  }
}

void UnitCore::onRequest(const Frame& frame, uint64_t now) {
  // Before it has answered the hello a base may send nothing but pings, pongs and tokens.
  if (!isWelcome_) {
    link_.close(CloseCode::protocolError, now);
    return afterLoss(now);
  }
  if (frame.format != typedFormat || frame.length == 0) {
    return answerRefused(frame.tracking, Answer::refused(flashText(notTyped)));
  }
  const uint8_t number = frame.data[0];
  if (number == describeNumber) return onDescribe(frame);
  if (number == restartNumber) return onRestart(frame, now);
  if (number < firstNumber || number > lastNumber) {
    return answerRefused(frame.tracking, Answer::unknownMessage(number));
  }
  onCommand(frame);
}

void UnitCore::onCommand(const Frame& frame) {
  const uint8_t number = frame.data[0];
  const uint32_t id = frame.length < commandHeadOctets ? 0 : littleU32(frame.data + 1);
  if (id == 0) return answerRefused(frame.tracking, Answer::refused(flashText(noId)));
  const RememberedAnswer* known = answers_.find(id);
  if (known == nullptr) {
    uint8_t octets[maxReplyOctets] = {number};
    Reader fields(frame.data + commandHeadOctets, frame.length - commandHeadOctets);
    Writer reply(octets + 1, sizeof octets - 1);
    const Answer answer = description_.dispatch(number, fields, reply);
    if (answer.isOk()) {
      const size_t length = reply.length() == 0 ? 0 : 1 + reply.length();
      known = &answers_.remember(id, true, octets, static_cast<uint8_t>(length));
    } else {
      known = &answers_.remember(id, false, answer.reason(), answer.reasonLength());
    }
  }
  respond(frame.tracking, known->isOk, known->octets, known->length);
}

void UnitCore::onDescribe(const Frame& frame) {
  Reader in(frame.data + 1, static_cast<size_t>(frame.length - 1));
  in.field(0);
  const uint16_t offset = in.u16();
  if (!in.finish()) return answerRefused(frame.tracking, Answer::undecodable(in, flashText(describeNames)));
  const FlashText& text = description_.descriptor;
  if (offset > text.length) return answerRefused(frame.tracking, Answer::refused(flashText(pastTheEnd)));
  const size_t left = static_cast<size_t>(text.length - offset);
  const size_t piece = left < maxDescribeOctets ? left : maxDescribeOctets;
  uint8_t* data = beginResponse(frame.tracking, codeValid, typedFormat, 3 + piece);
  if (data == nullptr) return;
  data[0] = describeNumber;
  putLittle(data + 1, text.length, 2);
  copyFromFlash(data + 3, text.at + offset, piece);
  finishResponse(data, 3 + piece);
}

void UnitCore::onRestart(const Frame& frame, uint64_t now) {
  Reader in(frame.data + 1, static_cast<size_t>(frame.length - 1));
  in.field(0);
  const uint16_t delayMs = in.u16();
  if (!in.finish()) return answerRefused(frame.tracking, Answer::undecodable(in, flashText(restartNames)));
  isRestarting_ = true;
  restartAt_ = now + delayMs;
  respond(frame.tracking, true, nullptr, 0);
}

void UnitCore::onResponse(const Frame& frame, uint64_t now) {
  if (hello_.isInFlight(frame.tracking)) return onHelloAnswer(frame, now);
  if (report_.isInFlight(frame.tracking)) return onReportAnswer(frame, now);
  if (logLine_.isInFlight(frame.tracking)) return logLine_.done();
  // An answer that came too late: what it answered was sent again under another number, and is known by its sequence.
}

void UnitCore::onHelloAnswer(const Frame& frame, uint64_t now) {
  constexpr uint16_t welcomeOctets = 24;
  constexpr uint16_t nextBootOctets = 5;
  const bool isHello = frame.format == typedFormat && frame.length > 0 && frame.data[0] == helloNumber;
  if (frame.code == codeValid && isHello && frame.length == welcomeOctets) {
    const uint64_t unixMs = littleU64(frame.data + 9);
    if (unixMs > now) unixOffsetMs_ = unixMs - now;
    ring_.forgetUpTo(littleU32(frame.data + 17));
    hello_.done();
    isWelcome_ = true;
    return;
  }
  if (frame.code == codeNotValid && isHello && frame.length == nextBootOctets && nextBoots_ < maxNextBoots) {
    ++nextBoots_;
    takeBoot(littleU32(frame.data + 1));
    // In the new boot sequence starts at 1 again.
    ring_.renumber();
    report_.done();
    return hello_.done();
  }
  if (frame.code != codeValid && frame.code != codeNotValid) return hello_.failed(now);
  link_.close(CloseCode::protocolError, now);
  afterLoss(now);
}

void UnitCore::onReportAnswer(const Frame& frame, uint64_t now) {
  if (frame.code != codeValid && frame.code != codeNotValid) return report_.failed(now);
  report_.done();
  // The ring may have dropped it meanwhile.
  if (!ring_.isEmpty() && ring_.oldest().sequence == reportSequence_) ring_.removeOldest();
  if (frame.code == codeNotValid) {
    ++refusedReports_;
    port::log(LogLevel::warn, "the base refused a report for good");
  }
}

void UnitCore::answerRefused(uint16_t tracking, const Answer& answer) {
  respond(tracking, false, answer.reason(), answer.reasonLength());
}

void UnitCore::respond(uint16_t tracking, bool isOk, const void* octets, size_t length) {
  uint8_t* data = beginResponse(tracking, isOk ? codeValid : codeNotValid, isOk ? typedFormat : reasonFormat, length);
  if (data == nullptr) return;
  if (length > 0) memcpy(data, octets, length);
  finishResponse(data, length);
}

/** Where its data goes. Never null in fact: nothing is received while there is no room for the largest answer. */
uint8_t* UnitCore::beginResponse(uint16_t tracking, uint8_t code, uint8_t format, size_t dataLength) {
  uint8_t* response = link_.begin(responseHeadOctets + dataLength);
  if (response == nullptr) return nullptr;
  response[0] = firstOctetOf(FrameType::response);
  putBig(response + 1, tracking, 2);
  response[3] = code;
  response[4] = format;
  putBig(response + 5, dataLength, 2);
  return response + responseHeadOctets;
}

void UnitCore::finishResponse(uint8_t* data, size_t dataLength) {
  link_.finish(data - responseHeadOctets, responseHeadOctets + dataLength);
}

}  // namespace bu
