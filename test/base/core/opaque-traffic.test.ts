import { describe, expect, test } from 'vitest';
import type { Report } from '../../../base/core/messages.js';
import { MAX_TELLING_OCTETS, TELLING_OCTETS } from '../../../base/core/opaque-traffic.js';
import { SAVE_EVERY_MS } from '../../../base/core/state-saving.js';
import { ManualClock } from '../../support/manual-clock.js';
import { ascii, OpaqueRig, PickyOutbox } from './opaque-rig.js';

/** The disk takes nothing until the function is called. */
const held = (rig: OpaqueRig): (() => void) => {
  let open!: () => void;
  rig.store.gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    rig.store.gate = undefined;
    open();
  };
};

/** Counts how often it is looked at what a payload holds. */
function watched(): { readonly payload: { format: number; options: number; data: Uint8Array }; reads: number } {
  const seen = {
    reads: 0,
    payload: {
      format: 1,
      options: 0,
      get data() {
        seen.reads += 1;
        return Uint8Array.of(0x37);
      },
    },
  };
  return seen;
}

describe('telemetry that may be lost', () => {
  test('is heard and shown at once; its row and what receivers get of it are stored behind', async () => {
    const hook = new PickyOutbox('report');
    const rig = await OpaqueRig.start(['board'], { receivers: [hook] });
    const open = held(rig);
    expect(await rig.tell('board', '21.5')).toBe('stored');
    const [report] = rig.of('report');
    expect(report).toEqual({
      kind: 'report',
      id: `board/${report!.boot}/1`,
      unit: 'board',
      report: 'telemetry',
      fields: { value: 21.5 },
      payload: { format: 'ascii', value: '21.5' },
      boot: expect.any(Number),
      sequence: 1,
      measuredAt: rig.clock.now(),
      receivedAt: rig.clock.now(),
    } satisfies Report);
    expect(rig.router.get('board')).toMatchObject({
      last: { telemetry: { id: report!.id, fields: { value: 21.5 }, measuredAt: rig.clock.now() } },
      lastSeenAt: rig.clock.now(),
      counts: { reports: 1 },
    });
    expect([rig.store.of('report'), hook.committed_]).toEqual([[], []]);
    open();
    await rig.clock.advance(0);
    const [row] = rig.store.of('report');
    expect(row).toMatchObject({ report: { id: report!.id, fields: { value: 21.5 } } });
    // Eight thousand may wait: what they were made of, ten times as large, does not wait with them.
    expect(row!.report).not.toHaveProperty('payload');
    expect(rig.store.of('item')).toHaveLength(1);
    expect(hook.committed_).toEqual(['report board']);
  });

  test('is lost where the disk refuses: counted by its receiver, said once, told live all the same', async () => {
    const hook = new PickyOutbox('report');
    const rig = await OpaqueRig.start(['board'], { receivers: [hook] });
    rig.store.isFailing = true;
    for (const text of ['1', '2']) {
      await rig.tell('board', text);
      await rig.clock.advance(0);
    }
    expect(rig.of('report')).toHaveLength(2);
    expect(hook.failed_).toEqual(['report board', 'report board']);
    expect(rig.log.lines.map(({ message }) => message)).toEqual(['telemetry is told and not stored; said once']);
    rig.store.isFailing = false;
    await rig.tell('board', '3');
    await rig.clock.advance(0);
    expect(rig.log.lines.at(-1)).toMatchObject({ message: 'telemetry is stored again', fields: { lost: 2 } });
    expect(rig.store.of('report').map(({ report }) => report.fields)).toEqual([{ value: 3 }]);
  });

  test('without history is no row, and no commit, unless a receiver gets it', async () => {
    const rig = await OpaqueRig.start(['board']);
    const before = rig.store.committed.length;
    await rig.tell('board', '1', { history: false });
    await rig.clock.advance(0);
    expect(rig.of('report')).toHaveLength(1);
    expect(rig.store.committed).toHaveLength(before);
    rig.outboxes.add(new PickyOutbox('report'));
    await rig.tell('board', '2', { history: false });
    await rig.clock.advance(0);
    expect(rig.store.committed.slice(before).map(({ kind }) => kind)).toEqual(['item']);
  });

  test('that nobody wants is not even read, until somebody asks for the last', async () => {
    const rig = await OpaqueRig.start(['board'], { isDeaf: true, receivers: [new PickyOutbox('outcome')] });
    const seen = watched();
    const tell = () =>
      rig.router.report({ uid: 'board', payload: seen.payload, measuredAt: 5, durable: false, history: false });
    await tell();
    await tell();
    expect(seen.reads).toBe(0);
    expect(rig.router.get('board')).toMatchObject({
      last: { telemetry: { fields: { value: 7 }, measuredAt: 5 } },
      counts: { reports: 2 },
    });
    const { reads } = seen;
    expect(reads).toBeGreaterThan(0);
    rig.router.get('board');
    expect(seen.reads).toBe(reads);
    await rig.clock.advance(SAVE_EVERY_MS);
    expect(rig.store.of('unit')).toMatchObject([{ unit: { unit: 'board', state: { last: { telemetry: {} } } } }]);
  });

  test('of nobody that is listed is a duplicate, and nobody hears of it', async () => {
    const rig = await OpaqueRig.start();
    expect(await rig.tell('stranger', '1')).toBe('duplicate');
    expect(rig.heard).toEqual([]);
  });

  test('of a stop is stored before the stop ends', async () => {
    const rig = await OpaqueRig.start(['board']);
    await rig.tell('board', '1');
    rig.router.stop();
    await rig.router.settled();
    expect(rig.store.of('report')).toHaveLength(1);
    expect(rig.store.of('unit')).toHaveLength(1);
  });

  test('is forgotten though it was on its way to the disk', async () => {
    const rig = await OpaqueRig.start(['board']);
    const forgotten: number[] = [];
    const forget = rig.store.forget.bind(rig.store);
    rig.store.forget = (unit) => {
      forgotten.push(rig.store.of('report').length);
      return forget(unit);
    };
    await rig.tell('board', '1');
    await rig.router.forget('board');
    expect(forgotten).toEqual([1]);
  });

  test('that a receiver cannot be told harms nobody', async () => {
    const hook = new PickyOutbox('report', 'request');
    hook.pick = () => {
      throw new Error('boom');
    };
    const rig = await OpaqueRig.start(['board'], { receivers: [hook] });
    expect(await rig.tell('board', '1')).toBe('stored');
    rig.router.request('board', ascii('?'));
    expect(rig.of('request')).toHaveLength(1);
    expect(rig.log.lines).toMatchObject([{ level: 'error', fields: { error: 'boom' } }]);
  });
});

