import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LOOK_EVERY_MS, PortWatch } from '../../../../base/links/serial/port-watch.js';
import { temporaryFolder } from '../../../cli/support/program.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { SerialLine } from './serial-line.js';

const at = (serial: string) => ({ serial, baud: 115_200 });

function watching(ports: Readonly<Record<string, string>>) {
  const clock = new ManualClock();
  const appeared: string[] = [];
  const watch = new PortWatch({
    ports: new Map(Object.entries(ports).map(([uid, serial]) => [uid, at(serial)])),
    appeared: (uid, address) => void appeared.push(`${uid} ${address.serial}`),
    clock,
  });
  watch.start();
  const look = () => clock.advance(LOOK_EVERY_MS);
  return { watch, appeared, look, clock };
}

test('what is plugged in already is not told; each time it is plugged in again is, once', async () => {
  const line = await SerialLine.plugged();
  const { watch, appeared, look, clock } = watching({ hall: line.path });
  await look();
  expect(appeared).toEqual([]);
  await line.unplug();
  await look();
  expect(appeared).toEqual([]);
  await line.plug();
  await look();
  await look();
  expect(appeared).toEqual([`hall ${line.path}`]);
  watch.stop();
  watch.stop();
  expect(clock.waiting).toBe(0);
});

test('pulled out and plugged in between two looks is told too', async () => {
  const line = await SerialLine.plugged();
  const { watch, appeared, look } = watching({ hall: line.path });
  await line.unplug();
  await line.plug();
  await look();
  expect(appeared).toEqual([`hall ${line.path}`]);
  watch.stop();
});

test('a lasting name appears with its folder; of several units each is told its own', async () => {
  const folder = temporaryFolder();
  const device = join(folder, 'ttyUSB0');
  const named = join(folder, 'by-id', 'usb-1a86');
  const { watch, appeared, look } = watching({ hall: named, attic: join(folder, 'ttyUSB1') });
  await look();
  writeFileSync(device, '');
  mkdirSync(join(folder, 'by-id'));
  symlinkSync(device, named);
  await look();
  expect(appeared).toEqual([`hall ${named}`]);
  rmSync(device);
  await look();
  writeFileSync(device, '');
  writeFileSync(join(folder, 'ttyUSB1'), '');
  await look();
  expect(appeared).toEqual([`hall ${named}`, `hall ${named}`, `attic ${join(folder, 'ttyUSB1')}`]);
  watch.stop();
});
