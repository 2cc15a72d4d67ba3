#pragma once

/*
 * baseunit: the firmware runtime that every sketch shares. Portable C++17, no heap, no exceptions, nothing that blocks.
 *
 *   src/main.cpp          yours: handlers, setup(), loop()
 *   include/<unit>.h      generated from the definition: a struct a message with encode and decode, the dispatcher,
 *                         and `Unit<Handlers>`, which does not compile while a handler is missing
 *   bu::SessionUnit       typed messages over a proved session (wire/unit.md): holds all memory, sized by the definition
 *   bu::SleepingUnit      one that sleeps between visits to its base
 *     bu::UnitCore        its logic: who is served, hello, commands, reports, time-outs
 *       bu::Opening       the opening with mutual proof of one connection, before anything else is believed
 *       bu::Link          the proved connection: tags, one transmission at a time (bu::FrameReader)
 *       bu::ReportRing    readings not yet acknowledged       bu::AnswerMemory  the last 16 commands' answers
 *   bu::LineReadUnit, bu::LineUpdatableUnit    one value a line, no session (wire/iot-base.md)
 *   bu::Reader, bu::Writer, bu::LineValue, bu::LineText   values from octets and lines, and back
 *   bu::port              the machine below: port/esp8266, port/avr, port/native
 *
 * What a sketch looks like (test/firmware/runtime/model has it whole):
 *
 *     #include <led_lamp.h>
 *
 *     struct Lamp {
 *       static bu::Answer setColor(const led_lamp::SetColor& command) { …; return bu::Answer::ok(); }
 *       static bu::Answer fade(const led_lamp::Fade& command) { return bu::Answer::refused("too hot"); }
 *     };
 *     led_lamp::Unit<Lamp> unit;
 *
 *     void setup() { unit.begin(); }
 *     void loop() { unit.loop(); }       // and unit.report(led_lamp::State{…}) when there is something to tell
 *
 * Handlers run inside unit.loop(), one at a time; what they take, the link waits: do not block.
 */

#include "baseunit_line.h"
#include "bu_codec.h"
#include "bu_session_unit.h"
#include "bu_sleeping_unit.h"