describe('a report that must not be lost', () => {
  test('is heard and shown when it is on disk', async () => {
    const rig = await OpaqueRig.start(['board']);
    const open = held(rig);
    const verdict = rig.tell('board', '1', { durable: true });
    await rig.clock.advance(0);
    expect([rig.of('report'), rig.router.get('board')?.last]).toEqual([[], {}]);
    open();
    expect(await verdict).toBe('stored');
    expect(rig.of('report')).toHaveLength(1);
    expect(rig.router.get('board')?.last).toMatchObject({ telemetry: { fields: { value: 1 } } });
  });

  test('is busy where the disk refuses it, and nobody hears of it', async () => {
    const rig = await OpaqueRig.start(['board']);
    rig.store.isFailing = true;
    expect(await rig.tell('board', '1', { durable: true })).toBe('busy');
    expect(rig.of('report')).toEqual([]);
    expect(rig.router.get('board')?.last).toEqual({});
  });

  test('that is no part of the history is committed for receivers only', async () => {
    const hook = new PickyOutbox('report');
    const rig = await OpaqueRig.start(['board'], { receivers: [hook] });
    const before = rig.store.committed.length;
    expect(await rig.tell('board', '1', { durable: true, history: false })).toBe('stored');
    expect(rig.store.committed.slice(before).map(({ kind }) => kind)).toEqual(['item']);
    expect([rig.of('report').length, hook.committed_.length]).toEqual([1, 1]);
  });
});

