// The sketch of the unit with large messages (wide.ts).
#include "wide.h"

static wide::Told told;
static void report();

struct Handlers {
  static bu::Answer tell(const wide::Tell& command) {
    told.first = told.second = told.third = command.octets;
    // How many commands there were so far.
    ++told.count;
    // At once: two commands in one loop are two reports.
    report();
    return bu::Answer::ok();
  }
  static bu::Answer cheer(const wide::Cheer&) { return bu::Answer::ok(); }
};

static wide::Unit<Handlers> unit;

static void report() { unit.report(told); }

void setup() { unit.begin(); }

void loop() { unit.loop(); }
