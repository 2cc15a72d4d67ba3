import { describe, expect, test } from 'vitest';
import { AbsentUnits, MAX_ABSENT } from '../../../base/core/absent-units.js';
import type { CommandRequest } from '../../../base/core/command-request.js';
import { answered, type Delivery } from '../../../base/core/delivery.js';
import { MAX_PAYLOAD_DEPTH } from '../../../base/core/opaque-payload.js';
import { NOT_LISTED, STILL_AWAY_MS } from '../../../base/core/router.js';
import { SAVE_EVERY_MS } from '../../../base/core/state-saving.js';
import { MAX_PAYLOAD_OCTETS } from '../../../protocol/iotsocket/payload.js';
import { ManualClock } from '../../support/manual-clock.js';
import { MemoryStore } from '../../support/memory-store.js';
import { ascii, OpaqueRig, PickyOutbox } from './opaque-rig.js';

const sentAndSilent = async ({ sending }: Delivery): Promise<never> => {
  await sending('session');
  return new Promise(() => {});
};

const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

describe('an object of the access list', () => {
  test('is a unit without a definition, kind and wire', async () => {
    const rig = await OpaqueRig.start(['board']);
    expect(rig.router.list().map(({ unit, dialect }) => [unit, dialect])).toEqual([
      ['hall', 'unit'],
      ['board', 'iotsocket'],
    ]);
    expect(rig.router.get('board')).toEqual({
      unit: 'board',
      dialect: 'iotsocket',
      state: 'offline',
      reason: 'not reached yet',
      drift: [],
      last: {},
      waiting: 0,
      counts: { reports: 0, commands: 0, missing: 0, refused: 0 },
    });
    expect(rig.router.definitionOf('board')).toBeUndefined();
    expect([...rig.router.uids()]).toEqual(['hall', 'board']);
  });

  test('cannot have the UID of a configured unit, nor take it away', async () => {
    const rig = await OpaqueRig.start();
    expect(rig.add('hall')).toBe(false);
    rig.router.remove('hall');
    rig.router.remove('nobody');
    expect(rig.router.get('hall')).toMatchObject({ dialect: 'unit', definition: 'thermometer' });
    expect(rig.heard).toEqual([]);
  });

  test('comes and goes while the base runs; added twice it stays as it is', async () => {
    const rig = await OpaqueRig.start();
    expect(rig.add('board')).toBe(true);
    rig.router.presence('board', { state: 'online' });
    expect(rig.add('board')).toBe(true);
    expect(rig.router.get('board')?.state).toBe('online');
    rig.router.remove('board');
    expect(rig.router.get('board')).toBeUndefined();
    expect(await rig.command({})).toMatchObject({ outcome: 'refused', reason: 'no unit "board" is configured here' });
    expect(rig.of('presence')).toEqual([
      { kind: 'presence', unit: 'board', state: 'online', drift: [], at: rig.clock.now() },
      { kind: 'presence', unit: 'board', state: 'offline', reason: NOT_LISTED, drift: [], at: rig.clock.now() },
    ]);
  });

  test('that was never there is taken away without a word', async () => {
    const rig = await OpaqueRig.start(['board']);
    rig.router.remove('board');
    expect(rig.heard).toEqual([]);
  });
});

