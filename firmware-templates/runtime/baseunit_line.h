#pragma once

/*
 * What a line unit is made of (wire/iot-base.md): the part of the runtime that also an Arduino Uno has room for. It is
 * C++14, with int of 16 bits and double of 32; the sources that belong to it are named in platformio.ini, [baseunit_uno].
 */

#include "bu_answer.h"
#include "bu_description.h"
#include "bu_every.h"
#include "bu_flash.h"
#include "bu_handlers.h"
#include "bu_line_text.h"
#include "bu_line_unit.h"
#include "bu_line_value.h"
#include "bu_port.h"
