import { createHmac, randomBytes } from 'node:crypto';
import type { SessionCrypto } from '../../protocol/iotsocket/proof.js';

/** Time, as the clients see it. */
export interface ClientClock {
  /** ms since some fixed moment. Never jumps. */
  monotonic(): number;
  /** Calls once, `delayMs` from now. */
  after(delayMs: number, call: () => void): { cancel(): void };
}

/** What the clients need of the machine. Tests and simulations hand in their own. */
export interface ClientPlatform {
  readonly clock: ClientClock;
  /** 0 ≤ fraction < 1, for jitter and the first tracking number. */
  readonly fraction: () => number;
  readonly crypto: SessionCrypto;
}

/** The machine itself. */
export const systemPlatform: ClientPlatform = {
  clock: {
    monotonic: () => performance.now(),
    after: (delayMs, call) => {
      const timer = setTimeout(call, delayMs);
      return { cancel: () => clearTimeout(timer) };
    },
  },
  fraction: () => Math.random(),
  crypto: {
    hmac: (key, message) => new Uint8Array(createHmac('sha256', key).update(message).digest()),
    random: (count) => new Uint8Array(randomBytes(count)),
  },
};

/** Resolves after `delayMs`, or as soon as the signal aborts. */
export function pause(clock: ClientClock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.after(delayMs, end);
    signal.addEventListener('abort', end, { once: true });
  });
}
