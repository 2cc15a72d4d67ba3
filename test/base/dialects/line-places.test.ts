import { expect, onTestFinished, test } from 'vitest';
import type { ServedUnit } from '../../../base/dialects/handler.js';
import { LineDialect } from '../../../base/dialects/line/line-dialect.js';
import lampLine from '../../../units/led-lamp-line.js';
import lightSensor from '../../../units/light-sensor.js';
import { settle } from '../../support/manual-clock.js';
import { DialectRig } from './dialect-rig.js';

const place = (last: number) => ({ host: `10.0.0.${last}`, port: 8888 });
const light: ServedUnit = { uid: 'light', definition: lightSensor, address: 'mdns', key: undefined };
const lamp: ServedUnit = { uid: 'lamp', definition: lampLine, address: 'mdns', key: undefined };

async function serving(...units: ServedUnit[]) {
  const rig = new DialectRig();
  const dialect = new LineDialect();
  onTestFinished(() => rig.stop());
  await rig.start(dialect, units);
  return { rig, dialect, dialled: () => rig.dialled.map(({ remote }) => remote) };
}

test('a read line unit is dialled once it is found, and followed', async () => {
  const { rig, dialled } = await serving(light);
  expect([rig.presence(), dialled()]).toEqual([[expect.stringMatching(/^offline: light was not found yet/)], []]);
  rig.addresses.found('light', place(1));
  await settle();
  rig.dialled[0]!.peer.write(new TextEncoder().encode('120\n'));
  await settle();
  expect([rig.presence().at(-1), rig.of('report').map(({ fields }) => fields)]).toEqual(['online', [{ level: 120 }]]);
  rig.dialled[0]!.peer.reset();
  await settle();
  rig.addresses.found('light', place(2));
  await settle();
  expect(dialled()).toEqual(['10.0.0.1:8888', '10.0.0.2:8888']);
  expect(rig.log.lines.map(({ message }) => message)).toContain('light moved from 10.0.0.1:8888 to 10.0.0.2:8888');
});

test('an updatable one is written to where it was found; before that it is offline, and says why', async () => {
  const { rig, dialled } = await serving(lamp);
  const missing = /lamp was not found yet/;
  expect(rig.presence()).toEqual([expect.stringMatching(missing)]);
  expect(await rig.command({})).toMatchObject({ outcome: 'unreachable', reason: expect.stringMatching(missing) });
  rig.addresses.found('lamp', place(1));
  expect(rig.presence().at(-1)).toBe('idle');
  void rig.command({});
  await settle();
  expect(dialled()).toEqual(['10.0.0.1:8888']);
});

test('one that comes while the base runs is served, and let go of', async () => {
  const { rig, dialect, dialled } = await serving();
  const here = { ...light, address: place(3) };
  rig.router.add(here);
  rig.addresses.configure('light', here.address);
  dialect.serve(here);
  await settle();
  expect(dialled()).toEqual(['10.0.0.3:8888']);
  await dialect.release('light');
  expect(rig.dialled[0]!.peer.isDestroyed || rig.dialled[0]!.peer.isEnded).toBe(true);
  rig.addresses.found('light', place(4));
  await settle();
  expect(dialled()).toHaveLength(1);
});

test('one that comes when the dialect has ended is not taken up', async () => {
  const { rig, dialect, dialled } = await serving();
  await rig.stop();
  dialect.serve({ ...light, address: place(3) });
  await rig.clock.advance(60_000);
  expect([dialled(), rig.warnings(), rig.clock.waiting]).toEqual([[], [], 0]);
});
