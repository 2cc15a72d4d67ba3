#pragma once

#include "../../bu_description.h"
#include "../../bu_settings.h"

// Who this unit is and how it finds its base: in flash, and told over the serial line.
namespace bu::esp8266 {

extern Settings settings;

/** Reads the settings. `identityChanged` is called when the unit becomes another, or finds its base elsewhere. */
void beginProvisioning(const UnitDescription& description, void (*identityChanged)());
/** In every loop, after the serial line's. */
void loopProvisioning(uint32_t now);

}  // namespace bu::esp8266
