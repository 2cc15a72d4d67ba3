import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LineProgram } from '../runtime/cpp-program.js';
import { startBoardDriver } from './board-driver.js';

let program: LineProgram;
beforeAll(async () => {
  program = await startBoardDriver();
}, 180_000);
afterAll(async () => expect(await program.stop()).toEqual({ status: 0, complaints: '' }));

const ask = (command: string, now: number, random = 0): Promise<string> =>
  program.ask(`dial ${command} ${now} ${random}`);

/** Dials at `now`, which comes to nothing; how long until the next attempt, with the longest part of the wait drawn. */
async function waitAfter(how: 'ended' | 'refused', now: number, window: number): Promise<void> {
  await ask('dialling', now);
  await ask(how, now, window - 1);
  if (window > 1) expect(await ask('look', now + window - 2)).toBe('waits');
  expect(await ask('look', now + window - 1)).toBe('due');
}

describe('a unit that dials its base', () => {
  test('dials at once, and then after a random part of 1, 2, 4 … 60 s', async () => {
    expect(await ask('new', 0)).toBe('due');
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) await waitAfter('ended', 5_000, seconds * 1_000);
  });

  test('any part of it, none at all too', async () => {
    await ask('new', 0);
    await ask('dialling', 0);
    await ask('ended', 100, 3_000);
    expect(await ask('look', 100)).toBe('due');
  });

  test('waits at most 15 s when it sleeps between visits', async () => {
    await ask('new', 600_000);
    for (const seconds of [1, 2, 4, 8, 15, 15]) await waitAfter('ended', 0, seconds * 1_000);
  });

  test('waits 5 min for a base that refuses it, and starts with 1 s again once it is welcome', async () => {
    await ask('new', 0);
    for (const seconds of [1, 2, 4]) await waitAfter('ended', 0, seconds * 1_000);
    await ask('refused', 1_000);
    expect(await ask('look', 300_999)).toBe('waits');
    expect(await ask('look', 301_000)).toBe('due');
    await ask('dialling', 301_000);
    await ask('connected', 301_000);
    expect(await ask('welcomed', 301_000)).toBe('waits');
    await waitAfter('ended', 400_000, 1_000);
  });

  test('gives an attempt 5 s, and a connection as long as it lasts', async () => {
    await ask('new', 0);
    await ask('dialling', 1_000);
    expect(await ask('look', 5_999)).toBe('waits');
    expect(await ask('look', 6_000)).toBe('waits late');
    expect(await ask('connected', 6_000)).toBe('waits');
    expect(await ask('look', 900_000)).toBe('waits');
  });

  test('is not confused by the clock that passes 2^32', async () => {
    await ask('new', 0);
    await ask('dialling', 2 ** 32 - 100);
    await ask('ended', 2 ** 32 - 100, 999);
    expect(await ask('look', 898)).toBe('waits');
    expect(await ask('look', 899)).toBe('due');
  });

  test('dials at once when the network is back', async () => {
    await ask('new', 0);
    await ask('dialling', 0);
    await ask('refused', 0);
    expect(await ask('hurry', 1)).toBe('due');
  });
});

test.each([
  ['base.local', 'base.local 8888'],
  ['192.168.1.2:8080', '192.168.1.2 8080'],
  ['[fe80::1]:70', 'fe80::1 70'],
  ['[fe80::1]', 'fe80::1 8888'],
  ['', 'none'],
  [':8888', 'none'],
  ['base:', 'none'],
  ['base:0', 'none'],
  ['base:65536', 'none'],
  ['base:12345678901', 'none'],
  ['base:8x', 'none'],
  ['fe80::1', 'none'],
  ['[fe80::1', 'none'],
  ['[fe80::1]x', 'none'],
  ['[]:1', 'none'],
  ['two words', 'none'],
])('the base address "%s" is %s', async (text, parsed) => {
  expect(await program.ask(`address ${text === '' ? '-' : Buffer.from(text).toString('hex')}`)).toBe(parsed);
});
