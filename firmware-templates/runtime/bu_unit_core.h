#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_answer_memory.h"
#include "bu_description.h"
#include "bu_link.h"
#include "bu_log_line.h"
#include "bu_opening.h"
#include "bu_port.h"
#include "bu_refusal.h"
#include "bu_report_ring.h"
#include "bu_resend.h"

namespace bu {

/** Message numbers beside those of the definition (wire/unit.md, "Messages"). */
constexpr uint8_t helloNumber = 0;
constexpr uint8_t describeNumber = 112;
constexpr uint8_t restartNumber = 113;
constexpr uint8_t logNumber = 114;
/** Payload block head of every typed message: format 0 (binary), options 1. */
constexpr uint8_t typedFormat = 0x01;
/** Return codes of responses (wire/iotsocket.md). */
constexpr uint8_t codeValid = 0x00;
constexpr uint8_t codeNotValid = 0x01;

/** The longest hello: names have at most 32 octets, versions 24. */
constexpr size_t maxHelloOctets = requestHeadOctets + 20 + 1 + 32 + 1 + 24 + 4 + tagOctets;
/** The longest answer of either side that is no message of the definition: a refusal. */
constexpr size_t maxRefusalOctets = responseHeadOctets + maxReasonOctets + tagOctets;

/** What holds one transmission, in or out: a report, a command with its head, a hello, a refusal. */
constexpr uint16_t transmissionOctetsFor(size_t maxReportOctets, size_t maxCommandOctets) {
  size_t most = maxHelloOctets < maxRefusalOctets ? maxRefusalOctets : maxHelloOctets;
  const size_t report = requestHeadOctets + 9 + maxReportOctets + tagOctets;
  const size_t command = requestHeadOctets + 5 + maxCommandOctets + tagOctets;
  if (most < report) most = report;
  if (most < command) most = command;
  return static_cast<uint16_t>(most);
}

/** The logic of a typed unit; see SessionUnit. Nothing in it has a value before `begin`, so that it takes no flash. */
class UnitCore {
 public:
  /** Does what there is to do, and returns. Call in every loop(). */
  void loop();

  /** A base has proved itself and answered the hello. */
  bool isServed() const { return link_.isOpen() && isWelcome_; }
  /** Unix time in ms as the base told it; 0: not told yet. */
  uint64_t unixMs();
  /** Readings that found no room while the link was down. */
  uint32_t droppedReadings() const { return ring_.dropped(); }
  /** Reports that the base refused for good. */
  uint32_t refusedReports() const { return refusedReports_; }
  uint32_t boot() const { return boot_; }

 protected:
  /** Memory that SessionUnit lends: `slots` + 1 readings, as many places for fields, and one transmission of so many octets. */
  void begin(const UnitDescription& description, Reading* ring, uint8_t slots, uint16_t slotOctets, uint16_t octets);
  void log(LogLine& line, LogLevel level, const char* text);
  ReportRing& reports() { return ring_; }
  /** Takes what was written to `reports().begin()` into the ring. */
  Refusal keep(uint8_t number, const Writer& out);
  const UnitDescription& description() const { return *description_; }
  /** Commands that the base has promised with its answer to the hello, and that are not answered yet. */
  uint8_t commandsToCome() const { return commandsToCome_; }
  /** Says why, and closes. True when nothing is under way any more. */
  bool leave(CloseCode code) {
    // What is half said or half heard comes to its end first, or to that of its time.
    if (link_.isFree()) link_.close(code);
    return !link_.hasSlot();
  }

 private:
  void tick();
  uint64_t uptime() const { return static_cast<uint64_t>(turn_) << 32 | now_; }
  void stepOpening();
  void afterLoss();
  void send();
  void sendHello();
  void sendReport();
  static void sendLog(UnitCore& unit, LogLine& line);
  uint32_t ageOf(const Reading& reading) const;
  void onFrame(Frame frame);
  void onRequest(Frame frame);
  Answer carryOut(Frame frame, Writer& reply);
  Answer describe(uint16_t offset, Writer& reply);
  void onResponse(Frame frame);
  void onHelloAnswer(Frame frame);
  void onReportAnswer(Frame frame);
  void request(Resend& resend, uint8_t* data, size_t length);
  void transmit(FrameType type, uint16_t tracking, bool isOk, uint8_t* data, size_t length);
  void takeBoot(uint32_t boot);
  void warn(FlashText text);

  const UnitDescription* description_ = nullptr;
  /** The clock, and how often it has passed 2^32 and begun again. */
  uint32_t now_ = 0;
  uint8_t turn_ = 0;
  uint8_t nextBoots_ = 0;
  uint8_t commandsToCome_ = 0;
  bool isWelcome_ = false;
  bool isRestarting_ = false;
  uint16_t tracking_ = 0;
  uint32_t restartAt_ = 0;
  uint32_t boot_ = 0;
  uint32_t nonce_ = 0;
  uint32_t refusedReports_ = 0;
  uint32_t reportSequence_ = 0;
  LogLine* line_ = nullptr;
  Resend hello_;
  Resend report_;
  ReportRing ring_;
  Opening opening_;
  Link link_;
  /** Unix time in ms when the clock was zero, in two words for want of room; 0: nobody has told it. */
  uint32_t unixAtZero_[2] = {};
  AnswerMemory answers_;
};

}  // namespace bu
