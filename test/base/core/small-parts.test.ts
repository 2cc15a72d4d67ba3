import { describe, expect, test } from 'vitest';
import { addressText } from '../../../base/core/address.js';
import { delay } from '../../../base/core/clock.js';
import { deferred } from '../../../base/core/deferred.js';
import { peerText } from '../../../base/core/log.js';
import { SaidOnce } from '../../../base/core/said-once.js';
import { ManualClock } from '../../support/manual-clock.js';

describe('SaidOnce', () => {
  test('the same text about the same subject is news once, until it changes or is forgotten', () => {
    const said = new SaidOnce();
    expect(said.isNew('lamp', 'away')).toBe(true);
    expect(said.isNew('lamp', 'away')).toBe(false);
    expect(said.isNew('door', 'away')).toBe(true);
    expect(said.isNew('lamp', 'wrong key')).toBe(true);
    expect(said.isNew('lamp', 'away')).toBe(true);
    said.forget('lamp');
    expect(said.isNew('lamp', 'away')).toBe(true);
  });

  test('remembers a thousand subjects; one more forgets the oldest', () => {
    const said = new SaidOnce();
    for (let index = 0; index < 1_000; index += 1) said.isNew(`${index}`, 'x');
    expect(said.isNew('0', 'x')).toBe(false);
    said.isNew('one more', 'x');
    expect(said.isNew('0', 'x')).toBe(true);
    expect(said.isNew('5', 'x')).toBe(false);
  });
});

test('a peer’s text is fit for a log line: no control characters, no line ends, 120 characters', () => {
  expect(peerText('a\u001b[31m\r\nb\u2028c\u0085d')).toBe('a·[31m··b·c·d');
  expect(peerText('x'.repeat(120))).toHaveLength(120);
  expect(peerText('x'.repeat(121))).toBe(`${'x'.repeat(120)}…`);
  expect(peerText('x'.repeat(10_000_000)).length).toBe(121);
});

test('addresses are written as people write them', () => {
  expect(addressText({ host: 'lamp.local', port: 8888 })).toBe('lamp.local:8888');
  expect(addressText({ host: 'fe80::1', port: 1 })).toBe('[fe80::1]:1');
});

describe('delay', () => {
  test('resolves in time and leaves nothing', async () => {
    const clock = new ManualClock();
    const done = delay(clock, 500).then(() => clock.monotonic());
    await clock.advance(1_000);
    expect(await done).toBe(500);
    expect(clock.waiting).toBe(0);
  });

  test('rejects with the signal’s reason, at once when it has aborted already', async () => {
    const clock = new ManualClock();
    const abort = new AbortController();
    const waiting = delay(clock, 500, abort.signal);
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(delay(clock, 500, abort.signal)).rejects.toThrow('enough');
    expect(clock.waiting).toBe(0);
  });
});

test('a rejection nobody waits for is no crash; whoever waits hears it', async () => {
  const { promise, reject } = deferred<void>();
  reject(new Error('gone'));
  await new Promise((resolve) => setImmediate(resolve));
  await expect(promise).rejects.toThrow('gone');
});
