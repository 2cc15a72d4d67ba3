import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../../../../protocol/octets.js';
import { ConcentratorRig, type RigOptions } from './concentrator-rig.js';
import { CENTRAL_KEY, KEY, uidHex } from './octet-peer.js';
import { expectNext, leave, request, response, until } from './peers-away.js';
import { TelemetrySender } from './telemetry-sender.js';

let rig: ConcentratorRig;
const start = async (options: RigOptions = {}): Promise<void> => {
  rig = await ConcentratorRig.start({ objects: ['Victim', 'Stranger'], ...options });
};
afterEach(() => rig.stop());

const VICTIM = uidHex('Victim');
const STRANGER = uidHex('Stranger');
const ZERO = '00'.repeat(16);
const http = { http: { host: '127.0.0.1', port: 0 } };
const udp = { udp: { host: '127.0.0.1', port: 0 } };
const listOf = (...uids: readonly string[]): string =>
  `00${uids.length.toString(16).padStart(8, '0')}${uids
    .map((uid) => `${uidHex('Devices')}${uidHex(uid)}${toHex(KEY)}`)
    .join('')}`;
const ask = async (): Promise<unknown> => {
  const answer = await fetch(`http://127.0.0.1:${rig.ports.http}/request`, {
    method: 'POST',
    headers: { authorization: `Bearer ${toHex(CENTRAL_KEY)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ UID: 'Victim', Payload: 'hi', Format: 'ASCII' }),
  });
  return answer.json();
};

describe('an object cannot reach another', () => {
  test.each([
    ['a request', `38${VICTIM}0001000000`],
    ['a response', `48${VICTIM}000100000000`],
    ['a request to itself', `38${STRANGER}0001000000`],
    ['a request to the central', `38${ZERO}0001000000`],
    ['identified telemetry', `68${VICTIM}000000`],
    ['a telemetry token', '500102030405060708'],
    ['a ping', `18${VICTIM}`],
    ['a close', `f8${VICTIM}00`],
  ])('with %s that names one: it is put out, and nobody hears of it', async (_what, octets) => {
    await start();
    const central = await rig.central();
    const victim = await rig.open('Victim');
    central.write(request(1, 0, VICTIM));
    await expectNext(victim, request(1));
    const stranger = await rig.open('Stranger');
    stranger.write(`${octets}${request(2)}`);
    expect(await stranger.readAll()).toBe('f000');
    expect(await victim.isQuiet()).toBe(true);
    expect(await central.isQuiet()).toBe(true);
    expect(rig.requests).toEqual([]);
    expect(rig.refused).toEqual(['Stranger']);
    victim.write(response(1, '00'));
    await expectNext(central, response(1, '00', VICTIM));
  });

  test('by cutting what it sends anywhere', async () => {
    await start();
    const victim = await rig.open('Victim');
    const sent = `38${VICTIM}0001000000`;
    for (let cut = 1; cut < sent.length / 2; cut += 5) {
      const stranger = await rig.open('Stranger');
      stranger.write(sent.slice(0, 2 * cut));
      expect(await stranger.readAll()).toBe('f000');
    }
    expect(await victim.isQuiet()).toBe(true);
  });

  test('since what it asks reaches the central alone, under its own name', async () => {
    await start();
    const central = await rig.central();
    const victim = await rig.open('Victim');
    const stranger = await rig.open('Stranger');
    // The name of another in the payload stays one.
    stranger.write(`3000010000${(16).toString(16).padStart(2, '0')}${VICTIM}`);
    await expectNext(central, `38${STRANGER}0001000010${VICTIM}`);
    expect(await victim.isQuiet()).toBe(true);
  });

  test('by replacing the access list', async () => {
    await start();
    const victim = await rig.open('Victim');
    const stranger = await rig.open('Stranger');
    stranger.write(listOf('Stranger'));
    expect(await stranger.readAll()).toBe('f000');
    expect([...rig.units].sort()).toEqual(['Stranger', 'Victim']);
    expect(await victim.isQuiet()).toBe(true);
  });

  test('by logging in as one, or as the central, with its own key', async () => {
    const entry = (key: Uint8Array) => ({ GroupName: 'Devices', AuthKey: toHex(key) });
    const own = fromHex('55'.repeat(16));
    await start({ accessList: JSON.stringify({ Victim: entry(KEY), Stranger: entry(own) }) });
    const [victim, central] = [await rig.open('Victim'), await rig.central()];
    await (await rig.open('Stranger', { key: own })).cut();
    for (const uid of ['Victim', '', 'Nobody']) {
      await expect(rig.open(uid, { key: own })).rejects.toThrow('the verdict was 00');
      await expect(rig.open(uid, { key: own, version: 0 }).then((peer) => peer.read(1))).rejects.toThrow('ended');
    }
    expect(await victim.isQuiet()).toBe(true);
    expect(await central.isQuiet()).toBe(true);
  });

  test('with its telemetry token from another address', async () => {
    await start({ options: udp });
    const central = await rig.central();
    const victim = await rig.open('Victim');
    const token = (await victim.read(9)).slice(2);
    const sender = await TelemetrySender.open(rig.ports.udp);
    const elsewhere = await TelemetrySender.open(rig.ports.udp, '127.0.0.2');
    await elsewhere.send(`${token}1000016e`);
    await sender.send(`${token}10000179`);
    await expectNext(central, `68${VICTIM}10000179`);
    expect(await central.isQuiet()).toBe(true);
    await sender.close();
    await elsewhere.close();
  });
});

describe('an object cannot answer what another was asked', () => {
  test('by the number of it, whoever asked', async () => {
    await start({ options: http });
    const central = await rig.central();
    const victim = await rig.open('Victim');
    const stranger = await rig.open('Stranger');
    central.write(request(7, 0, VICTIM));
    await expectNext(victim, request(7));
    const asked = ask();
    const number = (await victim.read(8)).slice(2, 6);
    stranger.write(`${response(7, '00')}40${number}00100002fefe`);
    expect(await stranger.isQuiet()).toBe(true);
    expect(await central.isQuiet()).toBe(true);
    victim.write(`${response(7, '01')}40${number}001000027965`);
    await expectNext(central, response(7, '01', VICTIM));
    expect(await asked).toEqual({ Code: 0, Payload: 'ye', Format: 'ASCII' });
  });

  test('by trying all numbers', async () => {
    await start({ limits: { transmissionsPerS: 1e9, transmissionBurst: 1e9 } });
    const central = await rig.central();
    const victim = await rig.open('Victim');
    const stranger = await rig.open('Stranger');
    central.write(request(0x1234, 0, VICTIM) + request(0x4321, 0, STRANGER));
    await expectNext(victim, request(0x1234));
    await expectNext(stranger, request(0x4321));
    const all = Array.from({ length: 65_536 }, (_, number) => response(number, '00')).join('');
    stranger.write(all);
    await expectNext(central, response(0x4321, '00', STRANGER));
    expect(await stranger.isQuiet()).toBe(true);
    expect(await central.isQuiet()).toBe(true);
    victim.write(response(0x1234, '00'));
    await expectNext(central, response(0x1234, '00', VICTIM));
  });

  test('while that is away, or when its session is over', async () => {
    await start();
    const central = await rig.central();
    const stranger = await rig.open('Stranger');
    await leave(rig, await rig.open('Victim'));
    central.write(request(7, 0, VICTIM));
    expect(await central.isQuiet()).toBe(true);
    stranger.write(response(7, '00'));
    expect(await stranger.isQuiet()).toBe(true);
    expect(await central.isQuiet()).toBe(true);
    const victim = await rig.open('Victim');
    await expectNext(victim, request(7));
    await leave(rig, victim, '00');
    await expectNext(central, response(7, 'a1', VICTIM));
    stranger.write(response(7, '00'));
    expect(await stranger.isQuiet()).toBe(true);
    expect(await central.isQuiet()).toBe(true);
  });

  test('nor can the central answer what nobody asked it', async () => {
    await start();
    const central = await rig.central();
    const [victim, stranger] = [await rig.open('Victim'), await rig.open('Stranger')];
    stranger.write(request(7));
    await expectNext(central, request(7, 0, STRANGER));
    central.write(response(7, '00', VICTIM) + response(8, '00', STRANGER) + response(7, '00', uidHex('Nobody')));
    expect(await central.isQuiet()).toBe(true);
    expect(await victim.isQuiet()).toBe(true);
    expect(await stranger.isQuiet()).toBe(true);
  });
});

describe('an object cannot outlive its revocation', () => {
  test('by having octets on their way', async () => {
    await start();
    const central = await rig.central();
    const stranger = await rig.open('Stranger');
    // Half a request before, the other half after.
    stranger.write('3000010000');
    expect(await central.isQuiet()).toBe(true);
    central.write(listOf('Victim'));
    expect(await central.isQuiet()).toBe(true);
    stranger.write(`00${request(2)}10`);
    expect(await stranger.readAll()).toBe('f001');
    expect(await central.isQuiet()).toBe(true);
    expect(rig.requests).toEqual([]);
  });

  test('by keeping its connection open: it is cut 2 s after the goodbye', async () => {
    await start();
    const central = await rig.central();
    const stranger = await rig.open('Stranger');
    stranger.socket.allowHalfOpen = true;
    central.write(listOf('Victim'));
    expect(await central.isQuiet()).toBe(true);
    expect(await stranger.readAll()).toBe('f001');
    stranger.write(request(1));
    await rig.manual.advance(2_600);
    // A connection that is gone says so to who writes.
    await until(() => {
      if (!stranger.socket.destroyed) stranger.write('10');
      return stranger.socket.destroyed;
    });
    expect(await central.isQuiet()).toBe(true);
  });

  test('by being half-way through its login', async () => {
    await start();
    const central = await rig.central();
    const stranger = await rig.connect();
    stranger.write('01000000');
    const challenge = fromHex((await stranger.read(18)).slice(4));
    central.write(listOf('Victim'));
    expect(await central.isQuiet()).toBe(true);
    stranger.write(`${STRANGER}${createHmac('sha256', KEY).update(challenge).digest('hex')}`);
    expect(await stranger.readAll()).toBe('00');
  });

  test('by its kept session, or by what waits for the central', async () => {
    await start();
    let central = await rig.central();
    const stranger = await rig.open('Stranger');
    await leave(rig, central);
    stranger.write(request(1));
    expect(await stranger.isQuiet()).toBe(true);
    await leave(rig, stranger);
    expect(rig.kept.size).toBe(1);
    central = await rig.connect();
    // The list is the first that the central sends: what the object asked has gone out before it.
    await central.open({ uid: '' });
    await expectNext(central, request(1, 0, STRANGER));
    central.write(`${listOf('Victim')}${response(1, '00', STRANGER)}`);
    expect(await central.isQuiet()).toBe(true);
    expect(rig.kept.size).toBe(0);
    await expect(rig.open('Stranger')).rejects.toThrow('the verdict was 00');
  });

  test('by a list that comes over HTTP while the central is away: its request is withdrawn', async () => {
    await start({ options: http });
    const central = await rig.central();
    const stranger = await rig.open('Stranger');
    await leave(rig, central);
    stranger.write(request(1));
    expect(await stranger.isQuiet()).toBe(true);
    const answer = await fetch(`http://127.0.0.1:${rig.ports.http}/acl`, {
      method: 'POST',
      headers: { authorization: `Bearer ${toHex(CENTRAL_KEY)}`, 'content-type': 'application/json' },
      body: JSON.stringify([{ UID: 'Victim', GroupName: 'Devices', AuthKey: toHex(KEY) }]),
    });
    expect(answer.status).toBe(200);
    expect(await stranger.readAll()).toBe('f001');
    expect(rig.kept.size).toBe(0);
    expect(await (await rig.central()).isQuiet()).toBe(true);
  });
});
