import type { ChildProcess } from 'node:child_process';

const running = new Set<ChildProcess>();
let hasHook = false;

/** Whatever way the tests end, this process does not outlive them. */
export function endWithUs(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
  if (hasHook) return;
  hasHook = true;
  process.on('exit', () => {
    for (const each of running) each.kill('SIGKILL');
  });
}
