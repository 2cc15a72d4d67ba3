import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CommandRequest } from '../../../base/core/command-request.js';
import type { Connections } from '../../../base/core/connections.js';
import type { Delivery, DeliveryResult } from '../../../base/core/delivery.js';
import type { CoreMessage, Outcome } from '../../../base/core/messages.js';
import type { Router } from '../../../base/core/router.js';
import type { HandlerStatus } from '../../../base/core/status.js';
import { MAX_OPAQUE_OCTETS } from '../../../base/dialects/fit-payload.js';
import type { HandlerContext, PendingCarrier } from '../../../base/dialects/handler.js';
import { type HandlerHost, START_MS } from '../../../base/dialects/handler-host.js';
import { MAX_COUNTS, PROOF_MS } from '../../../base/dialects/handler-scope.js';
import { MAX_UNITS } from '../../../base/dialects/handler-units.js';
import thermometer from '../../../units/thermometer.js';
import { type ManualClock, settle } from '../../support/manual-clock.js';
import type { MemoryStore } from '../../support/memory-store.js';
import type { QuietLog } from '../../support/quiet-log.js';
import { temporaryFolder } from '../config/temporary-folder.js';
import { makeCertificates } from '../uplinks/certificates.js';
import { HostRig } from './host-rig.js';

let rig: HostRig;
let clock: ManualClock;
let log: QuietLog;
let store: MemoryStore;
let heard: CoreMessage[];
let router: Router;
let connections: Connections;
let host: HandlerHost;

async function boot(...booting: Parameters<HostRig['boot']>): Promise<void> {
  const [command, serve = async () => {}] = booting;
  await rig.boot(command, () => {
    ({ router, connections, host } = rig);
    return serve();
  });
}

beforeEach(async () => {
  rig = new HostRig();
  ({ clock, log, store, heard } = rig);
  await boot();
});

afterEach(() => rig.end());

const stop = (): Promise<void> => rig.stop();
const start = (...starting: Parameters<HostRig['start']>): Promise<HandlerContext> => rig.start(...starting);
const dialIn = (port: number): Promise<Socket> => rig.dialIn(port);
const statusOf = (name?: string): HandlerStatus => rig.statusOf(name);

const ok = async (): Promise<DeliveryResult> => ({ outcome: 'ok' });
const never = (): Promise<never> => new Promise(() => {});

let commands = 0;
function command(unit: string, more: Partial<CommandRequest> = {}): Promise<Outcome> {
  commands += 1;
  return router.command({ id: `c${commands}`, unit, command: 'request', payload: 1, source: 'test', ...more });
}

const report = (uid: string, payload: unknown, more: object = {}) =>
  ({ uid, payload, measuredAt: clock.now(), ...more }) as never;

// What a handler can do.

test('a handler adds units that are not typed, tells what they say, and takes them away', async () => {
  const context = await start();
  const delivered: string[] = [];
  const deliver = async (uid: string) => {
    delivered.push(uid);
    return { outcome: 'ok' } as const;
  };
  expect([context.addUnit({ uid: 'board' }, deliver), context.addUnit({ uid: 'hall' }, deliver)]).toEqual([
    true,
    false,
  ]);
  context.presence('board', { state: 'online' });
  const id = context.request('board', { format: 'json', value: 1 });
  context.response(id, 'board', 0xa1, undefined);
  context.logLine('board', { level: 'warn', text: 'low' });
  expect(
    await context.command({ id: 'c', unit: 'board', command: 'request', payload: 1, source: 'test' }),
  ).toMatchObject({ outcome: 'ok' });
  context.removeUnit('board', 'gone');
  expect(heard).toMatchObject([
    { kind: 'presence', state: 'online' },
    { kind: 'request', id, payload: { format: 'json', value: 1 } },
    { kind: 'response', id, code: 0xa1 },
    { kind: 'log', text: 'low' },
    { kind: 'presence', state: 'offline', reason: 'gone' },
  ]);
  expect([delivered, router.get('board'), context.knownUnits()]).toEqual([['board'], undefined, ['board']]);
});

