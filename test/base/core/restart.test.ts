import { beforeEach, describe, expect, test } from 'vitest';
import type { CommandRequest } from '../../../base/core/command-request.js';
import type { Delivery, DeliveryResult } from '../../../base/core/delivery.js';
import { CLOCK_PATIENCE_MS, MAX_MAILBOX_OCTETS } from '../../../base/core/mailbox.js';
import type { CoreMessage, Outcome } from '../../../base/core/messages.js';
import { type Outbox, Outboxes } from '../../../base/core/outboxes.js';
import { Router, STILL_AWAY_MS } from '../../../base/core/router.js';
import { SAVE_EVERY_MS } from '../../../base/core/state-saving.js';
import { MemoryBus } from '../../../base/engine/embedded/memory-bus.js';
import lamp from '../../../units/led-lamp.js';
import lampLine from '../../../units/led-lamp-line.js';
import thermometer from '../../../units/thermometer.js';
import { ManualClock } from '../../support/manual-clock.js';
import { MemoryStore } from '../../support/memory-store.js';
import { QuietLog } from '../../support/quiet-log.js';

/** One store, and a router on it at a time: what a base that is killed and started again leaves and finds. */
let clock: ManualClock;
let store: MemoryStore;
let wireStart: number;

interface Run {
  readonly router: Router;
  readonly heard: CoreMessage[];
  readonly delivered: Delivery[];
  answer: (delivery: Delivery) => Promise<DeliveryResult>;
}

beforeEach(() => {
  clock = new ManualClock();
  store = new MemoryStore();
  wireStart = 100;
});

interface StartOptions {
  readonly without?: string;
  readonly maxMailboxOctets?: number;
  /** A receiver gets every presence. */
  readonly isToldDurably?: boolean;
}

const item = { position: 1, id: 'i', key: 'hall', octets: 2, attempts: 0, dueAt: 0 };
const receiver: Outbox = {
  kinds: new Set(['presence']),
  pick: () => ({ queue: 'hook', entry: item, body: '{}' }),
  committed: () => {},
  failed: () => {},
};

/** A base that starts. The one before simply is no more: nothing of it was stopped. */
async function start({ without = '', maxMailboxOctets, isToldDurably }: StartOptions = {}): Promise<Run> {
  const log = new QuietLog();
  const bus = new MemoryBus(log);
  const heard: CoreMessage[] = [];
  for (const kind of ['report', 'command', 'outcome', 'presence'] as const)
    bus.subscribe(kind, (message) => void heard.push(message));
  wireStart += 1_000;
  const octets = (count: number): Uint8Array => new Uint8Array(new Uint32Array(count).fill(wireStart).buffer, 0, count);
  const random = { octets, fraction: () => 0.5 };
  const outboxes = new Outboxes();
  if (isToldDurably) outboxes.add(receiver);
  const router = new Router({ bus, store, outboxes, maxMailboxOctets, clock, random, log });
  const units = [
    { uid: 'lamp', definition: lamp },
    { uid: 'line', definition: lampLine },
    { uid: 'hall', definition: thermometer },
  ].filter(({ uid }) => uid !== without);
  for (const unit of units) router.add(unit);
  const run: Run = { router, heard, delivered: [], answer: () => Promise.resolve({ outcome: 'ok' }) };
  const stored = await store.load();
  await router.restore(stored);
  for (const { uid } of units)
    router.onCommand(uid, (delivery) => {
      run.delivered.push(delivery);
      return run.answer(delivery);
    });
  router.resume(stored);
  await clock.advance(0);
  return run;
}

const never = (): Promise<DeliveryResult> => new Promise(() => {});

/** A unit that was sent it, and whose answer never comes. */
const sent =
  (life: string) =>
  async ({ sending }: Delivery): Promise<DeliveryResult> => {
    await sending(life);
    return never();
  };

function send(run: Run, request: Partial<CommandRequest>): Promise<Outcome> {
  const ended = run.router.command({
    id: 'c1',
    unit: 'lamp',
    command: 'setColor',
    fields: { color: '#ff8800' },
    source: 'test',
    ...request,
  });
  ended.catch(() => {});
  return ended;
}

const outcomes = ({ heard }: Run): string[] =>
  heard.flatMap((message) => (message.kind === 'outcome' ? [`${message.id} ${message.outcome}`] : []));

