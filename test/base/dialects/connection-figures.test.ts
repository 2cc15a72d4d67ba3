import { afterEach, describe, expect, test } from 'vitest';
import lamp from '../../../units/led-lamp-line.js';
import sensor from '../../../units/light-sensor.js';
import thermometer from '../../../units/thermometer.js';
import { settle } from '../../support/manual-clock.js';
import { ConcentratorRig, type RigOptions } from './iotsocket/concentrator-rig.js';
import { type OctetPeer, uidHex } from './iotsocket/octet-peer.js';
import { request, response } from './iotsocket/peers-away.js';
import { lineBase, lineUnit } from './line-rig.js';
import { until } from './line-unit.js';
import { ScriptedUnit } from './scripted-unit.js';
import { attic, kitchen, requestOf, serving, unitOf, up, values } from './unit-rig.js';

describe('a typed unit', () => {
  test('is in the list while its link is held, with its messages but without heartbeat and goodbye', async () => {
    const { base, unit } = await up();
    expect(base.connections.list()).toMatchObject([
      { unit: 'hall', remoteAddress: '10.0.0.1:8888', receivedMessages: 0, sentMessages: 0, bufferedOctets: 0 },
    ]);
    unit.report(1, 1, values);
    unit.report(1, 2, values);
    unit.send({ kind: 'ping' });
    await settle();
    expect(base.connections.of('hall')).toMatchObject({ receivedMessages: 2, sentMessages: 2 });
    base.dialled.at(-1)!.peer.reset();
    await settle();
    expect([base.connections.list(), base.connections.totals().established]).toEqual([[], 1]);
  });

  test('that is reached when needed is there as long as its link is', async () => {
    const base = await serving(kitchen);
    expect(base.connections.list()).toEqual([]);
    const outcome = base.command({ fields: { color: '#ff0000' } });
    await settle();
    const unit = unitOf(base, kitchen);
    await unit.prove();
    unit.hello();
    await settle();
    expect(base.connections.of('lamp')).toMatchObject({ receivedMessages: 0, sentMessages: 1 });
    unit.answer(requestOf(unit.heard()[1]).tracking);
    await outcome;
    expect(base.connections.of('lamp')).toMatchObject({ receivedMessages: 1, sentMessages: 1 });
    await base.clock.advance(4_000);
    expect(base.connections.list()).toEqual([]);
  });

  test('that dials in anew is there once: a stranger never, the one before no longer', async () => {
    const base = await serving(attic);
    const dialIn = (uid: string): ScriptedUnit =>
      new ScriptedUnit(base.connect().carrier, { uid, definition: thermometer });
    await dialIn('stranger').prove();
    await dialIn('attic').greet();
    await dialIn('attic').greet();
    await settle();
    expect(base.connections.units()).toEqual(['attic']);
    expect(base.connections.list()).toHaveLength(1);
    expect(Object.fromEntries(base.counts)).toEqual({ 'connections refused': 1 });
  });
});

describe('a line unit', () => {
  test('that measures counts its lines, those that are refused too', async () => {
    const unit = await lineUnit();
    unit.greeting = '5\nno\n7\n';
    const base = await lineBase(sensor, unit.port);
    await until(() => base.of('report').length === 2);
    expect(base.connections.of('lamp')).toMatchObject({
      remoteAddress: `127.0.0.1:${unit.port}`,
      receivedMessages: 3,
      sentMessages: 0,
    });
    expect(Object.fromEntries(base.counts)).toEqual({ 'lines refused': 1 });
    unit.last.destroy();
    await until(() => base.connections.list().length === 0);
  });

  test('that is written to is connected for its one line', async () => {
    const unit = await lineUnit();
    const base = await lineBase(lamp, unit.port);
    expect(await base.command({ fields: { color: '#FF0000' } })).toMatchObject({ outcome: 'ok' });
    expect(base.connections.list()).toEqual([]);
    expect(base.connections.totals()).toMatchObject({ established: 1, receivedMessages: 0, sentMessages: 1 });
  });
});

describe('an object', () => {
  let rig: ConcentratorRig | undefined;
  afterEach(() => rig?.stop());

  const OBJ = uidHex('ObjTest');
  async function begin(
    options: RigOptions = {},
  ): Promise<{ rig: ConcentratorRig; central: OctetPeer; object: OctetPeer }> {
    const begun = await ConcentratorRig.start(options);
    rig = begun;
    return { rig: begun, central: await begun.central(), object: await begun.open('ObjTest') };
  }

  test('is in the list with its requests and responses; its central is no unit and is not', async () => {
    const { rig: base, central, object } = await begin();
    expect(base.connections.list()).toMatchObject([{ unit: 'ObjTest', receivedMessages: 0, sentMessages: 0 }]);
    object.write(request(1) + request(2));
    central.write(response(1, '00', OBJ) + request(7, 0, OBJ) + response(2, '00', OBJ));
    expect(await object.read((response(1, '00') + request(7) + response(2, '00')).length / 2)).toBeDefined();
    object.write(response(7, '00'));
    expect(await object.isQuiet()).toBe(true);
    // What is sent, and what comes more than ten times a second, is told twice a second.
    await base.manual.advance(500);
    expect(base.connections.list()).toMatchObject([
      { remoteAddress: '127.0.0.1', receivedMessages: 3, sentMessages: 3 },
    ]);
    expect(base.connections.totals()).toMatchObject({ established: 1, receivedMessages: 3, sentMessages: 3 });
  });

  test('that connects anew is there once, and one that is gone is not', async () => {
    const { rig: base, object } = await begin();
    const before = base.connections.of('ObjTest')!.id;
    const second = await base.open('ObjTest');
    object.socket.destroy();
    expect(await second.isQuiet()).toBe(true);
    expect(base.connections.list()).toHaveLength(1);
    expect(base.connections.of('ObjTest')!.id).not.toBe(before);
    second.write(request(1));
    expect(await second.isQuiet()).toBe(true);
    second.socket.destroy();
    await until(() => base.connections.list().length === 0);
    expect(base.connections.totals()).toMatchObject({ established: 2, receivedMessages: 1 });
  });

  test('what is dropped and refused is counted, with what each part counts', async () => {
    const {
      rig: base,
      central,
      object,
    } = await begin({
      options: { udp: { host: '127.0.0.1', port: 0 } },
      group: { telemetry: false },
    });
    object.write(response(9, '00'));
    central.write(response(9, '00', OBJ));
    expect(await object.isQuiet()).toBe(true);
    expect(await central.isQuiet()).toBe(true);
    expect(Object.fromEntries(base.counts)).toEqual({ 'response nobody asked for': 2 });
    const stranger = await base.connect();
    await stranger.open({ uid: 'Nobody' }).catch(() => {});
    expect(base.dialect.counts()).toMatchObject({ 'connections refused': 1, 'UDP: taken': 0, 'UDP: unknown token': 0 });
  });
});
