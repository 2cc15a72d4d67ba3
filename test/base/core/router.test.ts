import { beforeEach, describe, expect, test } from 'vitest';
import { MAX_TTL_MS } from '../../../base/core/check-request.js';
import type { CommandRequest } from '../../../base/core/command-request.js';
import type { Delivery, DeliveryResult } from '../../../base/core/delivery.js';
import { COMMAND_WAIT_MS } from '../../../base/core/mailbox.js';
import type { CoreMessage } from '../../../base/core/messages.js';
import { Outboxes } from '../../../base/core/outboxes.js';
import { Router } from '../../../base/core/router.js';
import { MemoryBus } from '../../../base/engine/embedded/memory-bus.js';
import lamp from '../../../units/led-lamp.js';
import lampLine from '../../../units/led-lamp-line.js';
import thermometer from '../../../units/thermometer.js';
import { ManualClock } from '../../support/manual-clock.js';
import { MemoryStore } from '../../support/memory-store.js';
import { QuietLog } from '../../support/quiet-log.js';

let clock: ManualClock;
let router: Router;
let store: MemoryStore;
let heard: CoreMessage[];
let delivered: Delivery[];
let answer: (delivery: Delivery) => Promise<DeliveryResult>;

beforeEach(() => {
  clock = new ManualClock();
  const log = new QuietLog();
  const bus = new MemoryBus(log);
  heard = [];
  for (const kind of ['report', 'command', 'outcome', 'presence', 'log'] as const)
    bus.subscribe(kind, (message) => void heard.push(message));
  const random = { octets: (count: number) => new Uint8Array(count).fill(255), fraction: () => 0.5 };
  store = new MemoryStore();
  router = new Router({ bus, store, outboxes: new Outboxes(), clock, random, log });
  router.add({ uid: 'kitchen', definition: lamp, address: { host: '10.0.0.1', port: 8888 } });
  router.add({ uid: 'old-lamp', definition: lampLine, address: { host: 'Lamp.local', port: 9000 } });
  router.add({ uid: 'hall', definition: thermometer });
  delivered = [];
  answer = () => Promise.resolve({ outcome: 'ok' });
  for (const uid of ['kitchen', 'old-lamp'])
    router.onCommand(uid, (delivery) => {
      delivered.push(delivery);
      return answer(delivery);
    });
});

const ask = (request: Partial<CommandRequest>): CommandRequest => ({
  id: 'c1',
  unit: 'kitchen',
  command: 'setColor',
  fields: { color: '#FF8800' },
  source: 'test',
  ...request,
});
const kinds = (): string[] => heard.map(({ kind }) => kind);

