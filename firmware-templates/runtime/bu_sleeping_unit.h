#pragma once

#include "bu_session_unit.h"
#include "bu_sleeper.h"

namespace bu {

/**
 * A session unit that wakes, measures, visits its base, and sleeps until it starts anew: at the latest `visitMs` after its
 * welcome, and at once when its ring is empty, after a reading if it has reports, and as many commands are answered as the
 * base promised.
 */
template <size_t ringReadings, size_t maxReportOctets, size_t maxCommandOctets, bool hasReports>
class SleepingUnit : public SessionUnit<ringReadings, maxReportOctets, maxCommandOctets> {
 public:
  /** Does what there is to do, and returns, or sleeps. Call in every loop(). */
  void loop() {
    UnitCore::loop();
    const bool hasMeasured = !hasReports || this->reports().lastSequence() > 0;
    const bool isDone = hasMeasured && this->reports().isEmpty() && this->commandsToCome() == 0;
    if (!sleeper_.isTime(port::millis(), this->isServed(), isDone)) return;
    if (this->leave(CloseCode::sleeping)) port::sleep(this->description().sleepMs);
  }

 protected:
  void start(const UnitDescription& description) {
    SessionUnit<ringReadings, maxReportOctets, maxCommandOctets>::start(description);
    sleeper_.start(port::millis());
  }

 private:
  Sleeper sleeper_;
};

}  // namespace bu
