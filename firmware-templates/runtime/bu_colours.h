#pragma once

#include <stddef.h>

#include "bu_rgb.h"

namespace bu {

/** `#rrggbb`, or a colour name of HTML (CSS Color 4, 6.1), upper and lower case alike. False: it is neither. */
bool colourOf(const char* text, size_t length, Rgb& colour);

}  // namespace bu
