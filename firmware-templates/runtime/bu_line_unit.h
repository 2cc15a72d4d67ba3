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
 * time; the next waits. A new connection gets the last value at once. LineReadUnit gives it its memory.
 */
class LineReadCore {
 public:
  void begin();
  void loop();

 protected:
  /** `memory`: two lines of `lineOctets` each, the line feed included. */
  constexpr LineReadCore(const UnitDescription& description, char* memory, uint16_t lineOctets)
      : description_(description), lines_{{memory, lineOctets}, {memory + lineOctets, lineOctets}} {}

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
  uint8_t slot_ = 0;
  bool isConnected_ = false;
};

/** A read unit of lines with all its memory. The text of a value has at most `valueOctets`. Generated `Unit` derives from it. */
template <uint16_t valueOctets>
class LineReadUnit : public LineReadCore {
  static constexpr uint16_t lineOctets = valueOctets + 1;

 public:
  constexpr explicit LineReadUnit(const UnitDescription& description) : LineReadCore(description, memory_, lineOctets) {}

 private:
  char memory_[2 * lineOctets] = {};
};

/**
 * Hands each line to the handler; writes nothing (wire/iot-base.md, "Updatable unit"). Lines end with `\r`, `\n` or
 * both; one that is too long is ignored to its end. One connection at a time; it is kept until its peer closes it, or
 * has been silent for `lineSilentMs` while another waits. LineUpdatableUnit gives it its memory.
 */
class LineUpdatableCore {
 public:
  void begin();
  void loop();

 protected:
  /** `memory`: a line of `lineOctets`, its end not counted. */
  constexpr LineUpdatableCore(const UnitDescription& description, char* memory, uint16_t lineOctets)
      : description_(description), reader_(memory, lineOctets) {}

 private:
  void handle(const char* line, size_t length);

  const UnitDescription& description_;
  Uptime uptime_;
  LineReader reader_;
  uint64_t inboundAt_ = 0;
  uint8_t slot_ = 0;
  bool isConnected_ = false;
};

/** An updatable unit of lines with all its memory: see LineReadUnit. */
template <uint16_t valueOctets>
class LineUpdatableUnit : public LineUpdatableCore {
  static constexpr uint16_t lineOctets = lineOctetsFor(valueOctets);

 public:
  constexpr explicit LineUpdatableUnit(const UnitDescription& description)
      : LineUpdatableCore(description, memory_, lineOctets) {}

 private:
  char memory_[lineOctets] = {};
};

}  // namespace bu