describe('a base that was killed', () => {
  test('goes on with commands that were never sent, in order, and tells each outcome once', async () => {
    const first = await start();
    first.answer = never;
    for (const id of ['a', 'b', 'c']) void send(first, { id, ttlMs: 60_000 });
    await clock.advance(10_000);
    const second = await start();
    expect(
      second.delivered.map(({ command, fields, isPatient, deadline }) => [command, fields, isPatient, deadline]),
    ).toEqual(['a', 'b', 'c'].map(() => ['setColor', { color: '#ff8800' }, true, 60_000]));
    expect(second.delivered.every(({ sentIn }) => sentIn === undefined)).toBe(true);
    expect(outcomes(second)).toEqual(['a ok', 'b ok', 'c ok']);
    expect(second.router.commandStatus('lamp', 'a')).toMatchObject({ outcome: 'ok', at: clock.now() });
    const third = await start();
    expect([third.delivered, outcomes(third)]).toEqual([[], []]);
  });

  test('gives one that was sent to the same unit with the same id on the wire, and says in which life that was', async () => {
    const first = await start();
    first.answer = sent('3/7');
    void send(first, { ttlMs: 60_000 });
    await clock.advance(1_000);
    const second = await start();
    expect(second.delivered).toMatchObject([{ sentIn: '3/7', wireId: first.delivered[0]!.wireId }]);
    expect(outcomes(second)).toEqual(['c1 ok']);
  });

  test('marks a command with its acceptance where it is sent at once: one wait for the disk', async () => {
    const first = await start();
    first.router.hello({ uid: 'lamp', boot: 3, nonce: 7, version: '1' });
    first.router.presence('lamp', { state: 'online' });
    first.answer = sent('3/7');
    void send(first, { ttlMs: 60_000 });
    await clock.advance(0);
    expect(store.of('command')).toMatchObject([{ command: { sentIn: '3/7' } }]);
    expect(store.of('sent')).toEqual([]);
    expect(first.delivered[0]).not.toHaveProperty('sentIn');
  });

  test('never delivers after the deadline: expired, or unknown where it may have been sent', async () => {
    const first = await start();
    first.answer = sent('3/7');
    for (const id of ['a', 'b']) void send(first, { id, ttlMs: 20_000 });
    await clock.advance(20_000);
    expect(outcomes(first)).toEqual(['b expired']);
    store.committed.length = 0;
    const other = await start();
    expect(other.delivered).toEqual([]);
    expect(outcomes(other)).toEqual(['a unknown']);

    const third = await start();
    third.answer = never;
    for (const id of ['d', 'e']) void send(third, { id, ttlMs: 20_000 });
    await clock.advance(5_000);
    // Nothing runs for a while.
    clock.setNow(clock.now() + 15_000);
    const fourth = await start();
    expect(fourth.delivered).toEqual([]);
    expect(outcomes(fourth)).toEqual(['d expired', 'e expired']);
  });

  test('cannot ask a line unit what it did: unknown, and not written again', async () => {
    const first = await start();
    first.answer = sent('line');
    void send(first, { unit: 'line', command: 'setColor', ttlMs: 60_000 });
    await clock.advance(0);
    const second = await start();
    expect(second.delivered).toEqual([]);
    expect(outcomes(second)).toEqual(['c1 unknown']);
  });

  test('ends the commands of a unit that is no longer configured', async () => {
    const first = await start();
    first.answer = never;
    void send(first, { id: 'a', ttlMs: 60_000 });
    await clock.advance(0);
    const second = await start({ without: 'lamp' });
    expect(second.heard).toMatchObject([
      { kind: 'outcome', id: 'a', outcome: 'refused', reason: 'the unit is no longer configured' },
    ]);
  });

  test('knows the ids of the last ten minutes', async () => {
    const first = await start();
    await send(first, {});
    await clock.advance(599_000);
    const second = await start();
    expect(await send(second, {})).toMatchObject({ outcome: 'duplicate', reason: expect.stringContaining('it is ok') });
    await clock.advance(1_000);
    expect(await send(second, {})).toMatchObject({ outcome: 'ok' });
  });

  test('never uses an id on the wire again', async () => {
    const first = await start();
    await send(first, { id: 'a' });
    const second = await start();
    await send(second, { id: 'b' });
    expect(second.delivered[0]!.wireId).toBe(first.delivered[0]!.wireId + 1);
  });
});

