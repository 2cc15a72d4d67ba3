import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const collectOnSignal = new URL('./collect-on-signal.js', import.meta.url);

/** What Node is told so that it collects all garbage on SIGUSR2. */
export const collecting: readonly string[] = ['--expose-gc', '--import', collectOnSignal.href];

/**
 * … and so that its young generation stays small: that grows with what was done last, to 32 MiB, and is the same for ten
 * sessions and for ten thousand.
 */
export const smallYoungGeneration: readonly string[] = ['--max-semi-space-size=1'];

/** As the generator does it (generator/sessions.c): Node gives back some of it later, some only after the next time. */
const COLLECTIONS = 3;
const COLLECT_MS = 1_200;

/** Octets of a process that was started with {@link collecting}. Throws when there is no such process any more. */
export async function residentWhenCollected(pid: number): Promise<number> {
  for (let times = 0; times < COLLECTIONS; times += 1) {
    process.kill(pid, 'SIGUSR2');
    await pause(COLLECT_MS);
  }
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kib) * 1_024;
}
