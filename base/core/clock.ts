/** Time, as everything below `base.ts` sees it. Tests hand in one that they advance by hand. */
export interface Clock {
  /** Unix time in ms. May jump, when the machine's clock is set. */
  now(): number;
  /** ms since some fixed moment. Never jumps; for measuring how long something takes. */
  monotonic(): number;
  /** Calls once, `delayMs` from now. */
  after(delayMs: number, call: () => void): Timer;
}

export interface Timer {
  /** May be called twice, and after the call was made. */
  cancel(): void;
}

/** Resolves after `delayMs`; rejects with the signal's reason when that aborts first. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    const abort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
  });
}
