// The least sketch that a minimal unit can have.
#include <minimal.h>

static minimal::Value value;

struct Handlers {
  static bu::Answer set(const minimal::Set& command) {
    value.level = command.level;
    return bu::Answer::ok();
  }
};

static minimal::Unit<Handlers> unit;

void setup() { unit.begin(); }

void loop() {
  unit.loop();
  unit.report(value);
}
