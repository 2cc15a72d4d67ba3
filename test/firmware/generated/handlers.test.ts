import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadDefinitions } from '../../../base/config/definitions.js';
import { defineUnit, oneOf, rgb, text, u8, u16, u32 } from '../../../protocol/definition/index.js';
import { complaintAboutSketch, root } from './sketch.js';

/** The lamp of units/, but for what a test changes. */
const lamp = (
  fade: Parameters<typeof defineUnit>[0]['commands'] & object,
  state = { color: rgb(), brightness: u8({ max: 100 }) },
) =>
  defineUnit({
    name: 'led-lamp',
    version: '1.0.0',
    kind: 'updatable',
    commands: { setColor: { number: 1, fields: { color: rgb() } }, ...fade },
    reports: { state: { number: 3, fields: state } },
  });
const fade = { fade: { number: 2, fields: { color: rgb(), durationMs: u16({ unit: 'ms', max: 60_000 }) } } };

const sketchOf = (unit: string): Promise<string> => readFile(join(root, 'firmware', unit, 'src', 'main.cpp'), 'utf8');

test('the sketch of the repository fits the lamp', async () => {
  expect(await complaintAboutSketch(lamp(fade), await sketchOf('led-lamp'))).toBe('');
});

test('a missing handler is one error that names the definition, the command and what to write', async () => {
  const sketch = (await sketchOf('led-lamp')).replace(/ {2}static bu::Answer fade\([\s\S]*?\n {2}\}\n/, '');
  const complaint = await complaintAboutSketch(lamp(fade), sketch);
  expect(complaint).toContain(
    'led-lamp (units/led-lamp.ts): command fade needs a handler: static bu::Answer fade(const led_lamp::Fade& command)',
  );
  expect(complaint.match(/error:/g)).toHaveLength(1);
});

test('a command that is new in the definition makes the old sketch incomplete', async () => {
  const blink = { ...fade, blink: { number: 4, fields: { times: u8() } } };
  expect(await complaintAboutSketch(lamp(blink), await sketchOf('led-lamp'))).toContain(
    'led-lamp (units/led-lamp.ts): command blink needs a handler: static bu::Answer blink(const led_lamp::Blink& command)',
  );
});

test('a handler for a command that got a reply no longer fits, and the message shows the reply', async () => {
  const replying = { fade: { ...fade.fade, reply: { until: u32() } } };
  expect(await complaintAboutSketch(lamp(replying), await sketchOf('led-lamp'))).toContain(
    'command fade needs a handler: static bu::Answer fade(const led_lamp::Fade& command, led_lamp::FadeReply& reply)',
  );
});

test('a handler of another type or an instance member is no handler', async () => {
  const sketch = await sketchOf('led-lamp');
  const wanted = 'led-lamp (units/led-lamp.ts): command fade needs a handler';
  for (const other of ['static void fade(const', 'bu::Answer fade(const', 'static bu::Answer fade(int, const']) {
    expect(
      await complaintAboutSketch(lamp(fade), sketch.replace('static bu::Answer fade(const', other)),
      other,
    ).toContain(wanted);
  }
});

test('a field renamed or removed breaks the sketch that uses it, by name', async () => {
  const renamed = { fade: { number: 2, fields: { color: rgb(), lengthMs: u16() } } };
  expect(await complaintAboutSketch(lamp(renamed), await sketchOf('led-lamp'))).toMatch(
    /error: .*led_lamp::Fade.* has no member named .durationMs./,
  );
  expect(await complaintAboutSketch(lamp(fade, { color: rgb() } as never), await sketchOf('led-lamp'))).toMatch(
    /error: .*led_lamp::State.* has no member named .brightness./,
  );
});

test('a command removed from the definition breaks the sketch that handles it', async () => {
  expect(await complaintAboutSketch(lamp({}), await sketchOf('led-lamp'))).toMatch(
    /error: .*Fade.* in namespace .led_lamp./,
  );
});

test('a line unit’s missing handler is named as well', async () => {
  const { definition } = (await loadDefinitions()).get('led-lamp-line')!;
  const sketch = (await sketchOf('led-lamp-line')).replace('setColor(const', 'setColour(const');
  expect(await complaintAboutSketch(definition, sketch)).toContain(
    'led-lamp-line (units/led-lamp-line.ts): command setColor needs a handler: ' +
      'static bu::Answer setColor(const led_lamp_line::SetColor& command)',
  );
});

/** The compiler's first complaint, from `error:` on. */
const firstError = (complaint: string): string => /error: (.*)/.exec(complaint)?.[1] ?? `none:\n${complaint}`;

test('a ring that takes too much memory is refused, with what to make smaller', async () => {
  const talker = defineUnit({
    name: 'talker',
    version: '1',
    kind: 'read',
    ring: 255,
    reports: { said: { number: 1, fields: { what: text(200) } } },
  });
  expect(firstError(await complaintAboutSketch(talker))).toMatch(
    /the ring takes more than 16 KiB of RAM: make `ring` smaller, or a text, bytes or list field shorter$/,
  );
});

test('a report of another unit is no report of this one', async () => {
  const sketch = `${await sketchOf('led-lamp')}struct Foreign {};\nvoid more() { unit.report(Foreign()); }\n`;
  expect(firstError(await complaintAboutSketch(lamp(fade), sketch))).toMatch(
    /cannot convert .Foreign. to .const led_lamp::State&./,
  );
});

test('what was commanded is not the handler’s to change', async () => {
  const sketch = (await sketchOf('led-lamp')).replace(/(fade\([^)]*\) \{)/, '$1 command.durationMs = 0;');
  expect(firstError(await complaintAboutSketch(lamp(fade), sketch))).toMatch(
    /assignment of member .*durationMs.* in read-only object/,
  );
});

test('a choice that the definition does not have is none', async () => {
  const modes = defineUnit({
    name: 'fan',
    version: '1',
    kind: 'read',
    reports: { state: { number: 1, fields: { mode: oneOf(['slow', 'fast']) } } },
  });
  const sketch = (mode: string): string =>
    `#include <fan.h>\nstatic fan::Unit unit;\nvoid setup() { unit.begin(); }\nvoid loop() {\n  fan::State state;\n  state.mode = ${mode};\n  unit.report(state);\n}\n`;
  expect(await complaintAboutSketch(modes, sketch('fan::State::Mode::fast'))).toBe('');
  expect(firstError(await complaintAboutSketch(modes, sketch('fan::State::Mode::faster')))).toMatch(
    /.faster. is not a member of .fan::State::Mode./,
  );
  expect(firstError(await complaintAboutSketch(modes, sketch('1')))).toMatch(
    /cannot convert .int. to .fan::State::Mode./,
  );
});

test('a reply that the unit cannot remember does not compile, should a definition ever let it through', async () => {
  const why = text(30);
  const replying = lamp({ fade: { ...fade.fade, reply: { why } } });
  Object.assign(why, { maxOctets: 31 });
  expect(await complaintAboutSketch(replying)).toMatch(
    /the unit keeps 16 answers of at most 32 octets, the number included/,
  );
});
