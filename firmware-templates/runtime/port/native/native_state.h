#pragma once

#include "native_options.h"

namespace bu::native {

/** Opens the file that stands for flash, if there is one. Exits with 1 and says why when it cannot be. */
void openState(const Options& options);
/** What is stored, and over it what the command line says. */
void readSettings(Settings& to);
bool storeSettings(const Settings& settings);

}  // namespace bu::native
