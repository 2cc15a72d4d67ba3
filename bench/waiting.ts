import { setTimeout as pause } from 'node:timers/promises';

/** What a bench waits for before it measures; past this it will not come. */
const PATIENCE_MS = 30_000;

export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const late = performance.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    if (performance.now() > late) throw new Error(`not within ${PATIENCE_MS / 1_000} s: ${isTrue}`);
    await pause(100);
  }
}