describe('a command', () => {
  test('is delivered complete and checked, and its one outcome goes to its sender and to the bus', async () => {
    const outcome = await router.command(ask({ command: 'fade' }));
    expect(outcome).toEqual({
      kind: 'outcome',
      id: 'c1',
      unit: 'kitchen',
      command: 'fade',
      outcome: 'ok',
      source: 'test',
      at: clock.now(),
    });
    expect(delivered).toMatchObject([
      { command: 'fade', fields: { color: '#ff8800', durationMs: 1_000 }, timeoutMs: 5_000, isPatient: false },
    ]);
    expect(delivered[0]!.deadline).toBe(COMMAND_WAIT_MS);
    expect(kinds()).toEqual(['command', 'outcome']);
    expect(heard[1]).toBe(outcome);
  });

  test('with a time to live is patient until then', async () => {
    await router.command(ask({ ttlMs: 90_000 }));
    expect(delivered[0]).toMatchObject({ isPatient: true, deadline: 90_000 });
    expect(heard[0]).toMatchObject({ kind: 'command', expiresAt: clock.now() + 90_000 });
  });

  test('wire ids differ, are never 0, and go on from 2^32 - 1 at 1', async () => {
    await router.command(ask({ id: 'a' }));
    await router.command(ask({ id: 'b' }));
    expect(delivered.map(({ wireId }) => wireId)).toEqual([1, 2]);
  });

  test('sent twice with one id is done once; the second is a duplicate that says how the first stands', async () => {
    let end!: (result: DeliveryResult) => void;
    answer = () =>
      new Promise((resolve) => {
        end = resolve;
      });
    const first = router.command(ask({}));
    expect(await router.command(ask({}))).toMatchObject({
      outcome: 'duplicate',
      reason: 'a command with this id was sent before; it is under way',
    });
    await clock.advance(0);
    end({ outcome: 'timeout', reason: 'no answer within 5 s' });
    expect(await first).toMatchObject({ outcome: 'timeout' });
    expect(await router.command(ask({}))).toMatchObject({
      reason: 'a command with this id was sent before; it is timeout',
    });
    expect(delivered).toHaveLength(1);
    expect(kinds()).toEqual(['command', 'outcome']);
  });

  test('the same id for another unit is another command', async () => {
    await router.command(ask({}));
    expect(await router.command(ask({ unit: 'old-lamp' }))).toMatchObject({ outcome: 'ok' });
  });

  test('the reply of the unit is in its outcome', async () => {
    answer = () => Promise.resolve({ outcome: 'ok', reply: { at: 5 } });
    expect(await router.command(ask({}))).toMatchObject({ outcome: 'ok', reply: { at: 5 } });
  });

  test('nothing serves its unit yet: unreachable', async () => {
    router.add({ uid: 'new', definition: lamp });
    expect(await router.command(ask({ unit: 'new' }))).toMatchObject({
      outcome: 'unreachable',
      reason: 'nothing serves this unit',
    });
  });

  test('stop ends what waits', async () => {
    answer = () => new Promise(() => {});
    void router.command(ask({ id: 'a' }));
    const second = router.command(ask({ id: 'b' }));
    await clock.advance(0);
    router.stop();
    expect(await second).toMatchObject({ outcome: 'unreachable', reason: 'the base is stopping' });
  });
});

describe('a request that cannot be is refused with the reason, and nothing reaches the unit', () => {
  test.each<[string, Partial<CommandRequest>, string]>([
    ['an unknown unit', { unit: 'attic' }, 'no unit "attic" is configured here'],
    ['an address, though no line is sent', { unit: '10.0.0.1' }, 'no unit "10.0.0.1" is configured here'],
    ['control characters in the name', { unit: 'a\nb' }, 'no unit "a·b" is configured here'],
    ['an unknown command', { command: 'blink' }, 'led-lamp has no command "blink"; it has: setColor, fade'],
    ['a name every object has', { command: 'toString' }, 'led-lamp has no command "toString"; it has: setColor, fade'],
    ['a unit without commands', { unit: 'hall' }, 'thermometer has no command "setColor"; it has: none'],
    [
      'an unknown field',
      { fields: { colour: '#ff0000' } },
      'colour is no field of this message; its fields are: color',
    ],
    ['a wrong value', { fields: { color: 'red' } }, 'color must be a colour as "#rrggbb"'],
    ['a value out of range', { command: 'fade', fields: { durationMs: 60_001 } }, 'durationMs must be 0 to 60000'],
    ['no id', { id: '' }, 'the id must have 1 to 64 characters'],
    ['an id of 65 characters', { id: 'x'.repeat(65) }, 'the id must have 1 to 64 characters'],
    ['no time to live', { ttlMs: 0 }, 'the time to live must be more than 0 and at most 86400 s'],
    ['too long a time to live', { ttlMs: MAX_TTL_MS + 1 }, 'the time to live must be more than 0 and at most 86400 s'],
    ['a time to live that is none', { ttlMs: Number.NaN }, 'the time to live must be more than 0 and at most 86400 s'],
  ])('%s', async (_, request, reason) => {
    expect(await router.command(ask(request))).toMatchObject({ outcome: 'refused', reason });
    expect(delivered).toEqual([]);
    await clock.advance(0);
    expect(kinds()).toEqual(['outcome']);
    expect(store.committed).toEqual([]);
  });

  test('at the bounds it is taken', async () => {
    expect(await router.command(ask({ id: 'x'.repeat(64), ttlMs: MAX_TTL_MS }))).toMatchObject({ outcome: 'ok' });
  });

  test('a refused id may be sent again, put right', async () => {
    await router.command(ask({ command: 'blink' }));
    expect(await router.command(ask({}))).toMatchObject({ outcome: 'ok' });
  });
});

