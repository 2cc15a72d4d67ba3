import { expect, test } from 'vitest';
import { Outboxes } from '../../base/core/outboxes.js';
import { Router } from '../../base/core/router.js';
import { LineDialect } from '../../base/dialects/line/line-dialect.js';
import { commandWithLegacyLamps, MAX_LEGACY_UPDATABLE } from '../../base/legacy-lamps.js';
import { systemRandom } from '../../base/system.js';
import { ManualClock } from '../support/manual-clock.js';
import { MemoryStore } from '../support/memory-store.js';
import { QuietLog } from '../support/quiet-log.js';
import { TestBus } from '../support/test-bus.js';

test('so many lamps that no file names are taken up, and not one more', async () => {
  const log = new QuietLog();
  const parts = { bus: new TestBus(), store: new MemoryStore(), outboxes: new Outboxes() };
  const router = new Router({ ...parts, clock: new ManualClock(), random: systemRandom, log });
  const command = commandWithLegacyLamps(router, new LineDialect(), log);
  const send = (unit: string) => command({ id: 'id', unit, command: 'update', line: 'red', source: 'test' });
  const addressOf = (index: number): string => `127.1.${Math.floor(index / 200)}.${1 + (index % 200)}`;
  for (let index = 0; index < MAX_LEGACY_UPDATABLE; index += 1) await send(addressOf(index));
  expect(router.list()).toHaveLength(MAX_LEGACY_UPDATABLE);
  for (let round = 0; round < 2; round += 1) {
    expect(await send('127.2.0.1')).toMatchObject({ outcome: 'refused' });
  }
  await send(`::ffff:${addressOf(0)}`);
  expect(router.list()).toHaveLength(MAX_LEGACY_UPDATABLE);
  expect(log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
    'no more lamps that the file does not name are taken up',
    'command refused; said once',
  ]);
});
