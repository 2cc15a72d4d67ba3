import { beforeEach, describe, expect, test } from 'vitest';
import { durationText } from '../../../base/core/duration-text.js';
import { Outboxes } from '../../../base/core/outboxes.js';
import { Router } from '../../../base/core/router.js';
import type { HelloInput } from '../../../base/core/unit-events.js';
import { resetText } from '../../../base/core/unit-start.js';
import { MemoryBus } from '../../../base/engine/embedded/memory-bus.js';
import thermometer from '../../../units/thermometer.js';
import { ManualClock } from '../../support/manual-clock.js';
import { MemoryStore } from '../../support/memory-store.js';
import { QuietLog } from '../../support/quiet-log.js';

let clock: ManualClock;
let store: MemoryStore;
let log: QuietLog;
let router: Router;

/** A base that starts on what the one before has stored. */
async function start(): Promise<void> {
  const random = { octets: (count: number) => new Uint8Array(count), fraction: () => 0.5 };
  log = new QuietLog();
  router = new Router({ bus: new MemoryBus(log), store, outboxes: new Outboxes(), clock, random, log });
  for (const uid of ['hall', 'attic']) router.add({ uid, definition: thermometer });
  const stored = await store.load();
  await router.restore(stored);
  router.resume(stored);
}

beforeEach(async () => {
  clock = new ManualClock();
  store = new MemoryStore();
  await start();
});

const hello = (more: Partial<HelloInput> = {}) =>
  router.hello({ uid: 'hall', boot: 1, nonce: 7, version: '1.0.0', resetReason: 0, freeHeap: 41_376, ...more });
const warnings = (): string[] => log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);

describe('how a unit came up', () => {
  test('is known from its hello: boot, reason, free heap, since when', async () => {
    expect(router.get('hall')).not.toHaveProperty('started');
    hello();
    const at = clock.now();
    const started = { boot: 1, at, resetReason: 0, reset: 'power-on', freeHeap: 41_376 };
    expect(router.get('hall')!.started).toEqual(started);
    await clock.advance(60_000);
    hello({ freeHeap: 30_000 });
    expect(router.get('hall')!.started).toEqual({ ...started, freeHeap: 30_000 });
    hello({ boot: 2, nonce: 8, resetReason: 4, freeHeap: undefined });
    expect(router.get('hall')!.started).toEqual({
      boot: 2,
      at: at + 60_000,
      resetReason: 4,
      reset: 'restarted by itself',
    });
  });

  test('survives a restart of the base, and is the same for the same boot', async () => {
    hello();
    const at = clock.now();
    router.stop();
    await router.settled();
    await clock.advance(3_600_000);
    await start();
    expect(router.get('hall')!.started).toMatchObject({ boot: 1, at, reset: 'power-on' });
    hello();
    expect(router.get('hall')!.started).toMatchObject({ boot: 1, at });
  });

  test('is not that of a boot number that it is to give up', () => {
    hello({ boot: 5 });
    expect(hello({ boot: 5, nonce: 8, resetReason: 2 })).toEqual({ kind: 'next-boot', boot: 6 });
    expect(router.get('hall')!.started).toMatchObject({ boot: 5, resetReason: 0 });
    expect(warnings()).toEqual([]);
    hello({ boot: 6, nonce: 8, resetReason: 2 });
    expect(router.get('hall')!.started).toMatchObject({ boot: 6, resetReason: 2 });
    expect(warnings()).toHaveLength(1);
  });

  test('is forgotten with the unit', async () => {
    hello();
    router.logLine('hall', { level: 'info', text: 'here' });
    expect(router.logs('hall')).toHaveLength(1);
    await router.forget('hall');
    expect(router.get('hall')).not.toHaveProperty('started');
    expect(router.logs('hall')).toEqual([]);
  });

  test.each([
    [1, 'hardware watchdog'],
    [2, 'exception'],
    [3, 'software watchdog'],
  ])('reason %d is said in the log, once a start: %s', (resetReason, words) => {
    hello({ resetReason });
    hello({ resetReason });
    expect(warnings()).toEqual([`hall has restarted: ${words}`]);
    expect(log.lines.find(({ level }) => level === 'warn')!.fields).toEqual({
      unit: 'hall',
      boot: 1,
      resetReason,
      freeHeap: 41_376,
    });
  });

  test.each([0, 4, 5, 6, 7, 255])('reason %d is in the order of things', (resetReason) => {
    hello({ resetReason });
    expect(warnings()).toEqual([]);
  });

  test('one that fails all the time does not fill the log, and others are heard', async () => {
    for (let boot = 1; boot <= 1_000; boot += 1) {
      hello({ boot, nonce: boot, resetReason: 2 });
      await clock.advance(5_000);
    }
    expect(warnings().length).toBeGreaterThan(5);
    expect(warnings().length).toBeLessThan(20);
    hello({ uid: 'attic', resetReason: 3 });
    expect(warnings().at(-1)).toBe('attic has restarted: software watchdog');
  });

  test('an unknown reason is its number', () => {
    expect([6, 7, 255].map(resetText)).toEqual(['reset button', 'reset reason 7', 'reset reason 255']);
  });
});

test.each([
  [-5, '0 s'],
  [0, '0 s'],
  [89_000, '89 s'],
  [90_000, '2 min'],
  [600_000, '10 min'],
  [5_399_999, '90 min'],
  [5_400_000, '1.5 h'],
  [10_800_000, '3 h'],
  [172_800_000, '2 days'],
])('%d ms are %s for people', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});
