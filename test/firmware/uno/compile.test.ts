import { expect, test } from 'vitest';
import { handlerNameOf, memberNameOf } from '../../../codegen/cpp-names.js';
import { runProgram } from '../../../codegen/run-program.js';
import { defineUnit, u8 } from '../../../protocol/definition/index.js';
import { lineUnits } from '../generated/definitions.js';
import { avrTool, complaintAboutUno, ownFlags, root } from './avr-build.js';

test('the sketch made for a line unit of any type compiles for an Uno as it is', async () => {
  for (const unit of lineUnits()) expect(await complaintAboutUno(unit), unit.name).toBe('');
}, 60_000);

const fan = defineUnit({
  name: 'fan',
  version: '1',
  kind: 'updatable',
  wire: 'line',
  boards: ['uno'],
  commands: { spin: { number: 1, fields: { speed: u8() } } },
});
const sketch = (handlers: string): string =>
  `#include <fan.h>\nstruct Fan { ${handlers} };\nstatic fan::Unit<Fan> unit;\nvoid setup() { unit.begin(); }\nvoid loop() { unit.loop(); }\n`;

test.each([
  ['missing', ''],
  ['of another type', 'static void spin(const fan::Spin&);'],
  ['not static', 'bu::Answer spin(const fan::Spin&);'],
])('a handler that is %s is one error, which names the definition', async (_, handler) => {
  const complaint = await complaintAboutUno(fan, sketch(handler));
  expect(complaint).toContain(
    'fan (units/fan.ts): command spin needs a handler: static bu::Answer spin(const fan::Spin& command)',
  );
  expect(complaint.match(/error:/g)).toHaveLength(1);
});

test('no name that a definition may have is a macro of the core for the Uno', async () => {
  const args = [...ownFlags, '-dM', '-E', '-x', 'c++', '-include', 'Arduino.h', '/dev/null'];
  const { output } = await runProgram(avrTool('g++'), args, { cwd: root });
  const macros = [...output.matchAll(/^#define ([a-z][A-Za-z0-9]*)(\(| |$)/gm)];
  expect(macros.length).toBeGreaterThan(20);
  for (const [, name, bracket] of macros) {
    expect(handlerNameOf(name!), `command ${name}`).not.toBe(name);
    if (bracket !== '(') expect(memberNameOf(name!), `field ${name}`).not.toBe(name);
  }
});
