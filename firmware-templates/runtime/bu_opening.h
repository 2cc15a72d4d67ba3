#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bu_link.h"
#include "bu_octets.h"
#include "bu_once.h"
#include "bu_port.h"
#include "bu_proof.h"

namespace bu {

/** Time for one step, and for all of them (wire/unit.md, "Life of a link"). */
constexpr uint32_t openingStepMs = 5'000;
constexpr uint32_t openingMs = 20'000;

/**
 * One connection before its base has proved itself (wire/unit.md, "Opening with mutual proof"). Tells a stranger the
 * UID and a proof that fits this challenge only; acts on nothing. Takes not one octet more than the opening has.
 *
 *     unit says    0..3 initiation   4..19 UID   20..51 proof   52..67 N
 *     base says    0..1 rule   2..17 C   18 verdict   19..50 proof
 */
class Opening {
 public:
  /** Takes the connection in `slot`, for at most so many ms. */
  void start(uint8_t slot, uint32_t now, uint32_t allowedMs);
  /** True: the base has proved itself; call `takeKey` or `refuse`. A connection that fails is closed without a word. */
  bool step(uint32_t now, uint16_t maxTransmission);

  bool isBusy() const { return stage_ != Stage::none; }
  uint8_t slot() const { return slot_; }
  /** Writes Ks for the link, which takes the connection over. */
  void takeKey(uint8_t* to);
  /** Says close code `02` (served already) to the base that has proved itself, and closes. */
  void refuse();

 private:
  /** What is heard next. */
  enum class Stage : uint8_t { none, rule, challenge, verdict, proof, nothing };

  static constexpr uint8_t protocolVersion = 1;
  /** Options: typed unit messages, mutual proof. */
  static constexpr uint8_t initiationOptions = 0x03;
  /** OK, no rule. */
  static constexpr uint8_t ruleNone = 0x80;
  /** Rule flags: mutual proof understood. */
  static constexpr uint8_t ruleMutualProof = 0x02;
  static constexpr uint8_t verdictRight = 0x01;

  static constexpr uint8_t initiationOctets = 4;
  static constexpr uint8_t saidOctets = initiationOctets + uidOctets + hmac::octets + nonceOctets;

  void enter(Stage stage, uint8_t octets) {
    stage_ = stage;
    left_ = octets;
  }
  void hear(const uint8_t* octets, size_t count);
  bool isRight();
  bool say(uint16_t maxTransmission);
  void close(port::Ending ending);

  /** When it has taken too long: this stage, and the whole. */
  uint32_t stageUntil_ = 0;
  uint32_t until_ = 0;
  Stage stage_ = Stage::none;
  /** Octets still to be heard in this stage. */
  uint8_t left_ = 0;
  uint8_t slot_ = 0;
  /** Octets said in all. */
  uint8_t said_ = 0;
  /** Some octet of verdict or proof was not as it must be. */
  bool isWrong_ = false;
  /** C; before it, at the end, the rule. */
  uint8_t challenge_[nonceOctets] = {};
  uint8_t nonce_[nonceOctets] = {};
};

BU_ONCE void Opening::start(uint8_t slot, uint32_t now, uint32_t allowedMs) {
  slot_ = slot;
  said_ = 0;
  isWrong_ = false;
  enter(Stage::rule, 2);
  stageUntil_ = now + openingStepMs;
  until_ = now + allowedMs;
}

BU_ONCE bool Opening::step(uint32_t now, uint16_t maxTransmission) {
  if (!isBusy()) return false;
  port::Ending ending = port::Ending::done;
  while (!hasPassed(stageUntil_, now) && !hasPassed(until_, now) && say(maxTransmission)) {
    if (stage_ == Stage::nothing) return true;
    uint8_t octets[hmac::octets];
    const int count = port::read(slot_, octets, left_);
    if (count == 0) return false;
    if (count == port::lost) break;
    hear(octets, static_cast<size_t>(count));
    if (left_ > 0) continue;
    stageUntil_ = now + openingStepMs;
    if (!isRight()) {
      ending = port::Ending::refused;
      break;
    }
  }
  close(ending);
  return false;
}

BU_ONCE void Opening::hear(const uint8_t* octets, size_t count) {
  if (stage_ <= Stage::challenge) {
    memcpy(challenge_ + nonceOctets - left_, octets, count);
  } else {
    uint8_t right[hmac::octets];
    right[hmac::octets - 1] = verdictRight;
    if (stage_ == Stage::proof) baseProof(challenge_, nonce_, right);
    if (!equalInConstantTime(octets, right + hmac::octets - left_, count)) isWrong_ = true;
  }
  left_ = static_cast<uint8_t>(left_ - count);
}

/** A whole stage was heard. False: this is no base of ours. */
BU_ONCE bool Opening::isRight() {
  if (stage_ == Stage::rule) {
    enter(Stage::challenge, nonceOctets);
    const uint8_t* rule = challenge_ + nonceOctets - 2;
    // A base that cannot prove itself may command nothing, and gets nothing to try its luck on.
    return rule[0] == ruleNone && (rule[1] & ruleMutualProof) != 0;
  }
  if (stage_ == Stage::challenge) {
    enter(Stage::verdict, 1);
    port::random(nonce_, nonceOctets);
    // While the initiation is not written, no challenge can be an answer to it.
    return said_ == initiationOctets;
  }
  if (stage_ == Stage::verdict) {
    enter(Stage::proof, hmac::octets);
  } else {
    enter(Stage::nothing, 0);
  }
  return !isWrong_;
}

/** Writes on. What is said is made anew each time, and so kept nowhere. False: the connection is lost. */
BU_ONCE bool Opening::say(uint16_t maxTransmission) {
  const uint8_t end = stage_ <= Stage::challenge ? initiationOctets : saidOctets;
  if (said_ == end) return true;
  uint8_t all[saidOctets] = {protocolVersion, initiationOptions};
  putBig(all + 2, maxTransmission, 2);
  uint8_t* uid = all + initiationOctets;
  memcpy(uid, port::identity().uid, uidOctets);
  unitProof(challenge_, nonce_, uid + uidOctets);
  memcpy(all + saidOctets - nonceOctets, nonce_, nonceOctets);
  const int written = port::write(slot_, all + said_, static_cast<size_t>(end - said_));
  if (written == port::lost) return false;
  said_ = static_cast<uint8_t>(said_ + written);
  return true;
}

BU_ONCE void Opening::takeKey(uint8_t* to) {
  sessionKey(challenge_, nonce_, to);
  stage_ = Stage::none;
}

BU_ONCE void Opening::refuse() {
  uint8_t key[hmac::octets];
  sessionKey(challenge_, nonce_, key);
  uint8_t transmission[2 + tagOctets] = {static_cast<uint8_t>(FrameType::close), static_cast<uint8_t>(CloseCode::tooMuchLoad)};
  tagOf(key, Direction::fromUnit, 0, transmission, 2, transmission + 2);
  size_t written = 0;
  for (int count = 1; count > 0 && written < sizeof transmission; written += static_cast<size_t>(count)) {
    count = port::write(slot_, transmission + written, sizeof transmission - written);
  }
  close(port::Ending::done);
}

inline void Opening::close(port::Ending ending) {
  stage_ = Stage::none;
  port::close(slot_, ending);
}

}  // namespace bu