describe('a raw line finds its unit', () => {
  test.each([
    ['by UID', 'old-lamp', 'old-lamp'],
    ['by address, upper and lower case alike', 'LAMP.local:9000', 'old-lamp'],
    ['by host alone where the port is 8888', '10.0.0.1', 'kitchen'],
    ['by host and port 8888', '10.0.0.1:8888', 'kitchen'],
  ])('%s', async (_, unit, uid) => {
    const request = ask({ unit, command: 'update', line: 'red' });
    expect(router.knows(request)).toBe(true);
    expect(await router.command(request)).toMatchObject({ unit: uid, outcome: 'ok' });
    expect(delivered).toMatchObject([{ line: 'red', fields: {} }]);
  });

  test.each(['lamp.local', '10.0.0.2', '10.0.0.1:8889'])('not by %s', async (unit) => {
    const request = ask({ unit, command: 'update', line: 'red' });
    expect(router.knows(request)).toBe(false);
    expect(await router.command(request)).toMatchObject({ outcome: 'refused' });
  });
});

describe('a report', () => {
  const report = (identity?: { boot: number; sequence: number }) =>
    router.report({
      uid: 'hall',
      report: 'reading',
      fields: { temperature: 21.5, humidity: 40 },
      measuredAt: 5,
      ...(identity && { identity }),
    });

  test('has one identity, is kept as the last of its name, and is published', async () => {
    router.hello({ uid: 'hall', boot: 3, nonce: 1, version: '1.0.0' });
    expect(await report({ boot: 3, sequence: 1 })).toBe('stored');
    expect(heard).toMatchObject([
      { kind: 'report', id: 'hall/3/1', unit: 'hall', definition: 'thermometer', boot: 3, sequence: 1, measuredAt: 5 },
    ]);
    expect(router.get('hall')).toMatchObject({
      version: '1.0.0',
      last: { reading: { id: 'hall/3/1', fields: { temperature: 21.5 } } },
      counts: { reports: 1, missing: 0 },
    });
  });

  test('sent again is acknowledged again and published once', async () => {
    router.hello({ uid: 'hall', boot: 3, nonce: 1, version: '1.0.0' });
    await report({ boot: 3, sequence: 1 });
    expect(await report({ boot: 3, sequence: 1 })).toBe('duplicate');
    expect(kinds()).toEqual(['report']);
  });

  test('a jump is told, counted and logged', async () => {
    router.hello({ uid: 'hall', boot: 3, nonce: 1, version: '1.0.0' });
    await report({ boot: 3, sequence: 1 });
    await report({ boot: 3, sequence: 5 });
    expect(heard.at(-1)).toMatchObject({ id: 'hall/3/5', missing: 3 });
    expect(router.get('hall')!.counts).toMatchObject({ reports: 2, missing: 3 });
  });

  test('is on disk before it is acknowledged, kept or published', async () => {
    router.hello({ uid: 'hall', boot: 3, nonce: 1, version: '1.0.0' });
    let open!: () => void;
    store.gate = new Promise((resolve) => {
      open = resolve;
    });
    let verdict: string | undefined;
    void report({ boot: 3, sequence: 1 }).then((given) => {
      verdict = given;
    });
    await clock.advance(1_000);
    expect([verdict, heard, router.get('hall')!.last]).toEqual([undefined, [], {}]);
    open();
    await clock.advance(0);
    expect(verdict).toBe('stored');
    expect(kinds()).toEqual(['report']);
    expect(store.of('report')).toHaveLength(1);
  });

  test('that the disk does not take is not acknowledged, and new when it comes again', async () => {
    router.hello({ uid: 'hall', boot: 3, nonce: 1, version: '1.0.0' });
    store.isFailing = true;
    expect(await report({ boot: 3, sequence: 1 })).toBe('busy');
    expect(heard).toEqual([]);
    store.isFailing = false;
    expect(await report({ boot: 3, sequence: 1 })).toBe('stored');
    expect(store.of('report')).toHaveLength(1);
    expect(kinds()).toEqual(['report']);
  });

  test('that comes twice at the same time is stored once, and both are acknowledged', async () => {
    router.hello({ uid: 'hall', boot: 3, nonce: 1, version: '1.0.0' });
    const both = await Promise.all([report({ boot: 3, sequence: 1 }), report({ boot: 3, sequence: 1 })]);
    expect(both).toEqual(['stored', 'duplicate']);
    expect(store.of('report')).toHaveLength(1);
  });

  test('without a number of its own gets one of the base', async () => {
    await report();
    await report();
    const start = Math.floor(clock.now() / 1_000);
    expect(heard.map((message) => (message.kind === 'report' ? message.id : ''))).toEqual([
      `hall/${start}/1`,
      `hall/${start}/2`,
    ]);
  });

  test('of a unit that is not configured is nobody’s', async () => {
    expect(await router.report({ uid: 'x', report: 'reading', fields: {}, measuredAt: 0 })).toBe('duplicate');
    expect(heard).toEqual([]);
  });
});