describe('a base that is stopped', () => {
  test('keeps what has a time to live, ends the rest, and the answer that still comes counts', async () => {
    const first = await start();
    let end!: (result: DeliveryResult) => void;
    first.answer = () =>
      new Promise((resolve) => {
        end = resolve;
      });
    const under = send(first, { id: 'under way', ttlMs: 60_000 });
    const kept = send(first, { id: 'kept', ttlMs: 60_000 });
    const ended = send(first, { id: 'ended' });
    await clock.advance(0);
    first.router.stop();
    await expect(kept).rejects.toMatchObject({ code: 'stopped' });
    expect(await ended).toMatchObject({ outcome: 'unreachable', reason: 'the base is stopping' });
    end({ outcome: 'ok' });
    expect(await under).toMatchObject({ outcome: 'ok' });
    await first.router.settled();
    const second = await start();
    expect(outcomes(second)).toEqual(['kept ok']);
  });

  test('keeps one under way that was cut short, and ends one without a time to live', async () => {
    const first = await start();
    const ends: ((result: DeliveryResult) => void)[] = [];
    first.answer = () => new Promise((resolve) => ends.push(resolve));
    const patient = send(first, { unit: 'lamp', ttlMs: 60_000 });
    const impatient = send(first, { unit: 'line' });
    await clock.advance(0);
    first.router.stop();
    for (const end of ends) end({ outcome: 'unreachable', reason: 'the base is stopping' });
    await expect(patient).rejects.toMatchObject({ code: 'stopped' });
    expect(await impatient).toMatchObject({ outcome: 'unreachable' });
    expect(await send(first, { id: 'late' })).toMatchObject({ outcome: 'unreachable' });
  });

  test('between the mark that it is sent and the sending: what has a time to live goes on as never sent', async () => {
    const first = await start();
    const ends: ((result: DeliveryResult) => void)[] = [];
    first.answer = async ({ sending }) => {
      await sending('3/7');
      return new Promise((resolve) => ends.push(resolve));
    };
    const patient = [send(first, { ttlMs: 60_000 }), send(first, { id: 'c2', unit: 'line', ttlMs: 60_000 })];
    await clock.advance(0);
    first.router.stop();
    ends[0]!({ outcome: 'unreachable', reason: 'the base is stopping' });
    ends[1]!({ outcome: 'unknown', reason: 'it was written' });
    for (const kept of patient) await expect(kept).rejects.toMatchObject({ code: 'stopped' });
    await first.router.settled();
    const second = await start();
    expect(second.delivered.map(({ command, sentIn }) => [command, sentIn])).toEqual([['setColor', undefined]]);
    expect(outcomes(second).sort()).toEqual(['c1 ok', 'c2 unknown']);
  });
});

test('so many octets of commands may wait for all units together; one more is refused, until one has ended', async () => {
  expect(MAX_MAILBOX_OCTETS).toBe(64 * 1024 * 1024);
  const probe = await start();
  probe.answer = never;
  void send(probe, { id: 'a', ttlMs: 60_000 });
  await clock.advance(0);
  const octets = JSON.stringify(store.of('command')[0]!.command.command).length;
  store = new MemoryStore();

  const run = await start({ maxMailboxOctets: 2 * octets });
  let end!: (result: DeliveryResult) => void;
  run.answer = () =>
    new Promise((resolve) => {
      end ??= resolve;
    });
  void send(run, { id: 'b', ttlMs: 60_000 });
  void send(run, { id: 'c', ttlMs: 60_000 });
  const refused = { outcome: 'refused', reason: 'too many commands wait for all units together' };
  expect(await send(run, { id: 'd', ttlMs: 60_000 })).toMatchObject(refused);
  await clock.advance(0);
  end({ outcome: 'ok' });
  await clock.advance(0);
  void send(run, { id: 'e', ttlMs: 60_000 });
  await clock.advance(0);
  expect(outcomes(run)).toEqual(['d refused', 'b ok']);
});

