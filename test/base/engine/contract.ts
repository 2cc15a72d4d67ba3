import { beforeEach, describe, expect, test } from 'vitest';
import type { Engine } from '../../../base/core/engine.js';
import type { Outcome } from '../../../base/core/messages.js';
import type { Change, Kept, StoredCommand, StoredRecord, UnitState } from '../../../base/core/store.js';
import { encodeTransmission, noPayload } from '../../../protocol/iotsocket/transmission.js';
import type { ManualClock } from '../../support/manual-clock.js';
import { report } from './support/open-engine.js';

export interface EngineUnderTest {
  readonly clock: ManualClock;
  /** Opens it; again for what an earlier one left. */
  open(): Promise<Engine>;
  /** The process is gone, without a word. */
  crash(engine: Engine): Promise<void>;
}

const state: UnitState = { ownBoot: 1, wireId: 7, drift: [], told: { state: 'offline' }, last: {} };

const command = (ordinal: number, more: Partial<StoredCommand> = {}): StoredCommand => ({
  ordinal,
  command: {
    kind: 'command',
    id: `c${ordinal}`,
    unit: 'lamp',
    command: 'setColor',
    fields: { color: '#ff8800' },
    source: 'test',
    acceptedAt: 1,
    expiresAt: 60_001,
  },
  wireId: 100 + ordinal,
  timeoutMs: 5_000,
  isPatient: true,
  ...more,
});

const outcome: Outcome = {
  kind: 'outcome',
  id: 'c1',
  unit: 'lamp',
  command: 'setColor',
  outcome: 'ok',
  source: 'test',
  at: 5_000,
};

const kept = (position: number, unit: string, ...octets: number[]): Kept => ({
  position,
  unit,
  octets: Uint8Array.from(octets),
  at: 1_000 + position,
});

const put = (handler: string, key: string, value: unknown, unit?: string): Change => ({
  kind: 'record',
  record: { handler, key, unit, value },
});

const item = (id: string, key = 'lamp') => ({ id, key, body: `{"id":"${id}"}` });

