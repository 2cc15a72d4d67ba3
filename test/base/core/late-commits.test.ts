import { beforeEach, expect, test } from 'vitest';
import { LateCommits, MAX_LATE, MAX_LATE_OCTETS } from '../../../base/core/late-commits.js';
import type { Change } from '../../../base/core/store.js';
import { settle } from '../../support/manual-clock.js';
import { MemoryStore } from '../../support/memory-store.js';
import { QuietLog } from '../../support/quiet-log.js';

let store: MemoryStore;
let log: QuietLog;
let late: LateCommits;
/** Of each that was added: whether it was stored. */
let done: boolean[];

beforeEach(() => {
  store = new MemoryStore();
  log = new QuietLog();
  late = new LateCommits(store, log);
  done = [];
});

const run = (number: number): Change => ({ kind: 'run', run: number });
const add = (...changes: Change[]): void => late.add(changes, (isStored) => done.push(isStored));
const lines = (): string[] => log.lines.map(({ level, message }) => `${level} ${message}`);
const held = (): (() => void) => {
  let open!: () => void;
  store.gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    store.gate = undefined;
    open();
  };
};

test('what is added is stored soon, in order, what came together in one commit', async () => {
  const commits: number[] = [];
  const commit = store.commit.bind(store);
  store.commit = (changes) => {
    commits.push(changes.length);
    return commit(changes);
  };
  for (let number = 0; number < 600; number += 1) add(run(number));
  expect(done).toEqual([]);
  await late.settled();
  expect(store.of('run').map((change) => change.run)).toEqual(Array.from({ length: 600 }, (_, index) => index));
  expect(commits).toEqual([256, 256, 88]);
  expect(done).toEqual(new Array(600).fill(true));
  expect(late.lost).toBe(0);
  await late.settled();
});

test('what the disk refuses is lost, counted and said once; so is that it is well again', async () => {
  store.isFailing = true;
  for (let number = 0; number < 3; number += 1) {
    add(run(number));
    await late.settled();
  }
  expect([done, late.lost]).toEqual([[false, false, false], 3]);
  store.isFailing = false;
  add(run(4));
  await late.settled();
  expect([done.at(-1), late.lost]).toEqual([true, 3]);
  expect(lines()).toEqual(['warn telemetry is told and not stored; said once', 'info telemetry is stored again']);
  expect(log.lines[1]!.fields).toEqual({ lost: 3 });
});

test(`${MAX_LATE} may wait, and no more: past it the newest is lost`, async () => {
  const open = held();
  for (let number = 0; number < MAX_LATE; number += 1) add();
  await settle();
  expect(done).toEqual([]);
  add(run(1));
  expect([done, late.lost]).toEqual([[false], 1]);
  open();
  await late.settled();
  expect(done.filter((isStored) => isStored)).toHaveLength(MAX_LATE);
  add(run(2));
  await late.settled();
  expect(store.of('run')).toEqual([{ kind: 'run', run: 2 }]);
});

test('what waits for receivers counts with its octets', async () => {
  const entry = (octets: number) => ({ position: 1, id: 'i', key: 'k', octets, attempts: 0, dueAt: 0 });
  const item = (octets: number): Change => ({
    kind: 'item',
    addition: { queue: 'hook', entry: entry(octets), body: '' },
  });
  const open = held();
  add(item(MAX_LATE_OCTETS - 1));
  add(item(1));
  add(item(1));
  expect(done).toEqual([false]);
  open();
  await late.settled();
  expect(done).toEqual([false, true, true]);
});
