#pragma once

#include "bu_reader.h"
#include "bu_writer.h"

// The codec of wire/unit.md, "Fields": see Reader and Writer. Generated code calls one of their functions a field, in
// declared order, and names the field's index first, so that a refusal tells which field it was:
//
//     in.field(1);
//     value.durationMs = in.u16(0, 60000);
//     …
//     return in.finish();
