import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadDefinitions } from '../../../base/config/definitions.js';
import { defineUnit, rgb, u8, u16, u32 } from '../../../protocol/definition/index.js';
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
