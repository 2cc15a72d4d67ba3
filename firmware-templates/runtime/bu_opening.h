#pragma once

#include <stdint.h>

#include "bu_output.h"
#include "bu_proof.h"

namespace bu {

/** Time for one step, and for all of them (wire/unit.md, "Life of a link"). */
constexpr uint32_t openingStepMs = 5'000;
constexpr uint32_t openingMs = 20'000;
/** Time that a closing connection has to take what was written last. */
constexpr uint32_t drainMs = 2'000;

/**
 * One connection before its base has proved itself (wire/unit.md, "Opening with mutual proof"). Tells a stranger the
 * UID and a proof that fits this challenge only; acts on nothing. Takes not one octet more than the opening has.
 */
class Opening {
 public:
  enum class Progress : uint8_t { none, waiting, proved };

  Opening() = default;

  /** Takes the connection in `slot`; sends the initiation. */
  void start(uint8_t slot, uint64_t now, uint32_t allowedMs, uint16_t maxTransmission);
  /** A connection that fails is closed here, without a word. After `proved` call `leave` or `refuse`. */
  Progress step(uint64_t now);

  bool isBusy() const { return state_ != State::idle; }
  uint8_t slot() const { return slot_; }
  /** Ks, after `proved`. */
  const uint8_t* key() const { return key_; }
  /** The link takes the connection over. */
  void leave();
  /** Says close code `02` (served already) to the base that has proved itself, and closes. */
  void refuse(uint64_t now);

 private:
  enum class State : uint8_t { idle, rule, challenge, verdict, proof, proved, refusing };

  Progress read(uint64_t now);
  bool onOctets();
  void expect(State state, uint8_t count);
  bool answerChallenge();
  void close();

  static constexpr uint8_t inputOctets = hmac::octets;
  static constexpr uint8_t outputOctets = uidOctets + hmac::octets + nonceOctets;

  uint64_t startedAt_ = 0;
  uint64_t stepAt_ = 0;
  uint32_t allowedMs_ = 0;
  State state_ = State::idle;
  uint8_t slot_ = 0;
  uint8_t filled_ = 0;
  uint8_t expected_ = 0;
  uint8_t input_[inputOctets] = {};
  uint8_t written_[outputOctets] = {};
  uint8_t proof_[hmac::octets] = {};
  uint8_t key_[hmac::octets] = {};
  Output output_{written_, outputOctets};
};

}  // namespace bu
