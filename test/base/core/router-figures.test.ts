import { describe, expect, test } from 'vitest';
import { deferred } from '../../../base/core/deferred.js';
import type { DeliveryResult } from '../../../base/core/delivery.js';
import { OpaqueRig } from './opaque-rig.js';

describe('what waits', () => {
  test('is every command and query without an outcome, under way or not, over all units', async () => {
    const rig = await OpaqueRig.start(['board', 'door']);
    const answers = [deferred<DeliveryResult>(), deferred<DeliveryResult>()];
    rig.answer = () => answers[rig.delivered.length - 1]!.promise;
    expect(rig.router.waiting()).toEqual({ commands: 0, queries: 0 });
    const asked = [
      rig.command({ unit: 'board' }),
      rig.command({ unit: 'board', command: 'query' }),
      rig.command({ unit: 'door', command: 'query' }),
    ];
    await rig.clock.advance(0);
    expect(rig.delivered).toHaveLength(2);
    expect(rig.router.waiting()).toEqual({ commands: 1, queries: 2 });
    answers[1]!.resolve({ outcome: 'ok' });
    await asked[2];
    expect(rig.router.waiting()).toEqual({ commands: 1, queries: 1 });
    rig.answer = async () => ({ outcome: 'refused' });
    answers[0]!.resolve({ outcome: 'unknown' });
    await Promise.all(asked);
    expect(rig.router.waiting()).toEqual({ commands: 0, queries: 0 });
  });

  test('is nothing of what was refused, by us or by the disk, or was given up', async () => {
    const rig = await OpaqueRig.start(['board']);
    await rig.command({ command: 'dance' });
    await rig.command({ unit: 'nobody', command: 'query' });
    rig.store.isFailing = true;
    expect(await rig.command({ command: 'query' })).toMatchObject({ outcome: 'refused' });
    rig.store.isFailing = false;
    expect(rig.router.waiting()).toEqual({ commands: 0, queries: 0 });
    rig.answer = () => new Promise(() => {});
    const stopped = [
      rig.command({}),
      rig.command({ command: 'query' }),
      rig.command({ command: 'query', ttlMs: 60_000 }),
    ];
    for (const each of stopped) each.catch(() => {});
    await rig.clock.advance(0);
    expect(rig.router.waiting()).toEqual({ commands: 1, queries: 2 });
    rig.router.stop();
    await expect(stopped[2]).rejects.toMatchObject({ code: 'stopped' });
    expect(await stopped[1]).toMatchObject({ outcome: 'unreachable' });
    expect(rig.router.waiting()).toEqual({ commands: 1, queries: 0 });
  });
});

test('a census counts units by handler and state', async () => {
  const rig = await OpaqueRig.start(['board', 'door', 'gate']);
  rig.router.presence('board', { state: 'online' });
  rig.router.presence('hall', { state: 'online' });
  expect(rig.router.census()).toEqual([
    { dialect: 'unit', state: 'online', count: 1 },
    { dialect: 'iotsocket', state: 'online', count: 1 },
    { dialect: 'iotsocket', state: 'offline', count: 2 },
  ]);
  rig.router.remove('gate');
  expect(rig.router.census().reduce((sum, { count }) => sum + count, 0)).toBe(3);
});

test('readings that found no way to the disk are counted', async () => {
  const rig = await OpaqueRig.start(['board']);
  await rig.tell('board', '1');
  await rig.clock.advance(0);
  rig.store.isFailing = true;
  for (const text of ['2', '3']) {
    await rig.tell('board', text);
    await rig.clock.advance(0);
  }
  expect(rig.router.lostReadings).toBe(2);
});