describe('the disk', () => {
  test('does not take a command: it is refused, not delivered, and may be sent again', async () => {
    const run = await start();
    store.isFailing = true;
    expect(await send(run, {})).toMatchObject({
      outcome: 'refused',
      reason: 'the base cannot store it: the disk is full; make room on it',
    });
    expect(run.delivered).toEqual([]);
    store.isFailing = false;
    expect(await send(run, {})).toMatchObject({ outcome: 'ok' });
  });

  test('does not take a command that waits behind another: its sender learns it at once', async () => {
    const run = await start();
    run.answer = never;
    void send(run, { id: 'a', ttlMs: 60_000 });
    await clock.advance(0);
    store.isFailing = true;
    expect(await send(run, { id: 'b', ttlMs: 60_000 })).toMatchObject({ outcome: 'refused' });
    store.isFailing = false;
    expect(run.router.commandStatus('lamp', 'b')).toBeUndefined();
    await clock.advance(0);
    expect(outcomes(run)).toEqual(['b refused']);
  });

  test('does not take presence: who listens hears it, and centrals are told the next time', async () => {
    const run = await start({ isToldDurably: true });
    store.isFailing = true;
    run.router.presence('hall', { state: 'online' });
    await clock.advance(0);
    expect(run.heard).toMatchObject([{ unit: 'hall', state: 'online' }]);
    store.isFailing = false;
    run.router.presence('hall', { state: 'online' });
    await clock.advance(0);
    expect(store.of('unit').at(-1)).toMatchObject({ unit: { unit: 'hall', state: { told: { state: 'online' } } } });
  });

  test('does not take an outcome: it is told when it does, and the next command waits', async () => {
    const run = await start();
    run.answer = async () => {
      store.isFailing = true;
      return { outcome: 'ok' };
    };
    const first = send(run, { id: 'a' });
    const second = send(run, { id: 'b' });
    await clock.advance(5_000);
    expect(outcomes(run)).toEqual([]);
    expect(run.delivered).toHaveLength(1);
    store.isFailing = false;
    run.answer = () => Promise.resolve({ outcome: 'ok' });
    await clock.advance(1_000);
    expect([(await first).outcome, (await second).outcome]).toEqual(['ok', 'ok']);
    expect(outcomes(run)).toEqual(['a ok', 'b ok']);
  });
});

describe('a clock that is wrong at the start', () => {
  test('behind: nobody knows yet what is too late; when it is set, what is not goes on and the rest has expired', async () => {
    const first = await start();
    first.answer = never;
    void send(first, { id: 'short', ttlMs: 20_000 });
    void send(first, { id: 'long', ttlMs: 3_600_000 });
    await clock.advance(1_000);
    const right = clock.now();
    store.savedAt = right;
    clock.setNow(5_000);
    const second = await start();
    await clock.advance(10_000);
    expect([second.delivered, outcomes(second)]).toEqual([[], []]);
    clock.setNow(right + 60_000);
    await clock.advance(2_000);
    expect(outcomes(second)).toEqual(['short expired', 'long ok']);
    expect(second.delivered).toHaveLength(1);
  });

  test('the command that goes on then has no longer than it really has', async () => {
    const first = await start();
    first.answer = never;
    void send(first, { ttlMs: 3_600_000 });
    await clock.advance(1_000);
    const right = clock.now();
    store.savedAt = right;
    clock.setNow(5_000);
    const second = await start();
    await clock.advance(1_000);
    // Fifty minutes were lost; nine minutes and some are left.
    clock.setNow(right + 3_000_000);
    await clock.advance(1_000);
    expect(second.delivered[0]!.deadline - clock.monotonic()).toBeLessThanOrEqual(600_000);
  });

  test('and the base is stopped before it is set: it ends at once, and keeps the command', async () => {
    const first = await start();
    first.answer = never;
    void send(first, { id: 'kept', ttlMs: 3_600_000 });
    await clock.advance(1_000);
    store.savedAt = clock.now();
    clock.setNow(5_000);
    const second = await start();
    second.router.stop();
    await second.router.settled();
    expect(outcomes(second)).toEqual([]);
    clock.setNow(Date.UTC(2026, 0, 1, 0, 1));
    const third = await start();
    expect(outcomes(third)).toEqual(['kept ok']);
  });

  test('and never set: after ten minutes it has expired, since nobody can say that it is not too late', async () => {
    const first = await start();
    first.answer = never;
    void send(first, { ttlMs: 7_200_000 });
    await clock.advance(1_000);
    store.savedAt = clock.now();
    clock.setNow(clock.now() - 7_200_000);
    const second = await start();
    await clock.advance(CLOCK_PATIENCE_MS - 2_000);
    expect(outcomes(second)).toEqual([]);
    await clock.advance(4_000);
    expect(outcomes(second)).toEqual(['c1 expired']);
  });
});

