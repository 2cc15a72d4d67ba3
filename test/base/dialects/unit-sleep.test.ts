import { describe, expect, test } from 'vitest';
import type { ServedUnit } from '../../../base/dialects/handler.js';
import { defineUnit, u8 } from '../../../protocol/definition/index.js';
import { settle } from '../../support/manual-clock.js';
import type { DialectRig } from './dialect-rig.js';
import { KEY, ScriptedUnit, type ScriptOptions } from './scripted-unit.js';
import { closeOf, requestOf, serving } from './unit-rig.js';

const MINUTE = 60_000;
const probeType = defineUnit({
  name: 'probe',
  version: '1.0.0',
  kind: 'updatable',
  sleep: '10 min',
  commands: { setThreshold: { number: 1, fields: { percent: u8() } } },
  reports: { soil: { number: 2, fields: { moisture: u8() } } },
});
const probe: ServedUnit = { uid: 'probe', definition: probeType, address: undefined, key: KEY };
const asleep = 'idle: sleeps, expected again every 10 min';
const overdue = 'offline: did not come for 21 min, though it sleeps only 10 min at a time';

/** It wakes and dials in. A chip that has slept starts anew, so each visit is a boot of its own. */
function wake(base: DialectRig, options: Partial<ScriptOptions> = {}): ScriptedUnit {
  return new ScriptedUnit(base.connect().carrier, { uid: 'probe', definition: probeType, ...options });
}

async function fallAsleep(unit: ScriptedUnit): Promise<void> {
  unit.send({ kind: 'close', code: 0xa0 });
  unit.peer.end();
  await settle();
}

async function visit(base: DialectRig, boot = 1): Promise<void> {
  const unit = wake(base);
  expect(await unit.greet({ boot, resetReason: 5 })).toMatchObject([{ kind: 'response', code: 0 }]);
  await fallAsleep(unit);
}

const command = (base: DialectRig, id: string, ttlMs?: number) =>
  base.command({ unit: 'probe', command: 'setThreshold', fields: { percent: 30 }, id, ...(ttlMs && { ttlMs }) });

/** `waiting` of the answer to a hello. */
const waitingOf = (answer: unknown): number =>
  (answer as { readonly payload: { readonly data: Uint8Array } }).payload.data[1 + 8 + 8 + 4]!;

