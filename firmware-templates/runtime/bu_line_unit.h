#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_description.h"
#include "bu_line_reader.h"
#include "bu_line_text.h"
#include "bu_uptime.h"

namespace bu {

/** An unacknowledged line older than this means that whoever read them is gone: makes way for the next. */
constexpr uint32_t lineStalledMs = 30'000;
/** A silent connection makes way for one that waits after this. */
constexpr uint32_t lineSilentMs = 10'000;

/**
 * Writes one value a line to whoever is connected; reads nothing (wire/iot-base.md, "Read unit"). One connection at a
 * time; the next waits. A new connection gets the last value at once.
 */
class LineReadUnit {
 public:
  constexpr explicit LineReadUnit(const UnitDescription& description) : description_(description) {}

  void begin();
  void loop();

 protected:
  /** Where the next value is printed. */
  LineText& beginLine();
  /** Keeps what was printed and writes it. A refused value is neither kept nor written. */
  Refusal sendLine();

 private:
  void drop();
  void flush();

  const UnitDescription& description_;
  Uptime uptime_;
  /** The last line, and the one being printed. */
  LineText lines_[2];
  uint64_t acknowledgedAt_ = 0;
  uint16_t written_ = 0;
  uint8_t last_ = 0;
  bool isConnected_ = false;
};

/**
 * Hands each line to the handler; writes nothing (wire/iot-base.md, "Updatable unit"). Lines end with `\r`, `\n` or
 * both; one of more than 512 octets is ignored to its end. One connection at a time; it is kept until its peer closes
 * it, or has been silent for `lineSilentMs` while another waits.
 */
class LineUpdatableUnit {
 public:
  constexpr explicit LineUpdatableUnit(const UnitDescription& description) : description_(description) {}

  void begin();
  void loop();

 private:
  void handle(const char* line, size_t length);

  const UnitDescription& description_;
  Uptime uptime_;
  LineReader reader_;
  uint64_t inboundAt_ = 0;
  bool isConnected_ = false;
};

}  // namespace bu
