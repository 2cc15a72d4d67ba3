#include "bu_unit_core.h"

#include <string.h>

#include "bu_octets.h"
#include "bu_utf8.h"

namespace bu {

namespace {
/** Transmissions handled in one loop, so that the sketch gets its turn however fast the base is. */
constexpr uint8_t framesPerLoop = 4;

uint8_t* putText(uint8_t* to, const FlashText& text) {
  *to++ = static_cast<uint8_t>(text.length);
  copyFromFlash(to, text.at, text.length);
  return to + text.length;
}
}  // namespace

void UnitCore::begin() {
  port::begin(true);
  uptime_.tick(port::millis());
  uint8_t random[6];
  port::random(random, sizeof random);
  nonce_ = littleU32(random);
  // The number of the first request is nobody's to guess, and a new boot's never meets an old answer.
  tracking_ = littleU16(random + 4);
  takeBoot(port::storedBoot() + 1);
  port::announce(description_);
}

void UnitCore::loop() {
  port::loop();
  const uint64_t now = uptime_.tick(port::millis());
  // Whoever comes while the unit leaves is served after the restart, not cut off by it.
  const bool isLeaving = isRestarting_ && now >= restartAt_;
  if (!isLeaving) {
    acceptOne(now);
    stepOpening(now);
  }
  stepLink(now);
  if (isLeaving) leave(now);
}

uint64_t UnitCore::unixMs() {
  return unixOffsetMs_ == 0 ? 0 : unixOffsetMs_ + uptime_.tick(port::millis());
}

void UnitCore::log(LogLevel level, const char* text) {
  port::log(level, text);
  const size_t all = strlen(text);
  size_t length = 0;
  while (length < all) {
    const size_t character = utf8CharacterAt(reinterpret_cast<const uint8_t*>(text) + length, all - length);
    if (character == 0 || length + character > maxLogOctets) break;
    length += character;
  }
  memcpy(logText_, text, length);
  logLength_ = static_cast<uint8_t>(length);
  logLevel_ = level;
}

Refusal UnitCore::finishReport(uint8_t number, const Writer& out) {
  if (!out.isOk()) return out.refusal();
  const uint64_t now = uptime_.tick(port::millis());
  if (ring_.isExhausted()) {
    takeBoot(boot_ + 1);
    ring_.renumber();
    // The hello of a new session tells the new boot number.
    link_.close(CloseCode::freeingResources, now);
    afterLoss(now);
  }
  ring_.finish(number, out.length(), now);
  return Refusal::none;
}

void UnitCore::acceptOne(uint64_t now) {
  if (opening_.isBusy() || !port::isWaiting()) return;
  const uint8_t slot = link_.hasSlot() && link_.slot() == 0 ? 1 : 0;
  if (!port::accept(slot)) return;
  // While a base is served, whoever else comes has one step's time for the whole opening.
  opening_.start(slot, now, link_.isOpen() ? openingStepMs : openingMs, inputOctets_);
}

void UnitCore::stepOpening(uint64_t now) {
  if (opening_.step(now) != Opening::Progress::proved) return;
  // A base that lost its link and came back at once: the end of the old one is there to be seen before we judge.
  stepLink(now);
  if (link_.isOpen() && now - link_.inboundAt() < silenceMs) {
    opening_.refuse(now);
    opening_.step(now);
    return;
  }
  if (link_.isOpen()) {
    link_.close(CloseCode::freeingResources, now);
    afterLoss(now);
  }
  link_.drop();
  adopt(now);
}

void UnitCore::adopt(uint64_t now) {
  link_.start(opening_.slot(), opening_.key(), now);
  opening_.leave();
  isWelcome_ = false;
  nextBoots_ = 0;
  hello_.done();
}

/** What was under way with the base is as if unanswered. */
void UnitCore::afterLoss(uint64_t now) {
  isWelcome_ = false;
  if (report_.isInFlight()) report_.failed(now);
  if (logLine_.isInFlight()) logLine_.done();
}

void UnitCore::stepLink(uint64_t now) {
  if (!link_.step(now)) afterLoss(now);
  for (uint8_t count = 0; count < framesPerLoop && link_.isOpen() && link_.hasRoom(maxAnswerOctets); ++count) {
    const Link::Received received = link_.receive(now);
    if (received == Link::Received::nothing) break;
    if (received == Link::Received::frame) onFrame(link_.frame(), now);
    if (received == Link::Received::lost) afterLoss(now);
  }
  if (link_.isOpen()) send(now);
}

void UnitCore::send(uint64_t now) {
  if (!isWelcome_) return sendHello(now);
  if (report_.isLate(now, answerMs)) report_.failed(now);
  // A log line is worth one attempt.
  if (logLine_.isLate(now, answerMs)) logLine_.done();
  sendReport(now);
  sendLog(now);
}

void UnitCore::sendHello(uint64_t now) {
  if (hello_.isLate(now, answerMs)) hello_.failed(now);
  if (!hello_.mayGo(now)) return;
  constexpr size_t fixedOctets = 20;
  const size_t length = fixedOctets + 1 + description_.name.length + 1 + description_.version.length;
  uint8_t* request = beginRequest(length);
  if (request == nullptr) return;
  uint8_t* data = request + requestHeadOctets;
  data[0] = helloNumber;
  data[1] = helloRevision;
  copyFromFlash(data + 2, description_.fingerprint, fingerprintOctets);
  putLittle(data + 10, boot_, 4);
  putLittle(data + 14, nonce_, 4);
  data[18] = static_cast<uint8_t>(description_.kind);
  data[19] = port::resetReason();
  uint8_t* at = data + fixedOctets;
  at = putText(at, description_.name);
  putText(at, description_.version);
  finishRequest(request, length, hello_, now);
}

void UnitCore::sendReport(uint64_t now) {
  if (ring_.isEmpty() || !report_.mayGo(now)) return;
  const Reading& reading = ring_.oldest();
  constexpr size_t headOctets = 9;
  uint8_t* request = beginRequest(headOctets + reading.length);
  if (request == nullptr) return;
  uint8_t* data = request + requestHeadOctets;
  // `now` is the loop's; a handler may have measured after it.
  const uint64_t age = now > reading.measuredAt ? now - reading.measuredAt : 0;
  data[0] = reading.number;
  putLittle(data + 1, reading.sequence, 4);
  putLittle(data + 5, age > UINT32_MAX ? UINT32_MAX : age, 4);
  memcpy(data + headOctets, ring_.oldestFields(), reading.length);
  reportSequence_ = reading.sequence;
  finishRequest(request, headOctets + reading.length, report_, now);
}

void UnitCore::sendLog(uint64_t now) {
  if (logLength_ == 0 || !logLine_.mayGo(now)) return;
  uint8_t* request = beginRequest(3 + static_cast<size_t>(logLength_));
  if (request == nullptr) return;
  uint8_t* data = request + requestHeadOctets;
  data[0] = logNumber;
  data[1] = static_cast<uint8_t>(logLevel_);
  data[2] = logLength_;
  memcpy(data + 3, logText_, logLength_);
  finishRequest(request, 3 + static_cast<size_t>(logLength_), logLine_, now);
  logLength_ = 0;
}

uint8_t* UnitCore::beginRequest(size_t dataLength) {
  return link_.begin(requestHeadOctets + dataLength);
}

void UnitCore::finishRequest(uint8_t* request, size_t dataLength, Resend& resend, uint64_t now) {
  const uint16_t tracking = tracking_++;
  request[0] = firstOctetOf(FrameType::request);
  putBig(request + 1, tracking, 2);
  request[3] = typedFormat;
  putBig(request + 4, dataLength, 2);
  resend.sent(tracking, now);
  link_.finish(request, requestHeadOctets + dataLength);
}

void UnitCore::takeBoot(uint32_t boot) {
  // 0 says that there is none.
  boot_ = boot == 0 ? 1 : boot;
  if (!port::storeBoot(boot_)) port::log(LogLevel::warn, "the boot number could not be stored");
}

void UnitCore::leave(uint64_t now) {
  if (link_.isOpen()) {
    link_.close(CloseCode::maintenance, now);
    afterLoss(now);
  }
  if (!link_.hasSlot()) port::restart();
}

}  // namespace bu
