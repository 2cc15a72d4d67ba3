#pragma once

#include "../../bu_state_store.h"

namespace bu::esp8266 {

/**
 * Settings and boot number: in the sector that the core keeps for EEPROM emulation (a sketch of ours cannot use
 * EEPROM.h beside it), and in the one before it, which the layouts of 4 MB leave free behind the file system.
 */
extern const StateStore store;

/** False: with this layout the file system reaches into these sectors. Nothing is then read or written. */
bool isFlashFree();

}  // namespace bu::esp8266
