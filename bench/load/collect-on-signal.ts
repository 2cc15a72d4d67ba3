import { isMainThread } from 'node:worker_threads';

/*
 * Loaded before a program whose memory is measured (`node --expose-gc --import …`): on SIGUSR2 all garbage is collected, so
 * that what is resident then is what is held.
 */

const { gc } = globalThis as { gc?: () => void };
if (isMainThread)
  process.on('SIGUSR2', () => {
    // What the first one finalises, the second one frees.
    gc?.();
    gc?.();
  });
