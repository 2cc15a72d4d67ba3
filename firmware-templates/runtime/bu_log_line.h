#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_frame_reader.h"
#include "bu_port.h"
#include "bu_resend.h"

namespace bu {

class UnitCore;

/** The longest text of a log message. */
constexpr size_t maxLogOctets = 200;

/** The last line for the base's log. Units that log nothing have neither its memory nor its code: the core knows it by pointers. */
struct LogLine {
  /** Sends it, when there is one and it may go. */
  void (*send)(UnitCore& unit, LogLine& line) = nullptr;
  Resend request;
  LogLevel level = LogLevel::debug;
  /** 0: there is none. */
  uint8_t length = 0;
  char text[maxLogOctets] = {};
  /** Where it is sent from, while another one may come. */
  uint8_t transmission[requestHeadOctets + 3 + maxLogOctets + tagOctets] = {};
};

}  // namespace bu
