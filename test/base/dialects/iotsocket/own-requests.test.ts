import { afterEach, describe, expect, test } from 'vitest';
import type { CommandRequest } from '../../../../base/core/command-request.js';
import type { Delivery, DeliveryResult } from '../../../../base/core/delivery.js';
import type { Outcome, Report } from '../../../../base/core/messages.js';
import { freeNumber } from '../../../../base/dialects/iotsocket/in-flight.js';
import { ObjectCommands } from '../../../../base/dialects/iotsocket/object-commands.js';
import { emptyAnswer } from '../../../../base/dialects/iotsocket/own-request.js';
import { Peer } from '../../../../base/dialects/iotsocket/peer.js';
import { returnCodes } from '../../../../protocol/iotsocket/transmission.js';
import ledLamp from '../../../../units/led-lamp.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';
import { ConcentratorRig, type RigOptions } from './concentrator-rig.js';
import { CENTRAL_KEY, KEY, type OctetPeer, uidHex } from './octet-peer.js';
import { expectNext, leave, pass, request, response, slowErasure, until } from './peers-away.js';

let rig: ConcentratorRig;
const start = async (options: RigOptions = {}): Promise<void> => {
  rig = await ConcentratorRig.start(options);
};
afterEach(() => rig?.stop());

const OBJ = uidHex('ObjTest');
const LAMP = uidHex('lamp');
const hexOf = (text: string): string => Buffer.from(text).toString('hex');
const lengthOf = (text: string): string => Buffer.byteLength(text).toString(16).padStart(4, '0');
/** A JSON payload block. */
const json = (value: unknown): string => {
  const text = JSON.stringify(value);
  return `a0${lengthOf(text)}${hexOf(text)}`;
};

function deliveryOf(more: Partial<Delivery> = {}): Delivery {
  return {
    wireId: 1,
    command: 'request',
    fields: {},
    payload: { format: 'json', value: { on: true } },
    timeoutMs: 10_000,
    deadline: rig.manual.monotonic() + 30_000,
    isPatient: false,
    sending: async () => {},
    ...more,
  };
}
const deliver = (more: Partial<Delivery> = {}): Promise<DeliveryResult> => rig.deliver!('ObjTest', deliveryOf(more));