test('a handler knows the typed units, hears their reports, and commands as the base says', async () => {
  const asked: CommandRequest[] = [];
  const outcome: Outcome = { kind: 'outcome', id: 'c', unit: 'hall', command: 'x', outcome: 'ok', source: 't', at: 1 };
  await boot(async (request) => {
    asked.push(request);
    return outcome;
  });
  const context = await start();
  expect([context.typedUnit('hall'), context.typedUnit('board')]).toEqual([thermometer, undefined]);
  const reports: string[] = [];
  context.hear('report', () => {
    throw new Error('not this one');
  });
  const leave = context.hear('report', ({ id }) => reports.push(id));
  router.hello({ uid: 'hall', boot: 3, nonce: 7, version: '1.0.0' });
  const reading = { uid: 'hall', report: 'reading', fields: { temperature: 20 }, measuredAt: 5 };
  await router.report({ ...reading, identity: { boot: 3, sequence: 1 } });
  leave();
  await router.report({ ...reading, identity: { boot: 3, sequence: 2 } });
  expect([reports, statusOf().faults]).toEqual([['hall/3/1'], 2]);
  const request = { id: 'c', unit: 'hall', command: 'x', source: 't' };
  expect([await context.command(request), asked]).toEqual([outcome, [request]]);
});

test('its connections are in the list of all, under its name', async () => {
  const context = await start();
  context.addUnit({ uid: 'tank' }, ok);
  const connection = context.connected({ unit: 'tank', remoteAddress: '10.0.0.9:1' });
  connection.received();
  expect(connections.of('tank')).toMatchObject({ handler: 'meters', receivedMessages: 1 });
  connection.closed();
  expect(connections.list()).toEqual([]);
});

// How it begins and ends.

test.each([
  [
    'throws',
    () => {
      throw new Error('no port');
    },
    'handler-failed',
    'the handler meters failed before it was ready: no port',
  ],
  ['rejects with undefined', () => Promise.reject(), 'handler-failed', 'failed before it was ready: undefined'],
  ['returns at once', async () => {}, 'handler-failed', 'ended before it called context.ready()'],
  ['is no function', undefined, 'handler-failed', 'listen is not a function'],
] as const)('a listen that %s keeps the base from starting, with a clear error', async (_, listen, code, text) => {
  const started = host.start({ name: 'meters', listen: listen as never }, []);
  await expect(started).rejects.toMatchObject({ code, message: expect.stringContaining(text) });
  expect(statusOf()).toMatchObject({ state: 'failed' });
});

test('a port that is taken is told as such', async () => {
  const first = await start('first');
  const { address } = await first.accept({ host: '127.0.0.1', port: 0 }, () => {});
  const listen = async (context: HandlerContext) => void (await context.accept(address, () => {}));
  await expect(host.start({ name: 'second', listen }, [])).rejects.toMatchObject({ code: 'port-in-use' });
});

test('a handler that is not ready within 30 s fails the start, and is named; one just before is in time', async () => {
  let readyLate = (): void => {};
  const listen = async (context: HandlerContext) => {
    readyLate = () => context.ready();
    await once(context.signal, 'abort');
  };
  const inTime = host.start({ name: 'in-time', listen }, []);
  await clock.advance(START_MS - 1);
  readyLate();
  await inTime;
  const late = host.start({ name: 'too-late', listen }, []);
  late.catch(() => {});
  await clock.advance(START_MS);
  await expect(late).rejects.toMatchObject({ code: 'start-timeout', message: expect.stringContaining('too-late') });
  readyLate();
  expect([statusOf('in-time').state, statusOf('too-late')]).toMatchObject(['running', { state: 'failed' }]);
});

test('two handlers of one name, and names that are none, are refused', async () => {
  await start('meters');
  for (const name of ['meters', 'Meters', '', '1a', 'a'.repeat(33), 'a b'])
    await expect(start(name)).rejects.toMatchObject({ code: 'config-invalid' });
  expect(host.status().map(({ name }) => name)).toEqual(['meters']);
  await start('a'.repeat(32));
});