describe('hello and presence', () => {
  test('the hello tells how many commands wait, at most 255', async () => {
    answer = () => new Promise(() => {});
    for (let index = 0; index < 4; index += 1) void router.command(ask({ id: `c${index}` }));
    expect(router.hello({ uid: 'kitchen', boot: 1, nonce: 1, version: '1' })).toMatchObject({ waiting: 4 });
  });

  test('a change is published, the same again is not', async () => {
    router.presence('hall', { state: 'online' });
    router.presence('hall', { state: 'online', reason: 'busy' });
    router.presence('hall', { state: 'online' });
    router.presence('hall', { state: 'offline', reason: 'gone' });
    router.presence('hall', { state: 'offline', reason: 'gone' });
    router.presence('hall', { drift: ['reading.x is u8 there, u16 here'] });
    router.presence('nobody', { state: 'online' });
    await clock.advance(0);
    expect(heard).toMatchObject([
      { state: 'online', drift: [] },
      { state: 'online', reason: 'busy' },
      { state: 'online' },
      { state: 'offline', reason: 'gone' },
      { state: 'offline', drift: ['reading.x is u8 there, u16 here'] },
    ]);
    expect(router.get('hall')).toMatchObject({ state: 'offline', reason: 'gone' });
  });

  test('log lines of units are published, refusals counted', () => {
    router.logLine('hall', { level: 'warn', text: 'sensor lost' });
    router.refused('hall');
    router.refused('nobody');
    expect(heard).toMatchObject([{ kind: 'log', unit: 'hall', level: 'warn', text: 'sensor lost' }]);
    expect(router.get('hall')!.counts.refused).toBe(1);
  });

  test('lists all units; an unknown one has no view and no definition', () => {
    expect(router.list().map(({ unit, state }) => [unit, state])).toEqual([
      ['kitchen', 'offline'],
      ['old-lamp', 'offline'],
      ['hall', 'offline'],
    ]);
    expect(router.get('x')).toBeUndefined();
    expect(router.definitionOf('x')).toBeUndefined();
    expect(router.definitionOf('hall')).toBe(thermometer);
  });
});

describe('the bus of one process', () => {
  test('a subscriber that fails is logged and harms nobody; one that left hears nothing', () => {
    const log = new QuietLog();
    const bus = new MemoryBus(log);
    const texts: string[] = [];
    const leave = bus.subscribe('log', ({ text }) => void texts.push(`first ${text}`));
    bus.subscribe('log', () => {
      throw new Error('boom');
    });
    bus.subscribe('log', ({ text }) => void texts.push(`third ${text}`));
    const line = { kind: 'log', unit: 'u', level: 'info', text: 'a', at: 0 } as const;
    bus.publish(line);
    leave();
    leave();
    bus.publish({ ...line, text: 'b' });
    expect(texts).toEqual(['first a', 'third a', 'third b']);
    expect(log.lines).toMatchObject([
      { level: 'error', fields: { error: 'boom' } },
      { level: 'error', fields: { error: 'boom' } },
    ]);
  });
});
