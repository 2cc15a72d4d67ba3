/** A stop that takes longer is forced, so that nothing ever has to be killed by hand. In ms. */
const FORCE_MS = 4_500;

/** Ctrl-C reaches a program started by npm twice: from the terminal, and passed on by npm. That is one wish, not two. In ms. */
const ECHO_MS = 500;

/**
 * Starts something that runs until SIGINT or SIGTERM, then ends it. The signal that the start gets aborts when the process
 * is told to stop before it has started. A second signal, or a stop that takes too long, ends the process at once.
 */
export async function untilStopped(start: (signal: AbortSignal) => Promise<() => Promise<void>>): Promise<void> {
  const stop = new AbortController();
  const asked = new Promise<void>((resolve) => {
    let askedAt: number | undefined;
    const ask = (): void => {
      const isEcho = askedAt !== undefined && performance.now() - askedAt < ECHO_MS;
      if (isEcho) return;
      if (askedAt !== undefined) process.exit(1);
      askedAt = performance.now();
      stop.abort();
      setTimeout(() => process.exit(1), FORCE_MS).unref();
      resolve();
    };
    process.on('SIGINT', ask);
    process.on('SIGTERM', ask);
    process.on('SIGHUP', ask);
  });
  let end: () => Promise<void>;
  try {
    end = await start(stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return;
    throw error;
  }
  await asked;
  await end();
}
