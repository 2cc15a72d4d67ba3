import { Duplex, PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { pipeTunnel } from '../../cli/pipe-tunnel.js';
import { ManualClock, settle } from '../support/manual-clock.js';

const WAIT_MS = 2_000;

function piping(options: { readonly takes?: boolean } = {}) {
  const { takes = true } = options;
  const written: string[] = [];
  let take: (() => void) | undefined;
  const tunnel = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      written.push(chunk.toString());
      if (takes) done();
      else take = () => done();
    },
  });
  const [input, output] = [new PassThrough(), new PassThrough({ highWaterMark: 4 })];
  const clock = new ManualClock();
  const stop = new AbortController();
  let isOver = false;
  const piped = pipeTunnel({ tunnel, input, output, waitMs: WAIT_MS, clock, signal: stop.signal }).finally(() => {
    isOver = true;
  });
  piped.catch(() => {});
  return { tunnel, input, output, clock, stop, written, piped, take: () => take!(), isOver: () => isOver };
}

test('is over when nothing has come for a while behind the end of the input', async () => {
  const { tunnel, input, output, clock, written, piped, isOver } = piping();
  input.write('question');
  await clock.advance(60 * WAIT_MS);
  expect(isOver()).toBe(false);
  input.end();
  await clock.advance(WAIT_MS - 1);
  tunnel.push('one');
  await settle();
  expect(output.read()?.toString()).toBe('one');
  await clock.advance(WAIT_MS - 1);
  expect(isOver()).toBe(false);
  await clock.advance(1);
  await piped;
  expect(written).toEqual(['question']);
  expect([clock.waiting, tunnel.listenerCount('data'), tunnel.destroyed]).toEqual([0, 0, false]);
});

test('does not take for silence what the gateway or the output do not take', async () => {
  const slow = piping({ takes: false });
  slow.input.end('question');
  await slow.clock.advance(3 * WAIT_MS);
  expect(slow.isOver()).toBe(false);
  slow.take();
  await slow.clock.advance(WAIT_MS);
  await slow.piped;

  const full = piping();
  full.input.end();
  full.tunnel.push('an answer that is longer');
  full.tunnel.push('than the output takes');
  await full.clock.advance(3 * WAIT_MS);
  expect(full.isOver()).toBe(false);
  full.output.resume();
  await full.clock.advance(2 * WAIT_MS);
  await full.piped;
});

test('ends at once when it is told to, and with an error when the gateway goes', async () => {
  const told = piping();
  told.stop.abort();
  await told.piped;
  const lost = piping();
  lost.tunnel.destroy();
  await expect(lost.piped).rejects.toMatchObject({ code: 'link-lost' });
  const broken = piping();
  broken.tunnel.destroy(new Error('reset'));
  await expect(broken.piped).rejects.toThrow('reset');
  const unreadable = piping();
  unreadable.input.destroy(new Error('cannot be read'));
  await expect(unreadable.piped).rejects.toThrow('cannot be read');
  for (const { clock } of [told, lost, broken, unreadable]) expect(clock.waiting).toBe(0);
});
