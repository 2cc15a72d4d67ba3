/** Time, as the clients see it. */
export interface ClientClock {
  /** ms since some fixed moment. Never jumps. */
  monotonic(): number;
  /** Calls once, `delayMs` from now. */
  after(delayMs: number, call: () => void): { cancel(): void };
}

/** The machine's own. */
export const systemClock: ClientClock = {
  monotonic: () => performance.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs);
    return { cancel: () => clearTimeout(timer) };
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
