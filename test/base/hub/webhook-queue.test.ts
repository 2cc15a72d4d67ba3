import { describe, expect, it } from 'vitest';
import { LeaveDelay } from '../../../base/hub/leave-delay.js';
import { PARALLEL_POSTS, WebhookQueue } from '../../../base/hub/webhook-queue.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

function queue(answer: (channels: string[]) => boolean | Promise<boolean>, options = {}) {
  const clock = new ManualClock();
  const log = new QuietLog();
  const posts: { at: number; channels: string[] }[] = [];
  const made = new WebhookQueue({
    clock,
    log,
    random: { octets: () => new Uint8Array(), fraction: () => 0.5 },
    isBatch: false,
    maxEvents: 1_000,
    retryMs: 5 * MINUTE,
    async post(body) {
      const channels = JSON.parse(body).events.map(({ channel }: { channel: string }) => channel);
      posts.push({ at: clock.monotonic() / SECOND, channels });
      return answer(channels);
    },
    ...options,
  });
  const push = (channel: string) => made.push({ name: 'channel_occupied', channel });
  return { clock, log, posts, push, queue: made };
}

const never = () => new Promise<boolean>(() => {});

describe('the queue of one webhook', () => {
  it('tries again after 1, 2, 4 … 60 s, and gives up after five minutes', async () => {
    const { clock, posts, push, log, queue: made } = queue(() => false);
    push('a');
    await clock.advance(10 * MINUTE);
    expect(posts.map(({ at }) => at)).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
    expect(made.held).toBe(0);
    expect(clock.waiting).toBe(0);
    expect(log.lines.at(-1)).toMatchObject({ level: 'warn', message: 'webhook events are given up' });
  });

  it('treats a post that fails like one refused, and one that hangs is cut after 15 s', async () => {
    const failing = queue(() => Promise.reject(new Error('no route')));
    failing.push('a');
    await failing.clock.advance(SECOND);
    expect(failing.posts).toHaveLength(2);
    const hanging = queue(never, {
      post: (_: string, signal: AbortSignal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    });
    hanging.push('a');
    await hanging.clock.advance(15 * SECOND);
    expect(hanging.log.lines.map(({ message }) => message)).toEqual(['webhook not delivered']);
  });

  it('keeps the order of each channel, and lets no channel wait for another', async () => {
    let isDown = true;
    const { clock, posts, push } = queue(([channel]) => channel !== 'a' || !isDown);
    for (const channel of ['a', 'a', 'b', 'b']) push(channel);
    await settle();
    expect(posts.map(({ channels }) => channels[0])).toEqual(['a', 'b', 'b']);
    isDown = false;
    await clock.advance(SECOND);
    expect(posts.map(({ channels }) => channels[0])).toEqual(['a', 'b', 'b', 'a', 'a']);
  });

  it('has four posts under way at once, and not five', async () => {
    const { posts, push } = queue(never);
    for (let index = 0; index < 10; index += 1) push(`c${index}`);
    await settle();
    expect(posts).toHaveLength(PARALLEL_POSTS);
    expect(PARALLEL_POSTS).toBe(4);
  });

  it('drops the oldest waiting event past its bound, and says so once', async () => {
    let release: (value: boolean) => void = () => {};
    const {
      posts,
      push,
      log,
      queue: made,
    } = queue(([channel]) => (channel === 'a' ? new Promise<boolean>((resolve) => (release = resolve)) : true), {
      maxEvents: 3,
    });
    // All of one lane: the first is under way, the others wait.
    for (const _ of [1, 2, 3]) push('a');
    expect([made.held, log.lines.length]).toEqual([3, 0]);
    push('b');
    push('c');
    expect(made.held).toBeLessThanOrEqual(3);
    await settle();
    release(true);
    await settle();
    expect(posts.map(({ channels }) => channels[0])).toEqual(['a', 'b', 'c']);
    expect(log.lines.filter(({ message }) => message.includes('full'))).toHaveLength(1);
    expect(made.held).toBe(0);
  });

  it('that holds only events being retried drops the newcomer', async () => {
    const { push, queue: made } = queue(() => false, { maxEvents: 2 });
    for (const channel of ['a', 'b', 'c']) push(channel);
    await settle();
    expect(made.held).toBe(2);
  });

  it('in batches sends what came within 200 ms, 50 at a time, one post at once', async () => {
    const { clock, posts, push } = queue(() => true, { isBatch: true });
    for (let index = 0; index < 60; index += 1) push(`c${index}`);
    await clock.advance(199);
    expect(posts).toEqual([]);
    await clock.advance(1);
    expect(posts.map(({ channels }) => channels.length)).toEqual([50, 10]);
  });

  it('stops at once, twice, with nothing left behind', async () => {
    const { clock, posts, push, queue: made } = queue(() => false);
    for (const channel of ['a', 'b']) push(channel);
    await settle();
    await Promise.all([made.stop(), made.stop()]);
    expect(clock.waiting).toBe(0);
    push('c');
    await clock.advance(MINUTE);
    expect(posts).toHaveLength(2);
  });
});

describe('news of leaving', () => {
  it('waits, is forgotten on return, and past the bound the oldest is told at once', async () => {
    const clock = new ManualClock();
    const delay = new LeaveDelay(clock, 3 * SECOND, 2);
    const told: string[] = [];
    for (const what of ['a', 'b', 'c']) delay.left(what, () => told.push(what));
    expect(told).toEqual(['a']);
    expect([delay.returned('a'), delay.returned('b')]).toEqual([false, true]);
    await clock.advance(3 * SECOND);
    expect(told).toEqual(['a', 'c']);
    delay.left('d', () => told.push('d'));
    delay.stop();
    expect(clock.waiting).toBe(0);
  });
});