describe('what is known of units', () => {
  const report = (run: Run, sequence: number, temperature: number) =>
    run.router.report({
      uid: 'hall',
      report: 'reading',
      fields: { temperature, humidity: 40 },
      measuredAt: clock.now(),
      identity: { boot: 3, sequence },
    });

  test('last values, numbering, version, drift: also what came after the states were saved', async () => {
    const first = await start();
    first.router.hello({ uid: 'hall', boot: 3, nonce: 7, version: '1.2.3' });
    first.router.presence('hall', { state: 'online', drift: ['reading.x differs'] });
    await report(first, 1, 20);
    await clock.advance(SAVE_EVERY_MS);
    const seenAt = clock.now();
    await report(first, 2, 21);
    const second = await start();
    expect(second.router.get('hall')).toMatchObject({
      state: 'offline',
      reason: 'not reached yet',
      version: '1.2.3',
      drift: ['reading.x differs'],
      lastSeenAt: seenAt,
      last: { reading: { id: 'hall/3/2', fields: { temperature: 21, humidity: 40 } } },
    });
    expect(second.router.hello({ uid: 'hall', boot: 3, nonce: 7, version: '1.2.3' })).toMatchObject({
      acknowledged: 2,
    });
    expect(await report(second, 2, 21)).toBe('duplicate');
    await report(second, 5, 22);
    expect(second.heard.at(-1)).toMatchObject({ id: 'hall/3/5', missing: 2 });
    expect(second.router.hello({ uid: 'hall', boot: 3, nonce: 8, version: '1' })).toEqual({
      kind: 'next-boot',
      boot: 4,
    });
  });

  test('a unit that does not number its reports gets another boot number in each run, whatever the clock says', async () => {
    const own = (run: Run) => run.router.report({ uid: 'line', report: 'x', fields: {}, measuredAt: 0 });
    const ids: string[] = [];
    for (const now of [5_000, 5_000, 2_000, Date.UTC(2026, 0, 1)]) {
      clock.setNow(now);
      const run = await start();
      await own(run);
      await own(run);
      ids.push(...run.heard.flatMap((message) => (message.kind === 'report' ? [message.id] : [])));
    }
    expect(ids).toEqual([
      'line/5/1',
      'line/5/2',
      'line/6/1',
      'line/6/2',
      'line/7/1',
      'line/7/2',
      'line/1767225600/1',
      'line/1767225600/2',
    ]);
  });

  test('presence is told again only where it is another than centrals were told', async () => {
    const first = await start({ isToldDurably: true });
    first.router.presence('hall', { state: 'online' });
    first.router.presence('lamp', { state: 'idle' });
    first.router.presence('line', { state: 'online' });
    await clock.advance(0);
    const second = await start();
    second.router.presence('hall', { state: 'online' });
    second.router.presence('lamp', { state: 'offline', reason: 'connect refused' });
    await clock.advance(0);
    expect(second.router.get('hall')?.state).toBe('online');
    expect(second.heard).toMatchObject([
      { kind: 'presence', unit: 'lamp', state: 'offline', reason: 'connect refused' },
    ]);
    // Nothing is heard of the third.
    await clock.advance(STILL_AWAY_MS);
    expect(second.heard.slice(1)).toMatchObject([
      { kind: 'presence', unit: 'line', state: 'offline', reason: 'not reached yet' },
    ]);
  });

  test('presence that no receiver gets is told without the disk, and saved with the state of its unit', async () => {
    const first = await start();
    store.gate = new Promise(() => {});
    first.router.presence('hall', { state: 'online' });
    expect(first.heard).toMatchObject([{ kind: 'presence', unit: 'hall', state: 'online' }]);
    store.gate = undefined;
    await clock.advance(SAVE_EVERY_MS);
    const second = await start();
    second.router.presence('hall', { state: 'online' });
    await clock.advance(0);
    expect(second.heard).toEqual([]);
  });

  test('presence that came just before a crash is told twice where no receiver gets it, never not at all', async () => {
    const first = await start();
    first.router.presence('hall', { state: 'online' });
    await clock.advance(SAVE_EVERY_MS);
    first.router.presence('hall', { state: 'offline', reason: 'gone' });
    const second = await start();
    await clock.advance(STILL_AWAY_MS);
    expect(second.heard).toMatchObject([{ kind: 'presence', unit: 'hall', state: 'offline' }]);
  });

  test('forgotten, nothing of it is known, and its numbering goes on', async () => {
    const run = await start();
    run.router.hello({ uid: 'hall', boot: 3, nonce: 7, version: '1.2.3' });
    await report(run, 1, 20);
    await run.router.forget('hall');
    expect(run.router.get('hall')).toMatchObject({ last: {} });
    expect(run.router.get('hall')).not.toHaveProperty('version');
    expect(await report(run, 1, 20)).toBe('duplicate');
    expect(await report(run, 2, 20)).toBe('stored');
  });
});
