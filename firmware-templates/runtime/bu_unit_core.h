#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_answer_memory.h"
#include "bu_description.h"
#include "bu_link.h"
#include "bu_opening.h"
#include "bu_port.h"
#include "bu_refusal.h"
#include "bu_report_ring.h"
#include "bu_resend.h"
#include "bu_uptime.h"

namespace bu {

/** The longest piece of the descriptor in one answer (wire/unit.md, "Messages"). */
constexpr size_t maxDescribeOctets = 512;
/** The longest text of a log message. */
constexpr size_t maxLogOctets = 200;
/** Payload block head of every typed message: format 0 (binary), options 1. */
constexpr uint8_t typedFormat = 0x01;
/** Message numbers beside those of the definition. */
constexpr uint8_t helloNumber = 0;
constexpr uint8_t describeNumber = 112;
constexpr uint8_t restartNumber = 113;
constexpr uint8_t logNumber = 114;
constexpr uint8_t helloRevision = 1;
/** A request without an answer is taken for lost after this. */
constexpr uint32_t answerMs = 10'000;
/** Times in one session that a unit takes the next boot number, so that no base can keep it busy writing flash. */
constexpr uint8_t maxNextBoots = 3;

/** Response, message number and the largest answer: a piece of the descriptor. */
constexpr size_t maxAnswerOctets = responseHeadOctets + 3 + maxDescribeOctets + tagOctets;

/** What is received: a command with its head, but never too little for the base's own answers. */
constexpr size_t inputOctetsFor(size_t maxCommandOctets) {
  const size_t command = requestHeadOctets + 5 + maxCommandOctets + tagOctets;
  return command < 128 ? 128 : command;
}

/** The largest message, and pongs that come between. */
constexpr size_t outputOctetsFor(size_t maxReportOctets) {
  const size_t report = requestHeadOctets + 9 + maxReportOctets + tagOctets;
  return (report < maxAnswerOctets ? maxAnswerOctets : report) + 64;
}

/** Memory that SessionUnit lends, sized by the definition. */
struct UnitMemory {
  Reading* readings;
  uint8_t* values;
  uint8_t* input;
  uint8_t* output;
  uint8_t slots;
  uint16_t slotOctets;
  uint16_t inputOctets;
  uint16_t outputOctets;
};

/** The logic of a typed unit; see SessionUnit. */
class UnitCore {
 public:
  constexpr UnitCore(const UnitDescription& description, const UnitMemory& memory)
      : description_(description),
        link_(memory.input, memory.inputOctets, memory.output, memory.outputOctets),
        ring_(memory.readings, memory.values, memory.slots, memory.slotOctets),
        inputOctets_(memory.inputOctets) {}

  /** Starts to listen. Call once, in setup(). */
  void begin();
  /** Does what there is to do, and returns. Call in every loop(). */
  void loop();

  /** Sends a line to the base's log, and to the unit's own output. Kept until the base is there; a second one replaces it. */
  void log(LogLevel level, const char* text);

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
  Writer beginReport() { return ring_.begin(); }
  Refusal finishReport(uint8_t number, const Writer& out);
  ReportRing& reports() { return ring_; }

 private:
  void acceptOne(uint64_t now);
  void stepOpening(uint64_t now);
  void stepLink(uint64_t now);
  void adopt(uint64_t now);
  void afterLoss(uint64_t now);
  void send(uint64_t now);
  void sendHello(uint64_t now);
  void sendReport(uint64_t now);
  void sendLog(uint64_t now);
  void onFrame(const Frame& frame, uint64_t now);
  void onRequest(const Frame& frame, uint64_t now);
  void onCommand(const Frame& frame);
  void onDescribe(const Frame& frame);
  void onRestart(const Frame& frame, uint64_t now);
  void onResponse(const Frame& frame, uint64_t now);
  void onHelloAnswer(const Frame& frame, uint64_t now);
  void onReportAnswer(const Frame& frame, uint64_t now);
  void answerRefused(uint16_t tracking, const Answer& answer);
  void respond(uint16_t tracking, bool isOk, const void* octets, size_t length);
  uint8_t* beginRequest(size_t dataLength);
  void finishRequest(uint8_t* request, size_t dataLength, Resend& resend, uint64_t now);
  uint8_t* beginResponse(uint16_t tracking, uint8_t code, uint8_t format, size_t dataLength);
  void finishResponse(uint8_t* data, size_t dataLength);
  void takeBoot(uint32_t boot);
  void leave(uint64_t now);

  const UnitDescription& description_;
  Uptime uptime_;
  Opening opening_;
  Link link_;
  ReportRing ring_;
  AnswerMemory answers_;
  Resend hello_;
  Resend report_;
  Resend logLine_;
  uint64_t unixOffsetMs_ = 0;
  uint64_t restartAt_ = 0;
  uint32_t boot_ = 0;
  uint32_t nonce_ = 0;
  uint32_t refusedReports_ = 0;
  uint32_t reportSequence_ = 0;
  uint16_t tracking_ = 0;
  uint16_t inputOctets_;
  uint8_t nextBoots_ = 0;
  uint8_t logLength_ = 0;
  LogLevel logLevel_ = LogLevel::info;
  bool isWelcome_ = false;
  bool isRestarting_ = false;
  char logText_[maxLogOctets] = {};
};

}  // namespace bu