test('a handler that ends by itself, or fails, ends alone: its units are offline, its connections closed', async () => {
  const other = await start('other');
  other.addUnit({ uid: 'porch' }, ok);
  other.presence('porch', { state: 'online' });
  let cut = 0;
  const closed = (): void => {
    cut += 1;
  };
  const take = ({ carrier }: PendingCarrier): void =>
    carrier.attach({ octets() {}, drained() {}, ended: () => carrier.end(), closed });
  const elsewhere = await other.accept({ host: '127.0.0.1', port: 0 }, take);
  let end!: (error?: Error) => void;
  let context!: HandlerContext;
  const listen = (given: HandlerContext): Promise<void> => {
    context = given;
    given.ready();
    return new Promise((resolve, reject) => {
      end = (error) => (error === undefined ? resolve() : reject(error));
    });
  };
  for (const [name, error, reason] of [
    ['one', undefined, 'its handler has ended'],
    ['two', new Error('no'), 'its handler has failed'],
  ] as const) {
    await host.start({ name, listen }, []);
    context.addUnit({ uid: name }, never);
    context.presence(name, { state: 'online' });
    const { address } = await context.accept({ host: '127.0.0.1', port: 0 }, ({ proved }) => proved());
    const socket = await dialIn(address.port);
    await context.dial(elsewhere.address);
    context.connected({ unit: name, remoteAddress: 'x' });
    const underWay = command(name);
    await settle();
    let ticks = 0;
    const tick = (): void => {
      ticks += 1;
      context.clock.after(1, tick);
    };
    tick();
    end(error);
    await once(socket, 'close');
    while (cut === 0) await settle();
    cut = 0;
    await clock.advance(10);
    expect(router.get(name)).toMatchObject({ state: 'offline', reason });
    expect(await underWay).toMatchObject({ outcome: 'unknown', reason: expect.stringContaining('ended') });
    expect(await command(name)).toMatchObject({ outcome: 'unreachable', reason: expect.stringContaining('has ended') });
    expect([connections.list(), ticks, context.signal.aborted]).toEqual([[], 1, true]);
    await expect(dialIn(address.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  }
  expect(host.status().map(({ name, state }) => `${name} ${state}`)).toEqual([
    'other running',
    'one ended',
    'two failed',
  ]);
  expect(router.get('porch')).toMatchObject({ state: 'online' });
});

test('what a handler begins that never ends is ended at the stop, which is bounded; others have their time', async () => {
  const stopping: string[] = [];
  await start('deaf', {
    stopping: () => {
      stopping.push('deaf');
      return never();
    },
    listen: async ({ ready }) => {
      ready();
      return never();
    },
  });
  const sound = await start('sound', { stopping: () => void stopping.push(`sound ${sound.signal.aborted}`) });
  await start('broken', {
    stopping: () => {
      throw new Error('no');
    },
  });
  let isStopped = false;
  const stopped = host.stop().then(() => {
    isStopped = true;
  });
  expect(host.stop()).toBe(host.stop());
  await clock.advance(1_499);
  expect([stopping, sound.signal.aborted]).toEqual([['deaf', 'sound false'], false]);
  await clock.advance(1);
  expect(sound.signal.aborted).toBe(true);
  await clock.advance(1_499);
  expect(isStopped).toBe(false);
  await clock.advance(1);
  await stopped;
  expect(statusOf('broken')).toMatchObject({ faults: 1, lastFault: 'no' });
  expect(log.lines.filter(({ message }) => message.includes('did not end in time'))).toHaveLength(1);
  expect(clock.waiting).toBeLessThanOrEqual(2);
});

test('at the stop of the base nobody is told that units are offline', async () => {
  const context = await start();
  context.addUnit({ uid: 'tank' }, ok);
  context.presence('tank', { state: 'online' });
  await stop();
  expect(heard).toMatchObject([{ state: 'online' }]);
});

test('a start while the base stops, and one that the stop interrupts, end as stopped', async () => {
  const started = host.start({ name: 'slow', listen: async ({ signal }) => void (await once(signal, 'abort')) }, []);
  started.catch(() => {});
  await stop();
  await expect(started).rejects.toMatchObject({ code: 'stopped' });
  await expect(start('late')).rejects.toMatchObject({ code: 'stopped' });
});

test('after the stop its context does nothing, and rejects what opens connections', async () => {
  const context = await start();
  context.addUnit({ uid: 'tank' }, ok);
  const anywhere = { host: '127.0.0.1', port: 1 };
  await stop();
  heard.length = 0;
  context.presence('tank', { state: 'online' });
  context.logLine('tank', { level: 'info', text: 'x' });
  context.refused('tank');
  context.onCommand('tank', ok);
  context.removeUnit('tank', 'x');
  context.response('x', 'tank', 0, undefined);
  context.connected({ unit: 'tank', remoteAddress: 'x' }).received();
  context.hear('report', () => {})();
  expect(context.addUnit({ uid: 'other' }, ok)).toBe(false);
  expect(context.request('tank', { format: 'json', value: 1 })).toBe('');
  expect(await context.report(report('tank', { format: 'json', value: 1 }))).toBe('busy');
  expect(context.keep([{ unit: 'tank', octets: Uint8Array.of(1) }]).positions).toEqual([]);
  await expect(context.dial(anywhere)).rejects.toMatchObject({ code: 'stopped' });
  await expect(context.accept(anywhere, () => {})).rejects.toMatchObject({ code: 'stopped' });
  await expect(context.command({ id: 'c', unit: 'hall', command: 'x', source: 't' })).rejects.toMatchObject({
    code: 'stopped',
  });
  await settle();
  expect([heard, connections.list(), router.get('tank')?.counts.refused]).toEqual([[], [], 0]);
});

// What is contained.

test.each([
  [
    'throws',
    () => {
      throw new Error('no');
    },
  ],
  ['rejects', () => Promise.reject(new Error('no'))],
] as const)('a take that %s closes that connection alone', async (_, fail) => {
  const context = await start();
  let isFailing = true;
  const { address } = await context.accept({ host: '127.0.0.1', port: 0 }, ({ carrier }) => {
    if (isFailing) return fail() as never;
    carrier.attach({ octets: (chunk) => void carrier.write(chunk), drained() {}, ended() {}, closed() {} });
  });
  await once(await dialIn(address.port), 'close');
  isFailing = false;
  const socket = await dialIn(address.port);
  socket.write('echo');
  expect(String((await once(socket, 'data'))[0])).toBe('echo');
  expect(statusOf()).toMatchObject({ state: 'running', faults: 1, lastFault: 'no' });
});

test('a sink that throws closes that connection alone, of those accepted and those dialled', async () => {
  const context = await start();
  const broken = {
    octets: () => {
      throw new Error('bad octets');
    },
    drained() {},
    ended() {},
    closed() {},
  };
  const { address } = await context.accept({ host: '127.0.0.1', port: 0 }, ({ carrier }) => carrier.attach(broken));
  const [first, second] = [await dialIn(address.port), await dialIn(address.port)];
  first.write('x');
  await once(first, 'close');
  expect(second.destroyed).toBe(false);
  const dialled = await context.dial(address);
  const ended = new Promise<Error | undefined>((resolve) => {
    dialled.attach({
      octets() {},
      drained() {},
      ended: () => {
        throw new Error('bad end');
      },
      closed: resolve,
    });
  });
  dialled.write(Uint8Array.of(1));
  expect((await ended)?.message).toBe('the handler failed in ended');
  expect(statusOf()).toMatchObject({ faults: 3, lastFault: 'bad end' });
});

test('a connection that proves nothing is closed after 20 s, and one that did is not', async () => {
  const context = await start();
  const closed: string[] = [];
  const took: (() => void)[] = [];
  const { address } = await context.accept({ host: '127.0.0.1', port: 0 }, ({ carrier, proved }) => {
    const number = took.push(proved);
    carrier.attach({ octets() {}, drained() {}, ended() {}, closed: () => void closed.push(`${number}`) });
  });
  await dialIn(address.port);
  const silent = await dialIn(address.port);
  while (took.length < 2) await settle();
  took[0]!();
  await clock.advance(PROOF_MS - 1);
  expect(closed).toEqual([]);
  await clock.advance(1);
  while (!silent.destroyed || closed.length === 0) await settle();
  expect(closed).toEqual(['2']);
});

test('connections over TLS: who does not speak it is closed, and the others are taken', async () => {
  const folder = temporaryFolder();
  const { ca, cert, key } = makeCertificates();
  for (const [name, text] of Object.entries({ cert, key })) writeFileSync(join(folder, name), text);
  const tls = { cert: join(folder, 'cert'), key: join(folder, 'key') };
  const context = await start();
  const local = { host: '127.0.0.1', port: 0 };
  const kinds: string[] = [];
  const take = ({ carrier, proved }: PendingCarrier): void => {
    proved();
    kinds.push(carrier.kind);
    carrier.attach({
      octets: (chunk) => void carrier.write(chunk),
      drained() {},
      ended: () => carrier.end(),
      closed: () => void kinds.push('closed'),
    });
  };
  const { address } = await context.accept(local, take, { tls });
  const plain = await dialIn(address.port);
  plain.write('GET / HTTP/1.1\r\n\r\n');
  await once(plain, 'close');
  const silent = await dialIn(address.port);
  const secure = connectTls({ port: address.port, host: '127.0.0.1', ca });
  rig.keep(secure);
  await once(secure, 'secureConnect');
  secure.write('echo');
  expect([String((await once(secure, 'data'))[0]), kinds]).toEqual(['echo', ['tls']]);
  secure.end();
  while (kinds.length < 2) await settle();
  await clock.advance(15_000);
  while (!silent.destroyed) await settle();
  await expect(context.accept(local, take, { tls: { ...tls, key: join(folder, 'none') } })).rejects.toMatchObject({
    code: 'config-unreadable',
  });
});

test('timers that throw or reject are faults, and the others go on', async () => {
  const context = await start();
  const fired: string[] = [];
  context.clock.after(1, () => {
    throw new Error('one');
  });
  context.clock.after(1, (async () => {
    throw new Error('two');
  }) as never);
  context.clock.after(2, () => void fired.push('three'));
  context.clock.after(2, () => void fired.push('four')).cancel();
  await clock.advance(2);
  expect([fired, statusOf().faults, context.clock.now(), context.clock.monotonic()]).toEqual([
    ['three'],
    2,
    clock.now(),
    clock.monotonic(),
  ]);
});

test.each<[string, () => unknown, string]>([
  [
    'throws',
    () => {
      throw new Error('no');
    },
    'the handler failed: no',
  ],
  ['rejects', () => Promise.reject('no'), 'the handler failed: no'],
  ['gives nothing', async () => undefined, 'must resolve with an outcome'],
  ['gives another outcome', async () => ({ outcome: 'duplicate' }), 'must resolve with an outcome'],
  [
    'gives a payload that cannot be stored',
    async () => ({ outcome: 'ok', payload: { format: 'json', value: 1n } }),
    'the payload of an answer',
  ],
  [
    'gives a payload that is too long',
    async () => ({ outcome: 'ok', payload: { format: 'utf8', value: 'x'.repeat(MAX_OPAQUE_OCTETS + 1) } }),
    'octets',
  ],
  ['gives a code that is none', async () => ({ outcome: 'ok', code: 'A1' }), 'whole number'],
])('a deliver that %s makes its command unknown', async (_, deliver, reason) => {
  const context = await start();
  context.addUnit({ uid: 'tank' }, deliver as never);
  expect(await command('tank')).toMatchObject({ outcome: 'unknown', reason: expect.stringContaining(reason) });
  expect(statusOf().faults).toBe(1);
});

test('a deliver that never resolves holds up its own unit alone, and its command ends', async () => {
  const context = await start();
  const given: Delivery[] = [];
  context.addUnit({ uid: 'slow' }, (_uid, delivery) => {
    given.push(delivery);
    return never();
  });
  context.addUnit({ uid: 'quick' }, ok);
  const slow = command('slow', { waitMs: 1_000 });
  expect(await command('quick')).toMatchObject({ outcome: 'ok' });
  await settle();
  await clock.advance(1_000 + given[0]!.timeoutMs + 30_000);
  expect(await slow).toMatchObject({ outcome: 'unknown' });
});

test('an answer with a long reason is told, cut', async () => {
  const context = await start();
  context.addUnit({ uid: 'tank' }, async () => ({ outcome: 'refused', reason: 'x'.repeat(600) }));
  expect((await command('tank')).reason).toHaveLength(512);
});

// Whose units they are, and how many.

test('a handler cannot report for, remove, command or list a unit of another, and that is a fault', async () => {
  const owner = await start('owner');
  const stranger = await start('stranger');
  owner.addUnit({ uid: 'tank' }, ok);
  owner.presence('tank', { state: 'online' });
  heard.length = 0;
  const payload = { format: 'json', value: 1 } as const;
  let taken = 0;
  const deliver = async (): Promise<DeliveryResult> => {
    taken += 1;
    return { outcome: 'ok' };
  };
  for (const uid of ['tank', 'hall']) {
    expect(await stranger.report(report(uid, payload))).toBe('refused');
    expect(await stranger.report(report(uid, payload, { durable: false }))).toBe('refused');
    stranger.presence(uid, { state: 'offline', reason: 'mine now' });
    stranger.logLine(uid, { level: 'info', text: 'x' });
    stranger.refused(uid);
    stranger.onCommand(uid, deliver);
    stranger.removeUnit(uid, 'mine now');
    stranger.response('id', uid, 0, payload);
    stranger.connected({ unit: uid, remoteAddress: 'x' });
    expect([stranger.request(uid, payload), stranger.addUnit({ uid }, deliver)]).toEqual(['', false]);
    expect(() => stranger.hello({ uid, boot: 1, nonce: 1, version: '1' })).toThrow();
  }
  expect(await command('tank')).toMatchObject({ outcome: 'ok' });
  await settle();
  expect([heard, connections.list(), taken]).toEqual([[], [], 0]);
  expect(router.get('tank')).toMatchObject({ state: 'online', counts: { refused: 0 } });
  expect([statusOf('stranger').faults, statusOf('owner').faults]).toEqual([22, 0]);
  expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
});

test('what is told of a unit that is not there, as of one just removed, is nothing, and no fault', async () => {
  const context = await start();
  expect(await context.report(report('gone', { format: 'json', value: 1 }))).toBe('duplicate');
  context.presence('gone', { state: 'online' });
  context.removeUnit('gone', 'x');
  expect([heard, statusOf().faults]).toEqual([[], 0]);
});

test('a connection may be there before its unit is', async () => {
  const context = await start();
  context.connected({ unit: 'tank', remoteAddress: 'x' });
  expect(connections.units()).toEqual(['tank']);
});

test('one link of a unit is given at a time, and another handler does not take it away', async () => {
  const [one, two] = [await start('one'), await start('two')];
  const letGo = await one.claimLink('tank', one.signal);
  (await two.claimLink('tank', two.signal))();
  let isGranted = false;
  const second = one.claimLink('tank', one.signal).then(() => {
    isGranted = true;
  });
  await settle();
  expect(isGranted).toBe(false);
  letGo();
  await second;
});

test.each([
  ['', false],
  ['x', true],
  ['ü'.repeat(128), true],
  ['x'.repeat(128), true],
  ['x'.repeat(129), false],
  ['a\nb', false],
  ['a\u0000', false],
  ['a\u001fb', false],
  ['\ud800', false],
  ['../../x y/ü', true],
  [undefined, false],
  [5, false],
])('the UID %j is one of a unit: %s', async (uid, isFit) => {
  const context = await start();
  expect(context.addUnit({ uid: uid as string }, ok)).toBe(isFit);
});

test('as many units are added as the bound says, and one more when one goes', async () => {
  const context = await start();
  for (let number = 0; number < MAX_UNITS; number += 1) context.addUnit({ uid: `unit-${number}` }, ok);
  expect(router.list()).toHaveLength(MAX_UNITS + 1);
  expect([context.addUnit({ uid: 'one-more' }, ok), context.addUnit({ uid: 'unit-7' }, ok)]).toEqual([false, true]);
  context.removeUnit('unit-9', 'gone');
  expect([context.addUnit({ uid: 'one-more' }, ok), context.addUnit({ uid: 'unit-9' }, ok)]).toEqual([true, false]);
  expect(log.lines.filter(({ message }) => message.includes('was not added'))).toHaveLength(1);
});

test('a handler may say another bound of its units', async () => {
  const context = await start('few', { limits: { units: 2 } });
  expect(['a', 'b', 'c'].map((uid) => context.addUnit({ uid }, ok))).toEqual([true, true, false]);
});

test.each([
  ['octets', 'stored', { format: 1, options: 0, data: new Uint8Array(MAX_OPAQUE_OCTETS) }],
  ['too many octets', 'refused', { format: 1, options: 0, data: new Uint8Array(MAX_OPAQUE_OCTETS + 1) }],
  ['octets that are none', 'refused', { format: 1, options: 0, data: [1] }],
  ['a text', 'stored', { format: 'utf8', value: 'x'.repeat(MAX_OPAQUE_OCTETS) }],
  ['a text that is too long', 'refused', { format: 'utf8', value: 'x'.repeat(MAX_OPAQUE_OCTETS + 1) }],
  ['a text that is none', 'refused', { format: 'utf8', value: 5 }],
  ['JSON', 'stored', { format: 'json', value: { level: 3 } }],
  ['JSON that is too long', 'refused', { format: 'json', value: 'x'.repeat(MAX_OPAQUE_OCTETS - 1) }],
  ['a circle', 'refused', { format: 'json', value: circle() }],
  ['no JSON value', 'refused', { format: 'json', value: undefined }],
  ['another format', 'refused', { format: 'xml', value: '<a/>' }],
  ['nothing', 'refused', undefined],
])('a report of %s is %s', async (_, verdict, payload) => {
  const context = await start();
  context.addUnit({ uid: 'tank' }, ok);
  expect(await context.report(report('tank', payload))).toBe(verdict);
  expect([statusOf().faults, router.get('tank')?.counts.refused]).toEqual(verdict === 'refused' ? [1, 1] : [0, 0]);
});

function circle(): object {
  const own: { self?: object } = {};
  own.self = own;
  return own;
}

test('a report without a payload, or without a moment, does no harm', async () => {
  const context = await start();
  context.addUnit({ uid: 'tank' }, ok);
  expect(await context.report({ uid: 'tank', report: 'x', fields: { a: 1 }, measuredAt: 1 })).toBe('refused');
  expect(await context.report({ uid: 'tank', payload: { format: 'json', value: 1 } } as never)).toBe('stored');
  expect(heard).toMatchObject([{ kind: 'report', measuredAt: clock.now() }]);
});

test('a report that the disk refuses is to be sent again, and never rejects', async () => {
  const context = await start();
  context.addUnit({ uid: 'tank' }, ok);
  store.isFailing = true;
  expect(await context.report(report('tank', { format: 'json', value: 1 }))).toBe('busy');
});

test('a presence that is none is a fault', async () => {
  const context = await start();
  context.addUnit({ uid: 'tank' }, ok);
  context.presence('tank', { state: 'here' as never });
  expect([router.get('tank')?.state, statusOf().faults]).toEqual(['offline', 1]);
});

// What it counts and keeps.

test('what it counts is in its status, within bounds, with what it counts by itself', async () => {
  const context = await start('meters', { counts: () => ({ 'by itself': 7, wrong: 'x' as never }) });
  context.count('lines');
  context.count('lines', 2);
  context.count('lines', Number.NaN);
  context.count('x'.repeat(65));
  context.count(undefined as never);
  expect(statusOf().counts).toEqual({ lines: 3, 'by itself': 7 });
  for (let number = 0; number < MAX_COUNTS + 10; number += 1) context.count(`event ${number}`);
  expect(Object.keys(statusOf().counts)).toHaveLength(MAX_COUNTS);
  context.count('lines');
  expect(statusOf().counts.lines).toBe(4);
});

test('no timer of a handler is left when it has ended, and it gets no new one', async () => {
  const before = clock.waiting;
  const context = await start();
  let fired = 0;
  const count = (): void => {
    fired += 1;
  };
  context.clock.after(60_000, count);
  context.clock.after(70_000, count);
  const cancelled = context.clock.after(5_000, count);
  cancelled.cancel();
  cancelled.cancel();
  expect(clock.waiting - before).toBe(2);
  await stop();
  context.clock.after(1, count).cancel();
  context.clock.after(1, count);
  expect(clock.waiting).toBe(before);
  await clock.advance(100_000);
  expect(fired).toBe(0);
});

test('what a handler counts and what it has are shown apart', async () => {
  await start('meters', { counts: () => ({ opened: 7 }), gauges: () => ({ clients: 3, none: Number.NaN }) });
  expect(statusOf()).toMatchObject({ counts: { opened: 7 }, gauges: { clients: 3 }, faults: 0 });
  expect(statusOf().gauges).toEqual({ clients: 3 });
});

test('gauges that throw are a fault, and the status is there', async () => {
  await start('meters', {
    gauges: () => {
      throw new Error('no');
    },
  });
  expect(statusOf()).toMatchObject({ gauges: {}, state: 'running', faults: 1 });
});

test('counts that throw are a fault, and the status is there', async () => {
  await start('meters', {
    counts: () => {
      throw new Error('no');
    },
  });
  expect(statusOf()).toMatchObject({ counts: {}, state: 'running' });
  expect(statusOf().faults).toBeGreaterThan(0);
});

test('transmissions of one handler are not seen or erased by another, over a restart too', async () => {
  const [one, two] = [await start('one'), await start('two')];
  const keptBy = (context: HandlerContext, unit: string, octet: number) =>
    context.keep([{ unit, octets: Uint8Array.of(octet) }]);
  const first = keptBy(one, 'tank', 1);
  const second = keptBy(two, 'tank', 2);
  const central = keptBy(two, '', 3);
  await Promise.all([first.stored, second.stored, central.stored]);
  await two.unkeep([...first.positions, ...central.positions]);
  await stop();
  await boot();
  const [again, other, concentrator] = [await start('two'), await start('one'), await start('iotsocket')];
  expect(concentrator.kept()).toEqual([]);
  expect(again.kept()).toMatchObject([{ unit: 'tank', octets: Uint8Array.of(2), position: second.positions[0] }]);
  expect([again.kept(), other.kept().map(({ unit }) => unit)]).toEqual([[], ['tank']]);
  await other.unkeep(first.positions);
  expect((await store.load()).kept.map(({ position }) => position)).toEqual(second.positions);
});

test('what an earlier version of the concentrator kept is its own', async () => {
  await router.kept.keep([{ unit: 'board', octets: Uint8Array.of(1) }]).stored;
  await router.kept.keep([{ unit: '', octets: Uint8Array.of(2) }]).stored;
  await stop();
  await boot();
  const [other, concentrator] = [await start('other'), await start('iotsocket')];
  expect(other.kept()).toEqual([]);
  expect(concentrator.kept().map(({ unit }) => unit)).toEqual(['board', '']);
});

test('what an earlier run may have sent is asked again of a unit that remembers, and of no other', async () => {
  const delivered: unknown[] = [];
  const serve = async (deliver: (uid: string, delivery: Delivery) => Promise<DeliveryResult>): Promise<void> => {
    const context = await start();
    for (const uid of ['tank', 'pump']) context.addUnit({ uid, remembersCommands: uid === 'pump' }, deliver);
  };
  await serve(async (uid, { wireId, sending }) => {
    delivered.push([uid, wireId]);
    await sending('boot 1');
    return never();
  });
  for (const unit of ['tank', 'pump']) void command(unit, { ttlMs: 60_000 }).catch(() => {});
  await clock.advance(0);
  const [, wireId] = delivered.splice(0)[1] as [string, number];
  // As if it was killed: nothing of it was stopped.
  await boot(undefined, () =>
    serve(async (uid, delivery) => {
      delivered.push([uid, delivery.wireId, delivery.sentIn]);
      return { outcome: 'ok' };
    }),
  );
  await clock.advance(0);
  expect(delivered).toEqual([['pump', wireId, 'boot 1']]);
  const outcomes = (await store.load()).commands.map(({ command: { unit }, outcome }) => [unit, outcome?.outcome]);
  expect(outcomes).toEqual([
    ['tank', 'unknown'],
    ['pump', 'ok'],
  ]);
});

test('as much is kept as the bound says: past it nothing of a call is, and there is room again behind an erasure', async () => {
  const context = await start('few', { limits: { keptOctets: 2 * (64 + 100) } });
  const item = { unit: 'tank', octets: new Uint8Array(100) };
  const { positions, stored } = context.keep([item, item]);
  await stored;
  const refused = context.keep([item]);
  await expect(refused.stored).rejects.toMatchObject({ code: 'store-busy' });
  await context.unkeep(refused.positions);
  expect((await store.load()).kept).toHaveLength(2);
  await context.unkeep([positions[0]!]);
  await context.keep([item]).stored;
  expect((await store.load()).kept).toHaveLength(2);
});
