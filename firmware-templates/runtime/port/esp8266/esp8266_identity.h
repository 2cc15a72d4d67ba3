#pragma once

#include "../../bu_port.h"

// What secrets.h says, checked while compiling.
namespace bu::esp8266 {

/** The UID as text, for names on the network. */
const char* uidText();
const char* wifiName();
const char* wifiPassword();
/** The key is not the example's zeros. */
bool hasKey();

}  // namespace bu::esp8266
