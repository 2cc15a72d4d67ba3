#pragma once

#include <stddef.h>
#include <stdint.h>

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
  static constexpr uint16_t inputOctets = inputOctetsFor(maxCommandOctets);
  static constexpr uint16_t outputOctets = outputOctetsFor(maxReportOctets);
  static_assert(ringReadings >= 1 && ringReadings <= 255, "a ring has 1 to 255 readings");
  static_assert(places * (slotOctets + sizeof(Reading)) <= 16 * 1024,
                "the ring takes more than 16 KiB of RAM: make `ring` smaller, or a text, bytes or list field shorter");

 public:
  constexpr explicit SessionUnit(const UnitDescription& description)
      : UnitCore(description, UnitMemory{readings_, values_, input_, output_, ringReadings, slotOctets, inputOctets,
                                         outputOctets}) {}

 protected:
  /** Puts a report in the ring. `encode(Writer&, const Report&)` is the generated one. */
  template <class Report>
  Refusal send(uint8_t number, const Report& value) {
    Writer out = beginReport();
    encode(out, value);
    return finishReport(number, out);
  }

 private:
  Reading readings_[places] = {};
  uint8_t values_[places * slotOctets] = {};
  uint8_t input_[inputOctets] = {};
  uint8_t output_[outputOctets] = {};
};

}  // namespace bu
