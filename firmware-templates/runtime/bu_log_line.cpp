#include "bu_log_line.h"

#include <string.h>

#include "bu_unit_core.h"
#include "bu_utf8.h"

namespace bu {

void UnitCore::log(LogLine& line, LogLevel level, const char* text) {
  port::log(level, text);
  if (line_ != &line) {
    line.request.done();
    line.send = &sendLog;
    line_ = &line;
  }
  const size_t all = strlen(text);
  size_t length = 0;
  while (length < all) {
    const size_t character = utf8CharacterAt(reinterpret_cast<const uint8_t*>(text) + length, all - length);
    if (character == 0 || length + character > maxLogOctets) break;
    length += character;
  }
  memcpy(line.text, text, length);
  line.length = static_cast<uint8_t>(length);
  line.level = level;
}

void UnitCore::sendLog(UnitCore& unit, LogLine& line) {
  // A log line is worth one attempt.
  if (!line.request.step(unit.now_) && !line.request.isInFlight()) line.request.done();
  if (line.length == 0 || line.request.isInFlight()) return;
  uint8_t* data = line.transmission + requestHeadOctets;
  data[0] = logNumber;
  data[1] = static_cast<uint8_t>(line.level);
  data[2] = line.length;
  memcpy(data + 3, line.text, line.length);
  unit.request(line.request, data, static_cast<size_t>(3 + line.length));
  line.length = 0;
}

}  // namespace bu