describe('what an object asks', () => {
  test('is heard at once where no receiver gets it, and so is the answer', async () => {
    const rig = await OpaqueRig.start(['board']);
    const before = rig.store.committed.length;
    const id = rig.router.request('board', ascii('time?'));
    rig.router.response(id, 'board', 0xa1, undefined);
    rig.router.response(id, 'board', 0, { format: 'json', value: { now: 5 } });
    const at = rig.clock.now();
    expect(id).toMatch(/^board\/\d+\/r\/1$/);
    expect(rig.heard).toEqual([
      { kind: 'request', id, unit: 'board', payload: { format: 'ascii', value: 'time?' }, at },
      { kind: 'response', id, unit: 'board', code: 0xa1, at },
      { kind: 'response', id, unit: 'board', code: 0, payload: { format: 'json', value: { now: 5 } }, at },
    ]);
    expect(rig.store.committed).toHaveLength(before);
  });

  test('is on disk before it is told where a receiver gets it, in order; told live where the disk refuses', async () => {
    const hook = new PickyOutbox('request', 'response');
    const rig = await OpaqueRig.start(['board'], { receivers: [hook] });
    const open = held(rig);
    const id = rig.router.request('board', ascii('?'));
    rig.router.response(id, 'board', 0, undefined);
    await rig.clock.advance(0);
    expect(rig.heard).toEqual([]);
    open();
    await rig.clock.advance(0);
    expect(rig.heard.map(({ kind }) => kind)).toEqual(['request', 'response']);
    expect(hook.committed_).toEqual(['request board', 'response board']);
    rig.store.isFailing = true;
    rig.router.request('board', ascii('?'));
    await rig.clock.advance(0);
    expect(rig.of('request')).toHaveLength(2);
    expect(hook.failed_).toEqual(['request board']);
  });

  test('is not read where nobody hears of it, and has its id all the same', async () => {
    const rig = await OpaqueRig.start(['board'], { isDeaf: true });
    const { payload, reads } = watched();
    expect(rig.router.request('board', payload)).toMatch(/^board\//);
    rig.router.response('x', 'board', 0, payload);
    expect(reads).toBe(0);
  });

  test(`waits for the disk with ${MAX_TELLING_OCTETS} octets at most; what is past that is told live only`, async () => {
    const hook = new PickyOutbox('request');
    const rig = await OpaqueRig.start(['board'], { receivers: [hook] });
    const open = held(rig);
    const full = ascii('x'.repeat(MAX_TELLING_OCTETS - TELLING_OCTETS));
    rig.router.request('board', full);
    rig.router.request('board', ascii('1'));
    rig.router.request('board', ascii('2'));
    expect(rig.of('request').map(({ payload }) => payload.value)).toEqual(['1', '2']);
    expect(hook.picked).toHaveLength(1);
    expect(rig.log.lines.map(({ message }) => message)).toEqual([expect.stringMatching(/told live only; said once/)]);
    open();
    await rig.clock.advance(0);
    rig.router.request('board', ascii('3'));
    expect(hook.picked).toHaveLength(2);
  });
});

test('of what has no content so many wait for the disk too, and no more', async () => {
  const hook = new PickyOutbox('request', 'response');
  const rig = await OpaqueRig.start(['board'], { receivers: [hook] });
  const open = held(rig);
  const most = MAX_TELLING_OCTETS / TELLING_OCTETS;
  for (let index = 0; index < most; index += 1) rig.router.response('x', 'board', 0xa0, undefined);
  expect([rig.of('response').length, hook.picked.length]).toEqual([0, most]);
  rig.router.response('x', 'board', 0xa0, undefined);
  expect([rig.of('response').length, hook.picked.length]).toEqual([1, most]);
  open();
  await rig.clock.advance(0);
  expect(rig.of('response')).toHaveLength(most + 1);
});

describe('whether somebody wants to hear of it', () => {
  test('is asked of the bus and of the receivers, by kind', async () => {
    const rig = await OpaqueRig.start(['board'], { isDeaf: true });
    const wanted = () => (['report', 'request', 'response'] as const).filter((kind) => rig.router.wants(kind));
    expect(wanted()).toEqual([]);
    const leave = rig.bus.subscribe('request', () => {});
    expect(wanted()).toEqual(['request']);
    const leaveBox = rig.outboxes.add(new PickyOutbox('report'));
    expect(wanted()).toEqual(['report', 'request']);
    leave();
    leaveBox();
    expect(wanted()).toEqual([]);
    // One that does not say what it picks may pick anything.
    rig.outboxes.add({ pick: () => undefined, committed: () => {}, failed: () => {} });
    expect(wanted()).toEqual(['report', 'request', 'response']);
  });

  test('does not depend on who hears of typed units, who hears of nothing else', async () => {
    const rig = await OpaqueRig.start(['board'], { isDeaf: true });
    const heard: string[] = [];
    const leave = rig.router.hearTyped(({ id }) => heard.push(id));
    rig.router.hearTyped(() => {
      throw new Error('boom');
    });
    expect(rig.router.wants('report')).toBe(false);
    const report = { uid: 'hall', report: 'reading', fields: { temperature: 20 }, measuredAt: 5 };
    rig.router.hello({ uid: 'hall', boot: 3, nonce: 7, version: '1.0.0' });
    await rig.router.report({ ...report, identity: { boot: 3, sequence: 1 } });
    await rig.tell('board', '1');
    leave();
    await rig.router.report({ ...report, identity: { boot: 3, sequence: 2 } });
    expect(heard).toEqual(['hall/3/1']);
    expect(rig.log.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
  });
});

describe('an id', () => {
  const idsOf = async (rig: OpaqueRig): Promise<string[]> => {
    await rig.tell('board', '1', { history: false });
    const asked = rig.router.request('board', ascii('?'));
    rig.router.remove('board');
    rig.add('board');
    await rig.tell('board', '1', { history: false });
    return [asked, ...rig.of('report').map(({ id }) => id)];
  };

  test('never comes twice: over removals, crashes that saved nothing, and a clock that begins anew each time', async () => {
    const clock = new ManualClock();
    let rig = await OpaqueRig.start(['board'], { clock });
    const ids: string[] = [];
    for (const now of [5_000, 5_000, 2_000, Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 1), 1_000]) {
      clock.setNow(now);
      rig = await OpaqueRig.start(['board'], { clock, store: rig.store });
      ids.push(...(await idsOf(rig)));
    }
    expect(ids).toHaveLength(18);
    expect(new Set(ids).size).toBe(18);
  });

  test('is of a run that is on disk before anything is numbered, or of a number that was drawn', async () => {
    const first = await OpaqueRig.start(['board']);
    expect(first.store.committed[0]).toEqual({ kind: 'run', run: Math.floor(first.clock.now() / 1_000) });
    first.store.isFailing = true;
    const second = await OpaqueRig.start(['board'], first);
    const [id] = await idsOf(second);
    expect(Number(id!.split('/')[1])).toBe(2 ** 40 + 0x010101010101);
  });
});
