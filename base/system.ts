import { createHmac, randomBytes } from 'node:crypto';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { SessionCrypto } from '../protocol/iotsocket/proof.js';
import type { EventLoop, EventLoopDelay } from './api/figures.js';
import type { Measured } from './base-status.js';
import type { Clock } from './core/clock.js';
import type { Random } from './core/random.js';

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Fetched at once, since most of what a few octets cost is the asking. */
const POOL_OCTETS = 4_096;
let pool = Buffer.alloc(0);
let used = 0;

function pooledOctets(count: number): Uint8Array {
  if (count > POOL_OCTETS / 16) return new Uint8Array(randomBytes(count));
  if (used + count > pool.length) {
    pool = randomBytes(POOL_OCTETS);
    used = 0;
  }
  const octets = new Uint8Array(count);
  for (let index = 0; index < count; index += 1) {
    octets[index] = pool[used]!;
    // Nobody finds a key here that has been given out.
    pool[used] = 0;
    used += 1;
  }
  return octets;
}

/** The machine's randomness. */
export const systemRandom: Random = {
  octets: pooledOctets,
  fraction: () => Math.random(),
};

const MIB_OCTETS = 1_024 * 1_024;

/** This process and its machine, as they are now. */
export function measureProcess(): Measured {
  const { rss, heapTotal, heapUsed, external } = process.memoryUsage();
  return {
    activeHandles: process.getActiveResourcesInfo().length,
    memory: {
      systemMiB: rss / MIB_OCTETS,
      allocatedMiB: (heapTotal + external) / MIB_OCTETS,
      heapAllocatedMiB: heapUsed / MIB_OCTETS,
    },
  };
}

/** How often the event loop is looked at. */
const LOOP_EVERY_MS = 20;
const NS_PER_S = 1e9;

/** This process's event loop. What Node measures is the time between two looks; what is past 20 ms of it is delay. */
export class NodeEventLoop implements EventLoop {
  #histogram: IntervalHistogram | undefined;

  start(): void {
    this.#histogram ??= monitorEventLoopDelay({ resolution: LOOP_EVERY_MS });
    this.#histogram.enable();
  }

  stop(): void {
    this.#histogram?.disable();
  }

  take(): EventLoopDelay {
    const histogram = this.#histogram;
    if (histogram === undefined || histogram.count === 0) return { meanS: 0, p99S: 0, maxS: 0 };
    const delayS = (ns: number): number => Math.max(0, ns / NS_PER_S - LOOP_EVERY_MS / 1_000);
    const delay = {
      meanS: delayS(histogram.mean),
      p99S: delayS(histogram.percentile(99)),
      maxS: delayS(histogram.max),
    };
    histogram.reset();
    return delay;
  }
}

/** Session proofs by node:crypto. */
export const nodeCrypto = (random: Random): SessionCrypto => ({
  hmac: (key, message) => createHmac('sha256', key).update(message).digest(),
  random: (count) => random.octets(count),
});
