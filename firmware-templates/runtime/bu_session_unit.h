#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_log_line.h"
#include "bu_unit_core.h"

namespace bu {

/**
 * A unit of typed messages (wire/unit.md) with all its memory, sized by its definition:
 * `ringReadings` readings kept while the link is down, each of at most `maxReportOctets` (fields only), and commands of at most
 * `maxCommandOctets` (fields only). Generated `Unit<Handlers>` derives from it.
 */
template <size_t ringReadings, size_t maxReportOctets, size_t maxCommandOctets>
class SessionUnit : public UnitCore {
  // One place more than readings: the next one is encoded there, so that a refused one drops nothing.
  static constexpr size_t places = ringReadings + 1;
  static constexpr uint16_t slotOctets = maxReportOctets == 0 ? 1 : maxReportOctets;
  static constexpr uint16_t transmissionOctets = transmissionOctetsFor(maxReportOctets, maxCommandOctets);
  static_assert(ringReadings >= 1 && ringReadings <= 255, "a ring has 1 to 255 readings");
  static_assert(places * (slotOctets + sizeof(Reading)) <= 16 * 1024,
                "the ring takes more than 16 KiB of RAM: make `ring` smaller, or a text, bytes or list field shorter");

 public:
  /** Sends a line to the base's log, and to the unit's own output. Kept until the base is there; a second one replaces it. */
  void log(LogLevel level, const char* text) {
    static LogLine line;
    UnitCore::log(line, level, text);
  }

 protected:
  /** Starts to listen. */
  void start(const UnitDescription& description) {
    UnitCore::begin(description, memory_.readings, ringReadings, slotOctets, transmissionOctets);
  }

  /** Puts a report in the ring. `encode(Writer&, const Report&)` is the generated one. */
  template <class Report>
  Refusal send(uint8_t number, const Report& value) {
    Writer out = reports().begin();
    encode(out, value);
    return keep(number, out);
  }

 private:
  struct {
    Reading readings[places];
    uint8_t fields[places * slotOctets];
    uint8_t transmission[transmissionOctets];
  } memory_ = {};
};

}  // namespace bu