/** What every engine must do, whatever it is made of. */
export function engineContract(name: string, make: () => EngineUnderTest): void {
  describe(`an engine: ${name}`, () => {
    let under: EngineUnderTest;
    let engine: Engine;

    beforeEach(async () => {
      under = make();
      engine = await under.open();
    });

    /** What the central is to get of a unit. */
    const ofUnit = (kind: 'request' | 'response', uid: string): Uint8Array =>
      encodeTransmission(
        kind === 'request'
          ? { kind, uid, tracking: 7, payload: noPayload }
          : { kind, uid, tracking: 7, code: 0, payload: noPayload },
      );

    /** What a process finds that starts after this one was killed. */
    const found = async (): Promise<Engine> => {
      await under.crash(engine);
      return under.open();
    };

    test('the bus says whether somebody hears of a kind', () => {
      expect(engine.bus.hasSubscribers('log')).toBe(false);
      const leave = [engine.bus.subscribe('log', () => {}), engine.bus.subscribe('log', () => {})];
      expect([engine.bus.hasSubscribers('log'), engine.bus.hasSubscribers('report')]).toEqual([true, false]);
      leave[0]!();
      expect(engine.bus.hasSubscribers('log')).toBe(true);
      leave[1]!();
      expect(engine.bus.hasSubscribers('log')).toBe(false);
    });

    test('the bus: every subscriber hears in order, a failing one harms nobody', () => {
      const heard: string[] = [];
      const leave = engine.bus.subscribe('log', ({ text }) => heard.push(`a ${text}`));
      engine.bus.subscribe('log', () => {
        throw new Error('boom');
      });
      engine.bus.subscribe('log', ({ text }) => heard.push(`b ${text}`));
      const line = { kind: 'log', unit: 'u', level: 'info', at: 0 } as const;
      engine.bus.publish({ ...line, text: '1' });
      leave();
      engine.bus.publish({ ...line, text: '2' });
      expect(heard).toEqual(['a 1', 'b 1', 'b 2']);
    });

    test('a new store is empty', async () => {
      expect(await engine.store.load()).toEqual({
        units: [],
        reports: [],
        commands: [],
        lastOrdinal: 0,
        savedAt: undefined,
        kept: [],
        records: [],
        lastRun: 0,
      });
      expect(await engine.queue('a').load()).toEqual({ entries: [], state: {}, dead: 0 });
    });

    test('what is committed is there after a crash: units, reports, commands with what became of them', async () => {
      await engine.store.commit([
        { kind: 'unit', unit: { unit: 'lamp', state } },
        { kind: 'report', report: report('hall', 1) },
        { kind: 'command', command: command(1) },
        { kind: 'command', command: command(2, { sentIn: '1/2' }) },
        { kind: 'command', command: command(3) },
        { kind: 'command', command: command(4) },
        { kind: 'command', command: command(5, { sentIn: '1/2' }) },
      ]);
      await engine.store.commit([
        { kind: 'outcome', ordinal: 1, outcome },
        { kind: 'sent', ordinal: 3, life: '3/7' },
        { kind: 'sent', ordinal: 5, life: undefined },
        { kind: 'drop', ordinal: 4 },
      ]);
      const { units, reports, commands, lastOrdinal } = await (await found()).store.load();
      expect(lastOrdinal).toBe(5);
      expect(units).toEqual([{ unit: 'lamp', state }]);
      const { unit, report: name, boot, sequence, measuredAt, receivedAt, fields } = report('hall', 1);
      expect(reports).toEqual([{ unit, report: name, boot, sequence, measuredAt, receivedAt, fields }]);
      expect(commands).toEqual([
        command(1, { outcome }),
        command(2, { sentIn: '1/2' }),
        command(3, { sentIn: '3/7' }),
        command(5),
      ]);
    });

    test('commands and outcomes of units that are not typed are there with their payloads', async () => {
      const payload = { format: 'json', value: { led: [true, null, 'x'] } } as const;
      const asked = command(1);
      const stored = { ...asked, command: { ...asked.command, command: 'request', fields: {}, payload } };
      const answer: Outcome = { ...outcome, code: 0, payload: { format: 'binary', value: [0, 255] } };
      await engine.store.commit([{ kind: 'command', command: stored }]);
      await engine.store.commit([{ kind: 'outcome', ordinal: 1, outcome: answer }]);
      expect((await (await found()).store.load()).commands).toEqual([{ ...stored, outcome: answer }]);
    });

    test('what is kept for peers that are away is there in order, down to the last octet', async () => {
      const every = Array.from({ length: 256 }, (_, octet) => octet);
      await engine.store.commit([
        { kind: 'keep', kept: kept(2, 'lamp', ...every) },
        { kind: 'keep', kept: kept(1, '') },
      ]);
      await engine.store.commit([{ kind: 'keep', kept: kept(7, 'hall', 1) }]);
      const second = await found();
      expect((await second.store.load()).kept).toEqual([kept(1, ''), kept(2, 'lamp', ...every), kept(7, 'hall', 1)]);
      await second.store.commit([{ kind: 'unkeep', positions: [1, 7, 99] }]);
      await second.close();
      expect((await (await under.open()).store.load()).kept.map(({ position }) => position)).toEqual([2]);
    });

    test('more than is read at once is there too', async () => {
      const changes = Array.from({ length: 600 }, (_, index): Change => ({ kind: 'keep', kept: kept(index + 1, 'u') }));
      await engine.store.commit(changes);
      const { kept: all } = await (await found()).store.load();
      expect(all.map(({ position }) => position)).toEqual(changes.map((_, index) => index + 1));
    });

    test('records of handlers are there after a crash, the last of each key, with what they are about', async () => {
      const value = { text: 'ü "\n', list: [1.5, true, null, {}] };
      await engine.store.commit([put('one', 'a', 1), put('one', 'b', 2), put('two', 'a', null)]);
      await engine.store.commit([
        put('one', 'a', value, 'lamp'),
        put('two', 'b', 3, 'lamp'),
        put('two', 'b', 4),
        { kind: 'erase', handler: 'one', key: 'b' },
        { kind: 'erase', handler: 'two', key: 'nothing' },
      ]);
      const second = await found();
      const expected: StoredRecord[] = [
        { handler: 'one', key: 'a', unit: 'lamp', value },
        { handler: 'two', key: 'a', unit: undefined, value: null },
        { handler: 'two', key: 'b', unit: undefined, value: 4 },
      ];
      expect((await second.store.load()).records).toEqual(expected);
      await second.store.commit([{ kind: 'erase', handler: 'two', key: 'a' }]);
      await second.close();
      expect((await (await under.open()).store.load()).records).toEqual([expected[0], expected[2]]);
    });

    test('more records than are read at once are there too, with a handler’s name and key as they are', async () => {
      // Three pages of 10 000; the second begins within a handler, the third with one.
      const counts = [
        ['a', 15_000],
        ['a-b', 5_000],
        ['b', 1],
      ] as const;
      const changes = counts.flatMap(([handler, count]) =>
        Array.from({ length: count }, (_, index) => put(handler, `é${index}`, index)),
      );
      await engine.store.commit(changes);
      const { records } = await (await found()).store.load();
      expect(counts.map(([name]) => records.filter(({ handler }) => handler === name).length)).toEqual(
        counts.map(([, count]) => count),
      );
      expect(new Set(records.map(({ handler, key }) => `${handler} ${key}`)).size).toBe(20_001);
      expect(records.every(({ key, value }) => key === `é${value}`)).toBe(true);
    });

    test('what need not be kept any more takes effect behind the keeping that was asked for before it', async () => {
      const done: Promise<void>[] = [];
      for (let position = 1; position <= 200; position += 1) {
        done.push(engine.store.commit([{ kind: 'keep', kept: kept(position, 'lamp', 1) }]));
        done.push(engine.store.commit([{ kind: 'unkeep', positions: [position] }]));
      }
      await Promise.all(done);
      expect((await (await found()).store.load()).kept).toEqual([]);
    });

    test('the number of the last run is there', async () => {
      await engine.store.commit([{ kind: 'run', run: 7 }]);
      await engine.store.commit([{ kind: 'run', run: 2 ** 41 }]);
      expect((await (await found()).store.load()).lastRun).toBe(2 ** 41);
    });

    test('one commit is whole or not at all, and harms no other', async () => {
      const twice: Change[] = [
        { kind: 'unit', unit: { unit: 'lost', state } },
        { kind: 'command', command: command(1) },
        { kind: 'command', command: command(1) },
      ];
      const all = await Promise.allSettled([
        engine.store.commit([{ kind: 'unit', unit: { unit: 'before', state } }]),
        engine.store.commit(twice),
        engine.store.commit([{ kind: 'unit', unit: { unit: 'behind', state } }]),
      ]);
      expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(all[1]).toMatchObject({ reason: { family: 'store', code: 'store-failed' } });
      const { units, commands } = await (await found()).store.load();
      expect([units.map(({ unit }) => unit), commands]).toEqual([['before', 'behind'], []]);
    });

    test('commits take effect in the order in which they were asked for', async () => {
      const wireIds = Array.from({ length: 300 }, (_, index) => index);
      await Promise.all(
        wireIds.map((wireId) =>
          engine.store.commit([{ kind: 'unit', unit: { unit: 'lamp', state: { ...state, wireId } } }]),
        ),
      );
      const { units } = await (await found()).store.load();
      expect(units).toEqual([{ unit: 'lamp', state: { ...state, wireId: 299 } }]);
    });

    test('reports that a saved state has are not replayed; those that were under way are', async () => {
      await engine.store.commit([{ kind: 'report', report: report('hall', 1) }]);
      const mark = engine.store.mark();
      const underWay = engine.store.commit([{ kind: 'report', report: report('hall', 2) }]);
      const early = engine.store.mark();
      expect(early).toBe(mark);
      await engine.store.save([{ unit: 'hall', state }], early);
      await underWay;
      await engine.store.commit([{ kind: 'report', report: report('hall', 3) }]);
      const second = await found();
      const { reports, units, savedAt } = await second.store.load();
      expect(reports.map(({ sequence }) => sequence)).toEqual([2, 3]);
      expect(units).toHaveLength(1);
      expect(savedAt).toBe(under.clock.now());
      await second.store.commit([{ kind: 'report', report: report('hall', 4) }]);
      await second.store.save([], second.store.mark());
      await second.close();
      expect((await (await under.open()).store.load()).reports).toEqual([]);
    });

    describe('a queue', () => {
      test('has what was committed with the message it is made of, in order, over a crash', async () => {
        const queue = engine.queue('hook');
        const additions = ['a', 'b', 'c'].map((id) => queue.addition(item(id), 1_000));
        expect(additions[1]).toMatchObject({
          queue: 'hook',
          entry: { id: 'b', key: 'lamp', attempts: 0, dueAt: 1_000 },
        });
        await engine.store.commit(additions.slice(0, 2).map((addition): Change => ({ kind: 'item', addition })));
        await engine.store.commit([{ kind: 'item', addition: engine.queue('other').addition(item('x'), 0) }]);
        expect(await queue.body(additions[0]!.entry.position)).toBe('{"id":"a"}');
        const again = (await found()).queue('hook');
        const { entries, dead } = await again.load();
        expect(entries).toEqual(additions.slice(0, 2).map(({ entry }) => entry));
        expect(dead).toBe(0);
        expect(await again.body(entries[1]!.position)).toBe('{"id":"b"}');
        // The third was never committed; its place may be given out again, but never one that is taken.
        expect(again.addition(item('d'), 0).entry.position).toBeGreaterThan(entries[1]!.position);
      });

      test('keeps what became of each: removed, to be tried again, dead', async () => {
        const queue = engine.queue('hook');
        const additions = ['a', 'b', 'c', 'd'].map((id) => queue.addition(item(id), 1_000));
        await engine.store.commit(additions.map((addition): Change => ({ kind: 'item', addition })));
        const [a, b, c] = additions.map(({ entry }) => entry.position);
        queue.retry(a!, 1, 2_000);
        queue.remove(a!);
        queue.retry(b!, 1, 6_000);
        queue.retry(b!, 2, 66_000);
        queue.bury(c!, 11, 'answered 500');
        queue.setState({ failingSince: 5, disabled: { at: 6, reason: 'answered 410' } });
        await queue.settled();
        const again = (await found()).queue('hook');
        const { entries, state: known, dead } = await again.load();
        expect(entries).toMatchObject([
          { id: 'b', attempts: 2, dueAt: 66_000 },
          { id: 'd', attempts: 0 },
        ]);
        expect([known, dead]).toEqual([{ failingSince: 5, disabled: { at: 6, reason: 'answered 410' } }, 1]);
        expect(await again.body(a!)).toBeUndefined();
      });

      test('lists dead letters a page at a time, and lets them wait again', async () => {
        const queue = engine.queue('hook');
        const additions = ['a', 'b', 'c'].map((id) => queue.addition(item(id), 1_000));
        await engine.store.commit(additions.map((addition): Change => ({ kind: 'item', addition })));
        await engine.store.commit([
          { kind: 'item', addition: queue.addition(item('full'), 7_000, 'the outbox is full') },
        ]);
        for (const { entry } of additions) queue.bury(entry.position, 3, 'answered 500');
        const first = await queue.deadLetters(0, 2);
        expect(first).toMatchObject([
          { id: 'a', key: 'lamp', attempts: 3, diedAt: under.clock.now(), reason: 'answered 500' },
          { id: 'b' },
        ]);
        const rest = await queue.deadLetters(first[1]!.position, 10);
        expect(rest).toMatchObject([
          { id: 'c' },
          { id: 'full', attempts: 0, diedAt: 7_000, reason: 'the outbox is full' },
        ]);
        const back = await queue.replay([rest[1]!.position, first[0]!.position, 999_999], 9_000);
        expect(back).toMatchObject([
          { id: 'a', attempts: 0, dueAt: 9_000 },
          { id: 'full', attempts: 0 },
        ]);
        const { entries, dead } = await (await found()).queue('hook').load();
        expect([entries.map(({ id, dueAt }) => [id, dueAt]), dead]).toEqual([
          [
            ['a', 9_000],
            ['full', 9_000],
          ],
          2,
        ]);
      });
    });

    describe('history', () => {
      const MINUTE = 60_000;
      const start = Date.UTC(2026, 0, 1);

      test('raw: what was reported between two moments, in order of measuring, as columns', async () => {
        for (const [sequence, at] of [
          [1, start + 1_000],
          [2, start + 3_000],
          [3, start + 2_000],
          [4, start + 4_000],
        ] as const) {
          const fields = sequence === 4 ? { temperature: 4 } : { temperature: sequence, mode: 'auto' };
          await engine.store.commit([{ kind: 'report', report: report('hall', sequence, { measuredAt: at, fields }) }]);
        }
        await engine.store.commit([{ kind: 'report', report: report('other', 1, { measuredAt: start + 1_000 }) }]);
        const query = { unit: 'hall', report: 'reading', from: start, to: start + 5_000, resolution: 'raw' } as const;
        expect(await engine.store.history({ ...query, limit: 10 })).toEqual({
          at: [1, 2, 3, 4].map((second) => start + second * 1_000),
          fields: { temperature: { values: [1, 3, 2, 4] }, mode: { values: ['auto', 'auto', 'auto', null] } },
          isCut: false,
        });
        expect(await engine.store.history({ ...query, limit: 4 })).toMatchObject({ isCut: false });
        expect(await engine.store.history({ ...query, limit: 3 })).toMatchObject({ isCut: true, at: { length: 3 } });
        expect(
          await engine.store.history({ ...query, from: start + 1_000, to: start + 2_000, limit: 9 }),
        ).toMatchObject({
          at: [start + 1_000],
        });
        expect(await engine.store.history({ ...query, report: 'none', limit: 9 })).toEqual({
          at: [],
          fields: {},
          isCut: false,
        });
      });

      test('by minute and hour: count, least, mean, greatest of numbers and truth values, late ones too', async () => {
        const values: readonly (readonly [number, number, boolean])[] = [
          [0, 10, true],
          [30_000, 20, false],
          [MINUTE, 5, true],
          [61 * MINUTE, 7, false],
        ];
        for (const [index, [at, temperature, isOn]] of values.entries())
          await engine.store.commit([
            {
              kind: 'report',
              report: report('hall', index + 1, { measuredAt: start + at, fields: { temperature, isOn, name: 'x' } }),
            },
          ]);
        const query = { unit: 'hall', report: 'reading', from: start, to: start + 120 * MINUTE, limit: 100 } as const;
        const minutes = await engine.store.history({ ...query, resolution: 'minute' });
        expect(minutes).toEqual({
          at: [start, start + MINUTE, start + 61 * MINUTE],
          fields: {
            temperature: { count: [2, 1, 1], min: [10, 5, 7], mean: [15, 5, 7], max: [20, 5, 7] },
            isOn: { count: [2, 1, 1], min: [0, 1, 0], mean: [0.5, 1, 0], max: [1, 1, 0] },
          },
          isCut: false,
        });
        // One that the unit kept while its link was down.
        await engine.store.commit([
          { kind: 'report', report: report('hall', 9, { measuredAt: start + 40_000, fields: { temperature: 60 } }) },
        ]);
        const second = await found();
        const hours = await second.store.history({ ...query, resolution: 'hour' });
        expect(hours).toMatchObject({
          at: [start, start + 60 * MINUTE],
          fields: { temperature: { count: [4, 1], min: [5, 7], mean: [23.75, 7], max: [60, 7] } },
        });
        expect(await second.store.history({ ...query, resolution: 'minute', limit: 2 })).toMatchObject({
          at: [start, start + MINUTE],
          fields: { temperature: { count: [3, 1] }, isOn: { count: [2, 1] } },
          isCut: true,
        });
      });
    });

    test('forget erases a unit from everything, and leaves the others', async () => {
      const queue = engine.queue('hook');
      const waiting = queue.addition(item('kept', 'hall'), 0);
      await engine.store.commit([
        { kind: 'unit', unit: { unit: 'lamp', state } },
        { kind: 'unit', unit: { unit: 'hall', state } },
        { kind: 'report', report: report('lamp', 1) },
        { kind: 'report', report: report('hall', 1) },
        { kind: 'command', command: command(1) },
        { kind: 'item', addition: queue.addition(item('gone'), 0) },
        { kind: 'item', addition: waiting },
        { kind: 'keep', kept: kept(1, 'lamp', 1) },
        { kind: 'keep', kept: kept(2, 'hall', 2) },
        // For the central: what those two asked it, and an answer of the first.
        { kind: 'keep', kept: { ...kept(3, '', 0), octets: ofUnit('request', 'lamp') } },
        { kind: 'keep', kept: { ...kept(4, '', 0), octets: ofUnit('request', 'hall') } },
        { kind: 'keep', kept: { ...kept(5, '', 0), octets: ofUnit('response', 'lamp') } },
        put('one', 'a', 1, 'lamp'),
        put('two', 'a', 2, 'lamp'),
        put('one', 'b', 3, 'hall'),
        put('one', 'lamp', 4),
      ]);
      await engine.store.forget('lamp');
      const second = await found();
      const { units, reports, commands, kept: left, records } = await second.store.load();
      expect([units.map(({ unit }) => unit), reports.map(({ unit }) => unit), commands]).toEqual([
        ['hall'],
        ['hall'],
        [],
      ]);
      expect(left.map(({ position }) => position)).toEqual([2, 4]);
      expect(records.map(({ value }) => value)).toEqual([3, 4]);
      expect((await second.queue('hook').load()).entries).toEqual([waiting.entry]);
      const query = { unit: 'lamp', report: 'reading', from: 0, to: 9e15, limit: 10 } as const;
      for (const resolution of ['raw', 'minute', 'hour'] as const)
        expect((await second.store.history({ ...query, resolution })).at).toEqual([]);
    });

    test('forget comes behind what was committed before it', async () => {
      const committing = Array.from({ length: 200 }, (_, index) =>
        engine.store.commit([{ kind: 'report', report: report('lamp', index + 1) }]),
      );
      await engine.store.forget('lamp');
      await Promise.all(committing);
      expect((await (await found()).store.load()).reports).toEqual([]);
    });

    test('close waits for what was asked for, may be called twice, and then nothing is taken', async () => {
      const committing = engine.store.commit([{ kind: 'report', report: report('hall', 1) }]);
      await Promise.all([engine.close(), engine.close()]);
      await committing;
      await expect(engine.store.commit([{ kind: 'report', report: report('hall', 2) }])).rejects.toMatchObject({
        code: 'store-failed',
      });
      const { reports } = await (await under.open()).store.load();
      expect(reports).toHaveLength(1);
    });
  });
}
