#include "bu_unit_core.h"

#include <string.h>

#include "bu_octets.h"
#include "bu_unit_inbound.h"

namespace bu {

namespace {
/** Revision 2 tells the free heap, too. */
constexpr uint8_t helloRevision = 2;
/** Transmissions handled in one loop, so that the sketch gets its turn however fast the base is. */
constexpr uint8_t framesPerLoop = 4;
/** Payload format 2: UTF-8. */
constexpr uint8_t reasonFormat = 0x20;

const char notStored[] BU_FLASH = "the boot number is not stored";

uint8_t* putText(uint8_t* to, const FlashText& text) {
  *to = static_cast<uint8_t>(text.length);
  copyFromFlash(to + 1, text.at, text.length);
  return to + 1 + text.length;
}
}  // namespace

void UnitCore::begin(const UnitDescription& description, Reading* ring, uint8_t slots, uint16_t slotOctets, uint16_t octets) {
  description_ = &description;
  link_.lend(ring_.lend(ring, slots, slotOctets), octets);
  port::begin(description);
  tick();
  port::random(reinterpret_cast<uint8_t*>(&nonce_), sizeof nonce_);
  // The number of the first request is nobody's to guess, and a new boot's never meets an old answer.
  port::random(reinterpret_cast<uint8_t*>(&tracking_), sizeof tracking_);
  takeBoot(port::storedBoot() + 1);
}

void UnitCore::loop() {
  port::loop();
  tick();
  // Whoever comes while the unit leaves is served after the restart, not cut off by it.
  const bool isLeaving = isRestarting_ && hasPassed(restartAt_, now_);
  link_.step(now_);
  for (uint8_t count = 0; count < framesPerLoop && link_.receive(); ++count) onFrame(link_.frame());
  if (!isLeaving) stepOpening();
  if (link_.isOpen()) {
    send();
  } else {
    afterLoss();
  }
  if (isLeaving && leave(CloseCode::maintenance)) port::restart();
}

/** At least once in 49 days. */
void UnitCore::tick() {
  const uint32_t millis = port::millis();
  if (millis < now_) ++turn_;
  now_ = millis;
}

uint64_t UnitCore::unixMs() {
  const uint64_t atZero = static_cast<uint64_t>(unixAtZero_[1]) << 32 | unixAtZero_[0];
  tick();
  return atZero == 0 ? 0 : atZero + uptime();
}

Refusal UnitCore::keep(uint8_t number, const Writer& out) {
  if (!out.isOk()) return out.refusal();
  // Before `begin` there is no memory for it.
  if (boot_ == 0) return Refusal::tooLong;
  tick();
  if (ring_.isExhausted()) {
    takeBoot(boot_ + 1);
    // The hello of a new session tells the new boot number.
    link_.close(CloseCode::freeingResources);
    afterLoss();
  }
  ring_.finish(number, out.length(), now_, turn_);
  return Refusal::none;
}

BU_ONCE void UnitCore::stepOpening() {
  if (!opening_.isBusy() && port::isWaiting()) {
    const uint8_t slot = port::accept();
    // While a base is served, whoever else comes has one step's time for the whole opening.
    const uint32_t allowedMs = link_.isOpen() ? openingStepMs : openingMs;
    if (slot != port::noSlot) opening_.start(slot, now_, allowedMs);
  }
  if (!opening_.step(now_, link_.memoryOctets())) return;
  // A base that lost its link and came back at once: the end of the old one was seen in this very loop.
  if (link_.isOpen() && now_ - link_.inboundAt() < silenceMs) return opening_.refuse();
  link_.close(CloseCode::freeingResources);
  link_.drop();
  afterLoss();
  opening_.takeKey(link_.key());
  link_.start(opening_.slot(), now_);
  nextBoots_ = 0;
  hello_.done();
}

/** What was under way with the base is as if unanswered. */
void UnitCore::afterLoss() {
  isWelcome_ = false;
  if (report_.isInFlight()) report_.failed(now_);
  if (line_ != nullptr) line_->request.done();
}

BU_ONCE void UnitCore::send() {
  if (!link_.isFree()) return;
  if (!isWelcome_) {
    if (hello_.step(now_)) sendHello();
    return;
  }
  if (report_.step(now_) && !ring_.isEmpty()) sendReport();
  if (line_ != nullptr && link_.isFree()) line_->send(*this, *line_);
}

BU_ONCE void UnitCore::sendHello() {
  const UnitDescription& is = *description_;
  uint8_t* data = link_.memory() + requestHeadOctets;
  data[0] = helloNumber;
  data[1] = helloRevision;
  copyFromFlash(data + 2, is.fingerprint, fingerprintOctets);
  putLittle(data + 10, boot_, 4);
  putLittle(data + 14, nonce_, 4);
  data[18] = static_cast<uint8_t>(is.kind);
  data[19] = port::resetReason();
  uint8_t* end = putLittle(putText(putText(data + 20, is.name), is.version), port::freeHeap(), 4);
  request(hello_, data, static_cast<size_t>(end - data));
}

BU_ONCE void UnitCore::sendReport() {
  // A handler may have measured after the loop began.
  tick();
  const Reading& reading = ring_.oldest();
  reportSequence_ = ring_.oldestSequence();
  uint8_t* data = link_.memory() + requestHeadOctets;
  data[0] = reading.number;
  putLittle(data + 1, reportSequence_, 4);
  putLittle(data + 5, ageOf(reading), 4);
  memcpy(data + 9, ring_.oldestFields(), reading.length);
  request(report_, data, 9u + reading.length);
}

/** In ms; as many as there can be, when it is more. */
BU_ONCE uint32_t UnitCore::ageOf(const Reading& reading) const {
  const uint8_t turns = static_cast<uint8_t>(turn_ - reading.turn - (now_ < reading.measuredAt ? 1 : 0));
  return turns == 0 ? now_ - reading.measuredAt : UINT32_MAX;
}

/** Sends `length` octets of data, which have room for a head before them, and for a tag behind. */
void UnitCore::request(Resend& resend, uint8_t* data, size_t length) {
  const uint16_t tracking = tracking_++;
  resend.sent(tracking, now_);
  transmit(FrameType::request, tracking, true, data, length);
}

void UnitCore::transmit(FrameType type, uint16_t tracking, bool isOk, uint8_t* data, size_t length) {
  uint8_t* head = data - (type == FrameType::request ? requestHeadOctets : responseHeadOctets);
  head[0] = static_cast<uint8_t>(type);
  putBig(head + 1, tracking, 2);
  // A request has its format here.
  head[3] = static_cast<uint8_t>(isOk ? codeValid : codeNotValid);
  data[-3] = isOk ? typedFormat : reasonFormat;
  putBig(data - 2, static_cast<uint32_t>(length), 2);
  link_.send(head, static_cast<size_t>(data - head) + length);
}

void UnitCore::takeBoot(uint32_t boot) {
  // 0 says that there is none.
  boot_ = boot == 0 ? 1 : boot;
  // In a new boot sequence starts at 1.
  ring_.renumber();
  report_.done();
  if (!port::storeBoot(boot_)) warn(flashText(notStored));
}

void UnitCore::warn(FlashText text) {
  char copy[40];
  copyFromFlash(copy, text.at, text.length);
  copy[text.length] = '\0';
  port::log(LogLevel::warn, copy);
}

}  // namespace bu
