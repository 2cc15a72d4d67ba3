/** A stop that takes longer is forced, where nothing else is said: nothing ever has to be killed by hand. In ms. */
const FORCE_MS = 4_500;

/** Ctrl-C reaches a program started by npm twice: from the terminal, and passed on by npm. That is one wish, not two. In ms. */
const ECHO_MS = 500;

export interface UntilStoppedOptions {
  /** How long the stop may take, in ms. Default 4.5 s. */
  readonly forceMs?: number;
  /** Told before the process is ended by force. */
  readonly forced?: (why: 'a second signal' | 'time is over') => void;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Starts something; gives how it is ended. The signal aborts when the process is told to stop; `ask` does what SIGTERM does. */
export type StartUntilStopped = (signal: AbortSignal, ask: () => void) => Promise<() => Promise<void>>;

/**
 * Starts something that runs until SIGINT, SIGTERM or SIGHUP, then ends it. A second signal, or a stop that takes too long,
 * ends the process at once, with exit code 1. Whatever still holds the process when the time is over is ended with it.
 */
export async function untilStopped(start: StartUntilStopped, options: UntilStoppedOptions = {}): Promise<void> {
  const { forceMs = FORCE_MS, forced } = options;
  const stop = new AbortController();
  let isEnded = false;
  let ask!: () => void;
  const asked = new Promise<void>((resolve) => {
    let askedAt: number | undefined;
    const force = (why: 'a second signal' | 'time is over'): void => {
      if (isEnded) process.exit();
      forced?.(why);
      process.exit(1);
    };
    ask = (): void => {
      const isEcho = askedAt !== undefined && performance.now() - askedAt < ECHO_MS;
      if (isEcho) return;
      if (askedAt !== undefined) force('a second signal');
      askedAt = performance.now();
      stop.abort();
      setTimeout(() => force('time is over'), forceMs).unref();
      resolve();
    };
  });
  for (const signal of signals) process.on(signal, ask);
  let end: () => Promise<void>;
  try {
    end = await start(stop.signal, ask);
  } catch (error) {
    isEnded = true;
    // A start that was cut short by the wish to stop is no failure.
    if (stop.signal.aborted) return;
    for (const signal of signals) process.off(signal, ask);
    throw error;
  }
  await asked;
  await end();
  isEnded = true;
}
