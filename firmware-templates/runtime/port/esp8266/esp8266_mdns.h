#pragma once

#include "../../bu_description.h"
#include "../../bu_settings.h"

namespace bu::esp8266 {

/** What the unit said of itself is not so any more: it is taken back, and said anew in the next `loopMdns`. */
void announceAnew();
/** In every loop while the Wi-Fi is there: `_baseunit._tcp` at `port`, named by the UID. */
void loopMdns(const UnitDescription& description, const Settings& settings, uint16_t port);

}  // namespace bu::esp8266