describe('what is known of an object', () => {
  test('comes back with it, after a removal and after a restart, also when it is added late', async () => {
    const first = await OpaqueRig.start(['board']);
    await first.tell('board', '21.5');
    const at = first.clock.now();
    first.router.presence('board', { state: 'online' });
    first.router.remove('board', 'gone');
    first.add('board');
    const last = { telemetry: { id: expect.stringMatching(/^board\//), fields: { value: 21.5 }, measuredAt: at } };
    expect(first.router.get('board')).toMatchObject({ last, lastSeenAt: at, state: 'offline' });
    await first.clock.advance(SAVE_EVERY_MS);

    const second = await OpaqueRig.start([], first);
    second.add('board');
    expect(second.router.get('board')).toMatchObject({ last, lastSeenAt: at });
    second.router.remove('board');
    await second.clock.advance(SAVE_EVERY_MS);
    const third = await OpaqueRig.start(['board'], second);
    expect(third.router.get('board')).toMatchObject({ last });
  });

  test('is saved though it was taken away before that was due', async () => {
    const first = await OpaqueRig.start(['board']);
    await first.tell('board', '1', { history: false });
    first.router.remove('board');
    await first.clock.advance(SAVE_EVERY_MS);
    const saved = first.store.of('unit').length;
    await first.clock.advance(SAVE_EVERY_MS);
    expect(first.store.of('unit')).toHaveLength(saved);
    const second = await OpaqueRig.start(['board'], first);
    expect(second.router.get('board')?.last).toMatchObject({ telemetry: { fields: { value: 1 } } });
  });

  test('has what was reported after its state was saved, whether it is there at the start or comes later', async () => {
    const first = await OpaqueRig.start(['board', 'late', 'new']);
    for (const uid of ['board', 'late']) await first.tell(uid, '1');
    await first.clock.advance(SAVE_EVERY_MS);
    for (const uid of ['board', 'late', 'new']) await first.tell(uid, '2');
    await first.clock.advance(0);
    const second = await OpaqueRig.start(['board'], first);
    second.add('late');
    second.add('new');
    for (const uid of ['board', 'late', 'new'])
      expect(second.router.get(uid)?.last).toMatchObject({ telemetry: { fields: { value: 2 } } });
    // And keeps it, though nothing comes for it any more.
    await second.clock.advance(SAVE_EVERY_MS);
    const third = await OpaqueRig.start(['late'], second);
    expect(third.router.get('late')?.last).toMatchObject({ telemetry: { fields: { value: 2 } } });
  });

  test('is the newest that it said, though what it said before was stored later', async () => {
    const first = await OpaqueRig.start(['board', 'late']);
    let open!: () => void;
    first.store.gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    for (const uid of ['board', 'late']) await first.tell(uid, '1');
    await first.clock.advance(10);
    for (const uid of ['board', 'late']) await first.tell(uid, '2', { history: false });
    await first.clock.advance(SAVE_EVERY_MS);
    open();
    await first.clock.advance(0);
    expect((await first.store.load()).reports).toHaveLength(2);
    const second = await OpaqueRig.start(['board'], first);
    second.add('late');
    for (const uid of ['board', 'late'])
      expect(second.router.get(uid)?.last).toMatchObject({ telemetry: { fields: { value: 2 } } });
  });

  test('is forgotten with it, for good', async () => {
    const rig = await OpaqueRig.start(['board', 'gone']);
    for (const uid of ['board', 'gone']) await rig.tell(uid, '1');
    rig.router.remove('gone');
    for (const uid of ['board', 'gone']) await rig.router.forget(uid);
    await rig.clock.advance(SAVE_EVERY_MS);
    rig.add('gone');
    for (const uid of ['board', 'gone']) expect(rig.router.get(uid)?.last).toEqual({});
    const stored = await rig.store.load();
    expect(stored.units.map(({ unit }) => unit)).not.toEqual(expect.arrayContaining(['board', 'gone']));
  });

  test('is not saved again when it is forgotten while others are saved', async () => {
    const uids = Array.from({ length: 300 }, (_, index) => `object-${index}`);
    const rig = await OpaqueRig.start([...uids, 'there', 'gone']);
    for (const uid of [...uids, 'there', 'gone']) rig.router.presence(uid, { state: 'online' });
    rig.router.remove('gone');
    let open!: () => void;
    rig.store.gate = new Promise<void>((resolve) => (open = resolve));
    await rig.clock.advance(SAVE_EVERY_MS);
    for (const uid of ['there', 'gone']) await rig.router.forget(uid);
    rig.store.gate = undefined;
    open();
    await rig.clock.advance(0);
    const units = (await rig.store.load()).units.map(({ unit }) => unit);
    expect(units).toEqual(uids);
  });

  test('centrals that believe it there are told when it does not come back, however late it is added', async () => {
    const first = await OpaqueRig.start(['early', 'late', 'back']);
    for (const uid of ['early', 'late', 'back']) first.router.presence(uid, { state: 'online' });
    await first.clock.advance(SAVE_EVERY_MS);
    const second = await OpaqueRig.start(['early', 'back'], first);
    second.router.presence('back', { state: 'online' });
    await second.clock.advance(STILL_AWAY_MS);
    second.add('late');
    expect(second.of('presence').map(({ unit, state }) => [unit, state])).toEqual([
      ['early', 'offline'],
      ['late', 'offline'],
    ]);
  });

  test(`of ${MAX_ABSENT} that are not there is kept; of the next, the first is not`, () => {
    const absent = new AbsentUnits();
    const state = { ownBoot: 1, wireId: 1, drift: [], told: { state: 'offline' as const }, last: {} };
    absent.bound();
    for (let index = 0; index < MAX_ABSENT; index += 1) absent.keep(`u${index}`, { state, isSaved: true });
    expect(absent.size).toBe(MAX_ABSENT);
    absent.keep('one more', { state, isSaved: true });
    expect([absent.size, absent.take('u0'), absent.take('u1')]).toEqual([
      MAX_ABSENT,
      undefined,
      { state, isSaved: true },
    ]);
  });

  test('of all that the store has is there until the access list is', () => {
    const absent = new AbsentUnits();
    const state = { ownBoot: 1, wireId: 1, drift: [], told: { state: 'online' as const }, last: {} };
    for (let index = 0; index < MAX_ABSENT + 3; index += 1) absent.keep(`u${index}`, { state, isSaved: true });
    expect(absent.take('u0')).toEqual({ state, isSaved: true });
    absent.bound();
    expect([absent.size, absent.take('u1'), absent.take('u2'), absent.take('u3')?.state]).toEqual([
      MAX_ABSENT,
      undefined,
      undefined,
      state,
    ]);
  });
});

describe('a command to an object', () => {
  test('is its payload, checked; its outcome has the code and what the object answered', async () => {
    const rig = await OpaqueRig.start(['board', 'other']);
    rig.answer = async () => answered(0, ascii('done'));
    const outcome = await rig.command({ payload: { led: [1, 2] } });
    expect(rig.delivered).toMatchObject([
      [
        'board',
        { command: 'request', fields: {}, payload: { format: 'json', value: { led: [1, 2] } }, timeoutMs: 10_000 },
      ],
    ]);
    expect(outcome).toEqual({
      kind: 'outcome',
      id: 'c1',
      unit: 'board',
      command: 'request',
      outcome: 'ok',
      code: 0,
      payload: { format: 'ascii', value: 'done' },
      source: 'test',
      at: rig.clock.now(),
    });
    expect(rig.of('command')).toMatchObject([{ unit: 'board', payload: { format: 'json', value: { led: [1, 2] } } }]);
    await rig.command({ unit: 'other', payload: [1, 255], format: 'binary' });
    expect(rig.delivered[1]).toMatchObject(['other', { payload: { format: 'binary', value: [1, 255] } }]);
  });

  test('is refused with code and payload when the object answers so', async () => {
    const rig = await OpaqueRig.start(['board']);
    rig.answer = async () => answered(0xa2, { format: 'json', value: null });
    expect(await rig.command({})).toMatchObject({
      outcome: 'refused',
      reason: 'the unit answered with return code A2',
      code: 0xa2,
      payload: { format: 'json', value: null },
    });
  });

  test.each<[string, Partial<CommandRequest>, RegExp]>([
    [
      'another name',
      { command: 'setColor' },
      /has no definition: send "request" or "query" with a payload, not "setColor"/,
    ],
    ['fields', { fields: { a: 1 } }, /with a payload instead of fields/],
    ['a line', { line: 'red' }, /with a payload instead of a line/],
    ['no payload', { payload: undefined }, /^the payload is missing/],
    ['a string that is no array', { payload: 'x', format: 'binary' }, /^the payload must be an array/],
    ['an octet of 256', { payload: [256], format: 'binary' }, /^the payload must be an array of whole numbers/],
    ['ASCII that is none', { payload: 'ä', format: 'ascii' }, /^the payload must be ASCII/],
    ['too much', { payload: 'x'.repeat(MAX_PAYLOAD_OCTETS + 1), format: 'ascii' }, /at most 65535 can be sent/],
    [
      'nesting of 65 levels',
      { payload: nested(MAX_PAYLOAD_DEPTH + 1) },
      /^the payload is nested deeper than 64 levels$/,
    ],
    ['no end of nesting', { payload: nested(50_000) }, /nested deeper/],
  ])('with %s is refused, and the object is not asked', async (_, request, reason) => {
    const rig = await OpaqueRig.start(['board']);
    expect(await rig.command(request)).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(reason) });
    expect(rig.delivered).toEqual([]);
  });

  test(`may be nested ${MAX_PAYLOAD_DEPTH} levels deep`, async () => {
    const rig = await OpaqueRig.start(['board']);
    expect(await rig.command({ payload: nested(MAX_PAYLOAD_DEPTH) })).toMatchObject({ outcome: 'ok' });
  });

  test('may have the longest payload', async () => {
    const rig = await OpaqueRig.start(['board']);
    expect(await rig.command({ payload: 'x'.repeat(MAX_PAYLOAD_OCTETS), format: 'ascii' })).toMatchObject({
      outcome: 'ok',
    });
  });

  test('with a payload is no command of a typed unit', async () => {
    const rig = await OpaqueRig.start();
    rig.router.onCommand('hall', async () => ({ outcome: 'ok' }));
    for (const more of [{ payload: 1 }, { payload: undefined, format: 'json' as const }])
      expect(await rig.command({ unit: 'hall', ...more })).toMatchObject({
        outcome: 'refused',
        reason: 'thermometer has a definition: send the fields of a command of it instead of a payload',
      });
  });

  test('that waits ends when the object is taken away; the one under way is the dialect’s to end', async () => {
    const rig = await OpaqueRig.start(['board']);
    let end!: () => void;
    rig.answer = () => new Promise((resolve) => (end = () => resolve(answered(0, undefined))));
    const [first, second, patient] = [rig.command({}), rig.command({}), rig.command({ ttlMs: 60_000 })];
    await rig.clock.advance(0);
    rig.router.remove('board');
    const expected = { outcome: 'unreachable', reason: NOT_LISTED };
    expect(await Promise.all([second, patient])).toMatchObject([expected, expected]);
    end();
    expect(await first).toMatchObject({ outcome: 'ok' });
    expect(rig.of('outcome')).toHaveLength(3);
    // Added again, it takes commands.
    rig.add('board');
    const next = rig.command({});
    await rig.clock.advance(0);
    end();
    expect(await next).toMatchObject({ outcome: 'ok' });
  });

  test('that is sent again is a duplicate, though the object was taken away and is back', async () => {
    const rig = await OpaqueRig.start(['board']);
    let end!: () => void;
    rig.answer = () => new Promise((resolve) => (end = () => resolve(answered(0, undefined))));
    const back = (): void => {
      rig.router.remove('board');
      rig.add('board');
    };
    const first = rig.command({ id: 'once' });
    await rig.clock.advance(0);
    back();
    expect(await rig.command({ id: 'once' })).toMatchObject({ outcome: 'duplicate' });
    expect(rig.router.commandStatus('board', 'once')).toBe('waiting');
    end();
    await first;
    back();
    expect(await rig.command({ id: 'once' })).toMatchObject({ outcome: 'duplicate' });
    expect(rig.router.commandStatus('board', 'once')).toMatchObject({ outcome: 'ok' });
    expect(rig.delivered).toHaveLength(1);
  });

  test('that is being stored when the object is taken away is not delivered', async () => {
    const rig = await OpaqueRig.start(['board']);
    let open!: () => void;
    rig.store.gate = new Promise<void>((resolve) => (open = resolve));
    const outcome = rig.command({});
    rig.router.remove('board');
    open();
    expect(await outcome).toMatchObject({ outcome: 'unreachable' });
    expect(rig.delivered).toEqual([]);
  });

  test('that may have been sent before a restart is unknown; one that was not goes on', async () => {
    const first = await OpaqueRig.start(['board']);
    first.answer = sentAndSilent;
    void first.command({ id: 'sent', ttlMs: 60_000 });
    void first.command({ id: 'waits', ttlMs: 60_000 });
    await first.clock.advance(0);
    const second = await OpaqueRig.start(['board'], first);
    expect(second.of('outcome').map(({ id, outcome }) => [id, outcome])).toEqual([
      ['sent', 'unknown'],
      ['waits', 'ok'],
    ]);
    expect(second.delivered).toMatchObject([['board', { payload: { format: 'json', value: { on: true } } }]]);
  });

  test('has an outcome that is told whole, and remembered without a payload that is too long', async () => {
    const hook = new PickyOutbox('outcome');
    const rig = await OpaqueRig.start(['board'], { receivers: [hook] });
    const long = 'x'.repeat(5_000);
    rig.answer = async () => answered(0, ascii(long));
    const outcome = await rig.command({ id: 'long' });
    expect(outcome.payload).toEqual({ format: 'ascii', value: long });
    expect(hook.picked).toEqual([outcome]);
    const status = rig.router.commandStatus('board', 'long');
    expect(status).toMatchObject({
      outcome: 'ok',
      code: 0,
      reason: expect.stringMatching(/too long to be remembered/),
    });
    expect(status).not.toHaveProperty('payload');
    expect(rig.store.of('outcome')[0]!.outcome).toEqual(status);
    rig.answer = async () => answered(0, ascii('short'));
    await rig.command({ id: 'short' });
    expect(rig.router.commandStatus('board', 'short')).toMatchObject({ payload: { value: 'short' } });
  });
});

describe('ten thousand objects that come at once', () => {
  const uids = Array.from({ length: 10_000 }, (_, index) => `object-${index}`);

  test('cost no commit where no receiver gets it, are heard at once, and are saved with the next saving', async () => {
    const rig = await OpaqueRig.start(uids);
    const before = rig.store.committed.length;
    for (const uid of uids) rig.router.presence(uid, { state: 'online' });
    expect(rig.of('presence')).toHaveLength(uids.length);
    await rig.clock.advance(0);
    expect(rig.store.committed).toHaveLength(before);
    await rig.clock.advance(SAVE_EVERY_MS);
    expect(rig.store.committed).toHaveLength(before + uids.length);
  });

  test('are each on disk before they are told where a receiver gets it', async () => {
    const hook = new PickyOutbox('presence');
    const rig = await OpaqueRig.start(uids.slice(0, 100), { receivers: [hook] });
    let open!: () => void;
    rig.store.gate = new Promise<void>((resolve) => (open = resolve));
    for (const uid of uids.slice(0, 100)) rig.router.presence(uid, { state: 'online' });
    await rig.clock.advance(0);
    expect([rig.of('presence'), hook.picked.length]).toEqual([[], 100]);
    open();
    await rig.clock.advance(0);
    expect([rig.of('presence').length, hook.committed_.length]).toEqual([100, 100]);
  });
});

test('presence of one object does not wait for what another is told durably', async () => {
  const rig = await OpaqueRig.start(['board', 'other'], { receivers: [new PickyOutbox('request')] });
  rig.store.gate = new Promise(() => {});
  rig.router.request('other', ascii('?'));
  rig.router.presence('board', { state: 'online' });
  expect(rig.of('presence')).toMatchObject([{ unit: 'board', state: 'online' }]);
});

test('presence keeps its order when the receiver that got it is there no more', async () => {
  const hook = new PickyOutbox('presence');
  const rig = await OpaqueRig.start(['board']);
  const leave = rig.outboxes.add(hook);
  let open!: () => void;
  rig.store.gate = new Promise<void>((resolve) => (open = resolve));
  rig.router.presence('board', { state: 'online' });
  leave();
  rig.router.presence('board', { state: 'offline', reason: 'gone' });
  await rig.clock.advance(0);
  expect(rig.of('presence')).toEqual([]);
  open();
  await rig.clock.advance(0);
  expect(rig.of('presence').map(({ state }) => state)).toEqual(['online', 'offline']);
});

test('what is kept for peers that are away comes back with the store', async () => {
  const store = new MemoryStore();
  const first = await OpaqueRig.start([], { store });
  await first.router.kept.keep([{ unit: 'board', octets: Uint8Array.of(1) }]).stored;
  const second = await OpaqueRig.start([], { store, clock: new ManualClock() });
  expect(second.router.kept.take()).toMatchObject([{ position: 1, unit: 'board' }]);
});
