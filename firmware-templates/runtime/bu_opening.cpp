#include "bu_opening.h"

#include <string.h>

#include "bu_frame_reader.h"
#include "bu_link.h"
#include "bu_octets.h"
#include "bu_port.h"

namespace bu {

namespace {
constexpr uint8_t protocolVersion = 1;
/** Options: typed unit messages, mutual proof. */
constexpr uint8_t initiationOptions = 0x03;
/** OK, no rule. */
constexpr uint8_t ruleNone = 0x80;
/** Rule flags: mutual proof understood. */
constexpr uint8_t ruleMutualProof = 0x02;
constexpr uint8_t verdictRight = 0x01;
}  // namespace

void Opening::start(uint8_t slot, uint64_t now, uint32_t allowedMs, uint16_t maxTransmission) {
  slot_ = slot;
  startedAt_ = now;
  allowedMs_ = allowedMs;
  output_.reset();
  uint8_t* initiation = output_.reserve(4);
  initiation[0] = protocolVersion;
  initiation[1] = initiationOptions;
  putBig(initiation + 2, maxTransmission, 2);
  output_.commit(4);
  stepAt_ = now;
  expect(State::rule, 2);
}

Opening::Progress Opening::step(uint64_t now) {
  if (state_ == State::idle) return Progress::none;
  if (state_ == State::proved) return Progress::proved;
  const Output::Flush flushed = output_.flush(slot_);
  const bool isLate = state_ == State::refusing
                          ? flushed == Output::Flush::done || now - stepAt_ >= drainMs
                          : now - stepAt_ >= openingStepMs || now - startedAt_ >= allowedMs_;
  if (flushed == Output::Flush::lost || isLate) {
    close();
    return Progress::none;
  }
  return state_ == State::refusing ? Progress::waiting : read(now);
}

Opening::Progress Opening::read(uint64_t now) {
  while (filled_ < expected_) {
    const int count = port::read(slot_, input_ + filled_, static_cast<size_t>(expected_ - filled_));
    if (count == 0) return Progress::waiting;
    if (count == port::lost) {
      close();
      return Progress::none;
    }
    filled_ = static_cast<uint8_t>(filled_ + count);
    if (filled_ < expected_) continue;
    stepAt_ = now;
    if (!onOctets()) {
      close();
      return Progress::none;
    }
  }
  return Progress::proved;
}

/** A whole step has arrived. False: this is no base of ours. */
bool Opening::onOctets() {
  switch (state_) {
    case State::rule:
      // A base that cannot prove itself may command nothing, and gets nothing to try its luck on.
      if (input_[0] != ruleNone || (input_[1] & ruleMutualProof) == 0) return false;
      expect(State::challenge, nonceOctets);
      return true;
    case State::challenge:
      if (!answerChallenge()) return false;
      expect(State::verdict, 1);
      return true;
    case State::verdict:
      if (input_[0] != verdictRight) return false;
      expect(State::proof, hmac::octets);
      return true;
    case State::proof:
      if (!equalInConstantTime(input_, proof_, hmac::octets)) return false;
      state_ = State::proved;
      return true;
    default:
      return false;
  }
}

bool Opening::answerChallenge() {
  const Identity& identity = port::identity();
  uint8_t* answer = output_.reserve(outputOctets);
  // No room: the initiation is still unread, so this challenge cannot be an answer to it.
  if (answer == nullptr) return false;
  uint8_t* nonce = answer + uidOctets + hmac::octets;
  memcpy(answer, identity.uid, uidOctets);
  port::random(nonce, nonceOctets);
  unitProof(identity, input_, nonce, answer + uidOctets);
  baseProof(identity, input_, nonce, proof_);
  sessionKey(identity, input_, nonce, key_);
  output_.commit(outputOctets);
  return output_.flush(slot_) != Output::Flush::lost;
}

void Opening::expect(State state, uint8_t count) {
  state_ = state;
  filled_ = 0;
  expected_ = count;
}

void Opening::leave() {
  state_ = State::idle;
  memset(key_, 0, sizeof key_);
  memset(proof_, 0, sizeof proof_);
}

void Opening::refuse(uint64_t now) {
  uint8_t* transmission = output_.reserve(2 + tagOctets);
  if (transmission == nullptr) return close();
  transmission[0] = firstOctetOf(FrameType::close);
  transmission[1] = static_cast<uint8_t>(CloseCode::tooMuchLoad);
  tagOf(key_, Direction::fromUnit, 0, transmission, 2, transmission + 2);
  output_.commit(2 + tagOctets);
  stepAt_ = now;
  state_ = State::refusing;
}

void Opening::close() {
  port::close(slot_);
  leave();
}

}  // namespace bu
