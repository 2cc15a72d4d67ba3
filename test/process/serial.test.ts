import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import type { Outcome } from '../../base/core/messages.js';
import type { UnitView } from '../../base/core/unit-view.js';
import { buildNative } from '../../codegen/native-build.js';
import { baseunit, onlyJson, root } from '../cli/support/program.js';
import { BaseProcess } from './support/base-process.js';
import { SerialBoard } from './support/serial-firmware.js';

const http = { listen: '127.0.0.1:0' };
const configured = (board: SerialBoard, definition: string) => ({
  definition,
  address: `serial:${board.path}`,
  ...(board.key && { key: board.key }),
});
const setColor = (color: string) => ({ command: 'setColor', fields: { color } });

/** Octets into a line, in the middle of what goes over it. */
function inject(path: string, octets: Uint8Array | string): void {
  const handle = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
  writeSync(handle, Buffer.from(octets as Uint8Array));
  closeSync(handle);
}

const hasReported = ({ last }: UnitView): boolean => last.reading !== undefined;

/** The firmware's own wave: any other pair of values is a wrong one. */
function isOfItsWave({ last }: UnitView): boolean {
  const { temperature, humidity } = last.reading!.fields as { temperature: number; humidity: number };
  return temperature >= 19 && temperature <= 23 && Math.abs(humidity - (55 - (15 * (temperature - 19)) / 4)) < 0.001;
}

// To compile them may take longer than a test.
beforeAll(async () => {
  await buildNative('thermometer', { root });
  await buildNative('led-lamp', { root });
});

test('firmware at serial ports: readings, commands, a board that is pulled out and plugged in, and noise', async () => {
  const hall = await SerialBoard.plugged('thermometer', 'hall');
  const lamp = await SerialBoard.plugged('led-lamp', 'lamp');
  const known = { hall: configured(hall, 'thermometer'), lamp: configured(lamp, 'led-lamp') };
  const base = await BaseProcess.start({ http, units: { known } });

  const reported = await base.unitIs('hall', 'reported', hasReported);
  expect(reported).toMatchObject({ state: 'online', address: `serial:${hall.path}`, version: '1.0.0' });
  expect(isOfItsWave(reported)).toBe(true);
  expect(await base.send('lamp', setColor('#102030'))).toMatchObject({ outcome: 'ok' });

  const listed = await baseunit(['units', '--serial', '--json', '-c', base.file]);
  expect(onlyJson(listed)).toMatchObject({
    absent: expect.arrayContaining([{ unit: 'hall', state: 'online', path: hall.path }]),
  });
  const refused = await baseunit(['provision', 'hall', '--port', hall.path, '-c', base.file]);
  expect(refused).toMatchObject({
    code: 3,
    err: expect.stringMatching(/is held by the running base, for hall: stop the base/),
  });

  await hall.unplug();
  const gone = await base.unitIs('hall', 'went', ({ state }) => state === 'offline');
  expect(gone.reason).toMatch(/^the connection broke: the serial port is gone: ./);
  const away = await base.unitIs('hall', 'was missed', ({ reason }) => /is not there/.test(reason ?? ''));
  expect(away.reason).toContain(hall.path);
  await hall.plug();
  const startedAt = performance.now();
  await base.unitIs('hall', 'came back', ({ state }) => state === 'online');
  expect(performance.now() - startedAt).toBeLessThan(8_000);

  // From both ends, in the middle of frames and between them.
  const noises = [
    Buffer.alloc(300, 0x55),
    'I (77) wifi: lost\r\n\0',
    Buffer.from('0411f3c100', 'hex'),
    '\0',
    '\x03\xff',
  ];
  const colours: string[] = [];
  const outcomes: Outcome['outcome'][] = [];
  for (const [index, noise] of noises.entries()) {
    inject(hall.path, noise);
    inject(hall.line.far, noise);
    colours.push(`#${String(index + 1).repeat(6)}`);
    const sent = base.send('lamp', setColor(colours.at(-1)!));
    inject(lamp.path, noise);
    inject(lamp.line.far, noise);
    outcomes.push((await sent).outcome);
  }
  expect(outcomes.every((outcome) => ['ok', 'unreachable', 'unknown', 'timeout'].includes(outcome))).toBe(true);
  const { counts } = await base.unit('hall');
  const again = await base.unitIs('hall', 'reported again', (view) => view.counts.reports > counts.reports);
  expect(isOfItsWave(again)).toBe(true);
  let last = '';
  while (last !== 'ok') last = (await base.send('lamp', setColor('#abcdef'))).outcome;
  const shown = lamp.printed.flatMap((line) => line.match(/#[0-9a-f]{6}/gi) ?? []);
  expect(shown.every((colour) => ['#102030', '#abcdef', ...colours].includes(colour.toLowerCase()))).toBe(true);
  expect((await base.stop()).code).toBe(0);
}, 60_000);