const bearer = `Bearer ${Buffer.from(CENTRAL_KEY).toString('hex')}`;
/** `POST /request`, as the central does it. */
async function post(body: object, signal?: AbortSignal): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${rig.ports.http}/request`, {
    method: 'POST',
    headers: { authorization: bearer, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
  return answer.json();
}
const http = { http: { host: '127.0.0.1', port: 0 } };
const bonjour = { UID: 'ObjTest', Payload: 'BONJOUR', Format: 'ASCII' };
const BONJOUR = '100007424f4e4a4f5552';
/** What was asked before has come to the concentrator: a request behind it is answered. */
const taken = (): Promise<unknown> => post({ ...bonjour, UID: 'nobody' });

describe('a command', () => {
  test('is a request to its object, and the answer is its outcome', async () => {
    await start();
    const object = await rig.open('ObjTest');
    const first = deliver();
    expect(await object.read(6 + 11)).toBe(`300001${json({ on: true })}`);
    object.write(`40000100${json({ is: 'on' })}`);
    expect(await first).toMatchObject({ outcome: 'ok', code: 0 });
    const second = deliver({ payload: { format: 'binary', value: [1, 2] } });
    expect(await object.read(8)).toBe('3000020000020102');
    object.write(response(2, '05'));
    expect(await second).toMatchObject({ outcome: 'refused', code: 5 });
    expect(rig.requests).toEqual([]);
  });

  test('for an object without a session is unreachable, or waits for one where it has time', async () => {
    await start();
    expect(await deliver()).toMatchObject({ outcome: 'unreachable', reason: 'it has no session' });
    const late = deliver({ isPatient: true, deadline: rig.manual.monotonic() + 20_000 });
    await rig.manual.advance(19_900);
    await rig.manual.advance(200);
    expect(await late).toMatchObject({ outcome: 'expired' });
    const patient = deliver({ isPatient: true });
    await rig.manual.advance(20_000);
    const object = await rig.open('ObjTest');
    expect(await object.read(17)).toBe(`300001${json({ on: true })}`);
    object.write(response(1, '00'));
    expect(await patient).toMatchObject({ outcome: 'ok' });
  });

  test('waits for an object whose session is kept', async () => {
    await start();
    await leave(rig, await rig.open('ObjTest'));
    const waiting = deliver();
    const object = await rig.open('ObjTest');
    expect(await object.read(17)).toBe(`300001${json({ on: true })}`);
    object.write(response(1, '00'));
    expect(await waiting).toMatchObject({ outcome: 'ok' });
  });

  test('is not sent when the disk does not take that it is', async () => {
    await start();
    const object = await rig.open('ObjTest');
    const refused = deliver({ sending: () => Promise.reject(new Error('the disk is full')) });
    expect(await refused).toEqual({ outcome: 'refused', reason: 'the base cannot store it: the disk is full' });
    expect(await object.isQuiet()).toBe(true);
  });

  test('that the object does not take, or with no payload, is told so', async () => {
    await start();
    const object = await rig.open('ObjTest', { max: 16 });
    expect(await deliver()).toMatchObject({ outcome: 'unreachable' });
    expect(await rig.deliver!('ObjTest', { ...deliveryOf(), payload: { format: 'ascii', value: 'é' } })).toMatchObject({
      outcome: 'refused',
    });
    const { payload: _, ...without } = deliveryOf();
    expect(await rig.deliver!('ObjTest', without)).toEqual({ outcome: 'refused', reason: 'the payload is missing' });
    expect(await rig.deliver!('Nobody', deliveryOf())).toMatchObject({ outcome: 'unreachable' });
    expect(await object.isQuiet()).toBe(true);
  });

  test('that is not answered in time is a time-out, and its late answer is nobody’s', async () => {
    await start();
    const object = await rig.open('ObjTest');
    const asked = deliver({ timeoutMs: 3_000 });
    await object.read(17);
    await rig.manual.advance(2_900);
    expect(await object.isQuiet()).toBe(true);
    await rig.manual.advance(300);
    expect(await asked).toMatchObject({ outcome: 'timeout' });
    const next = deliver();
    expect(await object.read(17)).toBe(`300002${json({ on: true })}`);
    object.write(response(1, '00') + response(2, '07'));
    expect(await next).toMatchObject({ outcome: 'refused', code: 7 });
  });

  test('that is answered when its time is just over, and nobody has said so yet, is a time-out all the same', async () => {
    await start();
    const central = await rig.central();
    const object = await rig.open('ObjTest');
    await rig.manual.advance(50);
    const asked = deliver({ timeoutMs: 3_000 });
    await object.read(17);
    // Looked at between two looks at the table, which are 100 ms apart.
    await rig.manual.advance(2_960);
    object.write(response(1, '00'));
    expect(await asked).toMatchObject({ outcome: 'timeout' });
    // The same for one of the central.
    central.write(request(5, 0, OBJ));
    await expectNext(object, request(5));
    object.write(request(6));
    await expectNext(central, request(6, 0, OBJ));
    await rig.manual.advance(9_995);
    object.write(response(5, '00'));
    await expectNext(central, response(5, 'a1', OBJ));
    central.write(response(6, '00', OBJ));
    await expectNext(object, response(6, 'a1'));
  });

  test('whose object goes just before it is sent counts its time all the same, and is never delivered late', async () => {
    await start();
    let object = await rig.open('ObjTest');
    let sent = (): void => {};
    const asked = deliver({ timeoutMs: 5_000, sending: () => new Promise((resolve) => (sent = resolve)) });
    await settle();
    await leave(rig, object);
    sent();
    await rig.manual.advance(5_200);
    expect(await asked).toMatchObject({ outcome: 'timeout' });
    expect(rig.kept.size).toBe(0);
    object = await rig.open('ObjTest');
    expect(await object.isQuiet()).toBe(true);
    // What was never sent owes no answer.
    object.write(response(1, '00'));
    expect(await object.isQuiet()).toBe(true);
  });

  test('under way when the base stops has an unknown outcome', async () => {
    await start();
    const object = await rig.open('ObjTest');
    const asked = deliver();
    await object.read(17);
    await rig.stop();
    expect(await asked).toEqual({ outcome: 'unknown', reason: 'the base stopped before it answered' });
  });

  test('that is not sent yet when the base stops is unreachable: it can go on at the next start', async () => {
    await start();
    await rig.open('ObjTest');
    let sent = (): void => {};
    const asked = deliver({ sending: () => new Promise((resolve) => (sent = resolve)) });
    await settle();
    const stopped = rig.stop();
    sent();
    expect(await asked).toEqual({ outcome: 'unreachable', reason: 'the base is stopping' });
    await stopped;
  });

  test('that waits when the base stops, or its object is taken out of the list, is unreachable', async () => {
    const [clock, stop] = [new ManualClock(), new AbortController()];
    const group = { telemetry: false, telemetryTokenLifeMs: 0, pingAfterMs: 15_000, deadAfterMs: 45_000 };
    const peer = new Peer('ObjTest', KEY, group);
    const commands = new ObjectCommands({
      find: () => peer,
      ask: () => Promise.resolve(emptyAnswer(returnCodes.valid)),
      clock,
      signal: stop.signal,
    });
    const waiting = { ...deliveryOf(), isPatient: true, deadline: 30_000 };
    const removed = commands.deliver('ObjTest', waiting);
    commands.removed(peer);
    expect(await removed).toEqual({ outcome: 'unreachable', reason: 'it is not in the access list' });
    const stopped = commands.deliver('ObjTest', waiting);
    stop.abort();
    expect(await stopped).toEqual({ outcome: 'unreachable', reason: 'the base is stopping' });
    expect(await commands.deliver('ObjTest', waiting)).toEqual({
      outcome: 'unreachable',
      reason: 'the base is stopping',
    });
    expect(clock.waiting).toBe(0);
  });
});

describe('a request over HTTP', () => {
  test('for an object that is away is delivered when it is back, from memory alone', async () => {
    await start({ options: http });
    await leave(rig, await rig.open('ObjTest'));
    const asked = post({ ...bonjour, Timeout: 20 });
    await taken();
    expect(rig.kept.size).toBe(0);
    const object = await rig.open('ObjTest');
    await expectNext(object, `300001${BONJOUR}`);
    object.write('4000010010000641555245564f');
    expect(await asked).toEqual({ Code: 0, Payload: 'AUREVO', Format: 'ASCII' });
  });

  test('counts its time from its acceptance, also while its object is away', async () => {
    await start({ options: http });
    await leave(rig, await rig.open('ObjTest'));
    const [short, long] = [post({ ...bonjour, Timeout: 5 }), post({ ...bonjour, Payload: 'bonjour', Timeout: 9 })];
    await taken();
    await rig.manual.advance(5_200);
    expect(await short).toEqual({ Code: 161, Payload: null, Format: 'JSON' });
    const object = await rig.open('ObjTest');
    expect((await object.read(13)).slice(6)).toBe('100007626f6e6a6f7572');
    await rig.manual.advance(3_500);
    expect(await object.isQuiet()).toBe(true);
    await rig.manual.advance(500);
    expect(await long).toEqual({ Code: 161, Payload: null, Format: 'JSON' });
  });

  test('is withdrawn when who asked hangs up', async () => {
    await start({ options: http });
    await leave(rig, await rig.open('ObjTest'));
    const hangUp = new AbortController();
    const asked = post(bonjour, hangUp.signal);
    asked.catch(() => {});
    await taken();
    hangUp.abort();
    await taken();
    const object = await rig.open('ObjTest');
    expect(await object.isQuiet()).toBe(true);
    // One that is on its way already is answered to nobody.
    const again = new AbortController();
    post(bonjour, again.signal).catch(() => {});
    const number = (await object.read(13)).slice(2, 6);
    again.abort();
    await taken();
    object.write(`40${number}00000000`);
    expect(await object.isQuiet()).toBe(true);
  });

  test('whose time is over while mail is on its way out is not delivered', async () => {
    await start({ options: http });
    const central = await rig.central();
    await leave(rig, await rig.open('ObjTest'));
    central.write(request(7, 0, OBJ));
    expect(await central.isQuiet()).toBe(true);
    const asked = post({ ...bonjour, Timeout: 5 });
    await taken();
    const finish = slowErasure(rig);
    const object = await rig.open('ObjTest');
    // Nobody guesses its answer.
    object.write(response(1, '00'));
    await pass(rig, 5_200, object, central);
    expect(await asked).toEqual({ Code: 161, Payload: null, Format: 'JSON' });
    finish();
    await expectNext(object, request(7));
    expect(await object.isQuiet()).toBe(true);
  });

  test('ends with A1 when its object’s session does, and with A0 where there is none', async () => {
    await start({ options: http });
    let object = await rig.open('ObjTest');
    const asked = post({ ...bonjour, Timeout: 200 });
    await object.read(13);
    await leave(rig, object);
    const kept = post({ ...bonjour, Timeout: 200 });
    await taken();
    await rig.manual.advance(60_600);
    expect(await asked).toEqual({ Code: 161, Payload: null, Format: 'JSON' });
    expect(await kept).toEqual({ Code: 161, Payload: null, Format: 'JSON' });
    expect(await post(bonjour)).toEqual({ Code: 160, Payload: null, Format: 'JSON' });
    object = await rig.open('ObjTest');
    expect(await object.isQuiet()).toBe(true);
  });

  test('and one of the central’s session are answered each to whom it belongs', async () => {
    await start({ options: http });
    const central = await rig.central();
    const object = await rig.open('ObjTest');
    central.write(request(1, 1, OBJ) + request(2, 2, OBJ));
    await expectNext(object, request(1, 1), request(2, 2));
    // Its number is none of the central's.
    const asked = post(bonjour);
    await expectNext(object, `300003${BONJOUR}`);
    central.write(request(3, 0, OBJ));
    await expectNext(central, response(3, 'a2', OBJ));
    object.write(`${response(2, '02')}40000300100002414f${response(1, '01')}`);
    await expectNext(central, response(2, '02', OBJ), response(1, '01', OBJ));
    expect(await asked).toEqual({ Code: 0, Payload: 'AO', Format: 'ASCII' });
    expect(await central.isQuiet()).toBe(true);
    central.write(request(3, 0, OBJ));
    await expectNext(object, request(3));
  });

  test('goes on when the central’s session ends', async () => {
    await start({ options: http });
    const central = await rig.central();
    const object = await rig.open('ObjTest');
    const asked = post(bonjour);
    const number = (await object.read(13)).slice(2, 6);
    await leave(rig, central, '00');
    object.write(`40${number}00100002414f`);
    expect(await asked).toEqual({ Code: 0, Payload: 'AO', Format: 'ASCII' });
  });
});

test('numbers wrap, pass over those in use, and end when none is free', () => {
  expect(freeNumber(undefined, 0)).toBe(1);
  expect(freeNumber(undefined, 65_535)).toBe(0);
  const inFlight = new Map([
    [65_535, 7],
    [0, 0],
    [1, -7],
  ]);
  expect(freeNumber(inFlight, 65_534)).toBe(2);
  for (let number = 0; number < 65_536; number += 1) if (number !== 40_000) inFlight.set(number, 7);
  expect(freeNumber(inFlight, 40_000)).toBe(40_000);
  inFlight.set(40_000, 7);
  expect(freeNumber(inFlight, 40_000)).toBeUndefined();
});

describe('a typed unit', () => {
  const typed = { lamp: ledLamp };
  const outcome = (kind: Outcome['outcome'], more: Partial<Outcome> = {}): Outcome => ({
    kind: 'outcome',
    id: 'x',
    unit: 'lamp',
    command: 'setColor',
    outcome: kind,
    source: 'iotsocket',
    at: 0,
    ...more,
  });
  /** The central asks the lamp; gives the return code and what the answer says. */
  async function ask(central: OctetPeer, number: number, block: string): Promise<[string, unknown]> {
    central.write(`38${LAMP}${number.toString(16).padStart(4, '0')}${block}`);
    const head = await central.read(23);
    expect(head.slice(0, 38)).toBe(`48${LAMP}${number.toString(16).padStart(4, '0')}`);
    const octets = await central.read(Number.parseInt(head.slice(42), 16));
    return [head.slice(38, 40), octets === '' ? undefined : JSON.parse(Buffer.from(octets, 'hex').toString())];
  }

  test('is told a command, and its outcome is the answer', async () => {
    const told: CommandRequest[] = [];
    let next: Outcome = outcome('ok', { reply: { red: 1 } });
    await start({
      typed,
      command: (request) => {
        told.push(request);
        return Promise.resolve(next);
      },
    });
    const central = await rig.central();
    const red = json({ command: 'setColor', fields: { red: 255 } });
    expect(await ask(central, 1, red)).toEqual(['00', { outcome: 'ok', reply: { red: 1 } }]);
    expect(told).toMatchObject([
      { unit: 'lamp', command: 'setColor', fields: { red: 255 }, ttlMs: 10_000, source: 'iotsocket' },
    ]);
    const table: [Outcome['outcome'], string, unknown][] = [
      ['refused', '01', { outcome: 'refused', reason: 'why' }],
      ['duplicate', '01', { outcome: 'duplicate', reason: 'why' }],
      ['unknown', '01', { outcome: 'unknown', reason: 'why' }],
      ['unreachable', 'a0', undefined],
      ['timeout', 'a1', undefined],
      ['expired', 'a1', undefined],
    ];
    for (const [kind, code, said] of table) {
      next = outcome(kind, { reason: 'why' });
      expect([kind, ...(await ask(central, 1, red))]).toEqual([kind, code, said]);
    }
    expect(new Set(told.map(({ id }) => id)).size).toBe(told.length);
  });

  test('takes JSON commands only, and says so', async () => {
    const told: CommandRequest[] = [];
    await start({
      typed,
      command: (request) => {
        told.push(request);
        return Promise.resolve(outcome('ok'));
      },
    });
    const central = await rig.central();
    const wrong = ['000000', '1000026869', 'a000017b', json({}), json({ command: 3 }), json({ command: 'a', more: 1 })];
    for (const block of wrong) {
      const [code, said] = await ask(central, 1, block);
      expect(code).toBe('01');
      expect(said).toMatchObject({ outcome: 'refused', reason: expect.stringContaining('{"command": "…"') });
    }
    expect(told).toEqual([]);
  });

  test('that does not answer in time is A1, and what it says later is nobody’s', async () => {
    let end = (_: Outcome): void => {};
    await start({ typed, command: () => new Promise((resolve) => (end = resolve)) });
    let central = await rig.central();
    const block = json({ command: 'off' });
    central.write(`38${LAMP}0001${block}`);
    expect(await central.isQuiet()).toBe(true);
    central.write(`38${LAMP}0001${block}`);
    await expectNext(central, response(1, 'a2', LAMP));
    await pass(rig, 9_900, central);
    await rig.manual.advance(200);
    await expectNext(central, response(1, 'a1', LAMP));
    end(outcome('ok'));
    expect(await central.isQuiet()).toBe(true);

    // Who asked has gone: the next session is not told, and its numbers are its own.
    central.write(`38${LAMP}0002${block}`);
    expect(await central.isQuiet()).toBe(true);
    const first = end;
    await leave(rig, central, '00');
    central = await rig.central();
    central.write(`38${LAMP}0002${block}`);
    expect(await central.isQuiet()).toBe(true);
    first(outcome('refused'));
    expect(await central.isQuiet()).toBe(true);
    end(outcome('unreachable'));
    await expectNext(central, response(2, 'a0', LAMP));
  });

  test('is answered to a central that is only away for a while', async () => {
    let end = (_: Outcome): void => {};
    await start({ typed, command: () => new Promise((resolve) => (end = resolve)) });
    let central = await rig.central();
    central.write(`38${LAMP}0001${json({ command: 'off' })}`);
    expect(await central.isQuiet()).toBe(true);
    await leave(rig, central);
    end(outcome('unreachable'));
    await settle();
    central = await rig.central();
    await expectNext(central, response(1, 'a0', LAMP));
  });

  test('whose command the base cannot end is A1', async () => {
    await start({ typed, command: () => Promise.reject(new Error('the base stops')) });
    expect(await ask(await rig.central(), 1, json({ command: 'off' }))).toEqual(['a1', undefined]);
  });

  test('can be asked over HTTP too', async () => {
    await start({ typed, options: http, command: () => Promise.resolve(outcome('ok')) });
    const payload = { command: 'off' };
    expect(await post({ UID: 'lamp', Payload: payload, Format: 'JSON' })).toEqual({
      Code: 0,
      Payload: { outcome: 'ok' },
      Format: 'JSON',
    });
  });

  test('reports to the central as identified telemetry', async () => {
    await start({ typed });
    const report: Report = {
      kind: 'report',
      id: 'lamp/1/1',
      unit: 'lamp',
      report: 'state',
      fields: { red: 1 },
      boot: 1,
      sequence: 1,
      measuredAt: 5,
      receivedAt: 6,
    };
    rig.report(report);
    const central = await rig.central();
    rig.report(report);
    const block = json({ report: 'state', fields: { red: 1 }, id: 'lamp/1/1', measuredAt: 5 });
    await expectNext(central, `68${LAMP}${block}`);
    await leave(rig, central);
    rig.report(report);
    expect(await (await rig.central()).isQuiet()).toBe(true);
    await until(() => rig.warnings().some((line) => line.includes('telemetry for a central that is away')));
  });
});
