#pragma once

#include "../../bu_flash.h"
#include "../../bu_port.h"
#include "../../bu_serial_line.h"

namespace bu::esp8266 {

/** The USB serial line: frames of a base, packets of Improv, and log lines while nobody has a session there. */
extern SerialLine serialLine;

void beginSerial();

/** A log line whose text is in flash: `static const char text[] BU_FLASH = "…";`. */
void logFlash(LogLevel level, FlashText text);

}  // namespace bu::esp8266