describe('a unit that sleeps', () => {
  test('is idle before its first visit, and offline when it has missed two, said once', async () => {
    const base = await serving(probe);
    expect(base.presence()).toEqual([asleep]);
    await base.clock.advance(21 * MINUTE - 1);
    expect(base.presence()).toEqual([asleep]);
    await base.clock.advance(1);
    expect(base.presence()).toEqual([asleep, overdue]);
    await base.clock.advance(24 * 60 * MINUTE);
    expect(base.presence()).toEqual([asleep, overdue]);
    expect(base.warnings()).toEqual([`a unit that sleeps is overdue, said once ${overdue.slice('offline: '.length)}`]);
  });

  test('is idle when it has closed with A0, until it comes again', async () => {
    const base = await serving(probe);
    for (let boot = 1; boot <= 5; boot += 1) {
      await visit(base, boot);
      expect(base.router.get('probe')).toMatchObject({ state: 'idle', expectedAt: base.clock.now() + 10 * MINUTE });
      await base.clock.advance(10 * MINUTE);
    }
    expect(base.presence()).toEqual([asleep, ...Array(5).fill(['online', asleep]).flat()]);
    expect(base.warnings()).toEqual([]);
    expect(base.log.lines.filter(({ message }) => message.startsWith('link up'))).toHaveLength(1);
  });

  test('comes back after it was overdue: said anew, and overdue anew when it stays away', async () => {
    const base = await serving(probe);
    await base.clock.advance(21 * MINUTE);
    await visit(base);
    expect(base.presence()).toEqual([asleep, overdue, 'online', asleep]);
    expect(base.log.lines.filter(({ message }) => message.startsWith('link up'))).toHaveLength(1);
    await base.clock.advance(21 * MINUTE);
    expect(base.presence().at(-1)).toBe(overdue);
    expect(base.router.get('probe')).not.toHaveProperty('expectedAt');
    expect(base.warnings()).toHaveLength(2);
  });

  test('that is gone without a word may sleep as well', async () => {
    const base = await serving(probe);
    const unit = wake(base);
    await unit.greet();
    await base.clock.advance(45_000);
    expect(base.presence().at(-1)).toBe(
      'idle: nothing was heard for 45 s; it sleeps at times, expected again every 10 min',
    );
    expect(base.warnings()).toEqual([]);
  });

  test('that never gets as far as its hello is overdue all the same', async () => {
    const base = await serving(probe);
    for (let minute = 0; minute < 21; minute += 1) {
      const unit = wake(base);
      await unit.prove();
      await base.clock.advance(MINUTE);
    }
    expect(base.presence()).toEqual([asleep, overdue]);
  });

  test('that runs another definition is offline at once, as any other unit', async () => {
    const base = await serving(probe);
    const unit = wake(base);
    await unit.prove();
    unit.hello({ definition: 'led-lamp' });
    await base.clock.advance(2_000);
    expect(base.presence().at(-1)).toBe('offline: probe runs "led-lamp"; probe is configured for it');
    await base.clock.advance(30 * MINUTE);
    expect(base.presence()).toHaveLength(2);
  });

  test('a command without a time of its own is unreachable, and says when the unit is expected', async () => {
    const base = await serving(probe);
    await visit(base);
    await base.clock.advance(3 * MINUTE);
    expect(await command(base, 'a')).toMatchObject({
      outcome: 'unreachable',
      reason:
        'the unit sleeps and is expected again in 7 min; give the command a time to wait (ttlS, --ttl) to have it delivered then',
    });
    await base.clock.advance(9 * MINUTE);
    expect(await command(base, 'b')).toMatchObject({
      outcome: 'unreachable',
      reason: expect.stringContaining('the unit sleeps and comes every 10 min, but was expected 2 min ago'),
    });
  });

  test('patient commands wait for its visit: the hello says how many, and it answers them before it sleeps', async () => {
    const base = await serving(probe);
    await visit(base);
    const patient = [command(base, 'a', 3_600_000), command(base, 'b', 3_600_000), command(base, 'c', 5 * MINUTE)];
    await base.clock.advance(10 * MINUTE);
    expect(await patient[2]).toMatchObject({ outcome: 'expired' });
    const unit = wake(base);
    const [answer, first] = await unit.greet({ boot: 2, nonce: 8 });
    expect(waitingOf(answer)).toBe(2);
    unit.answer(requestOf(first).tracking);
    await settle();
    const [second, ...more] = unit.heard();
    expect(more).toEqual([]);
    unit.answer(requestOf(second).tracking);
    await settle();
    await fallAsleep(unit);
    expect(await Promise.all(patient.slice(0, 2))).toMatchObject([{ outcome: 'ok' }, { outcome: 'ok' }]);
    expect(base.presence().at(-1)).toBe(asleep);
    await base.clock.advance(10 * MINUTE);
    expect(waitingOf((await wake(base).greet({ boot: 3, nonce: 9 }))[0])).toBe(0);
  });

  test('that falls asleep over a command has not done it: it gets it again, if there is time, else it is unreachable', async () => {
    const base = await serving(probe);
    const unit = wake(base);
    await unit.greet();
    const patient = command(base, 'a', 3_600_000);
    await settle();
    const sent = requestOf(unit.heard()[0]);
    await fallAsleep(unit);
    await base.clock.advance(10 * MINUTE);
    const again = wake(base);
    const [answer, repeated] = await again.greet({ boot: 2, nonce: 8 });
    expect(waitingOf(answer)).toBe(1);
    expect(requestOf(repeated).payload).toEqual(sent.payload);
    again.answer(requestOf(repeated).tracking);
    expect(await patient).toMatchObject({ outcome: 'ok' });
    const hasty = command(base, 'b');
    await settle();
    await fallAsleep(again);
    expect(await hasty).toMatchObject({
      outcome: 'unreachable',
      reason: expect.stringContaining('the unit sleeps and is expected again in 10 min'),
    });
  });

  test('that stays is online, however long, and its newest connection wins as any other unit’s', async () => {
    const base = await serving(probe);
    const first = wake(base);
    await first.greet();
    const second = wake(base);
    await second.greet({ boot: 2, nonce: 8 });
    await settle();
    expect(first.heard()).toEqual([closeOf(0xa1)]);
    for (let half = 0; half < 44; half += 1) {
      second.send({ kind: 'ping' });
      await base.clock.advance(MINUTE / 2);
    }
    expect(base.presence()).toEqual([asleep, 'online', asleep, 'online']);
  });
});

test('a unit that closes with A0 and whose definition never sleeps is offline', async () => {
  const awake = defineUnit({
    name: 'probe',
    version: '1.0.0',
    kind: 'updatable',
    reports: { r: { number: 1, fields: {} } },
  });
  const base = await serving({ ...probe, definition: awake });
  const unit = new ScriptedUnit(base.connect().carrier, { uid: 'probe', definition: awake });
  await unit.greet();
  await fallAsleep(unit);
  expect(base.presence()).toEqual(['online', 'offline: the unit sleeps']);
});
