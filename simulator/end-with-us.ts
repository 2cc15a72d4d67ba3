import type { ChildProcess } from 'node:child_process';

/** Programs that run now. */
const running = new Set<ChildProcess>();
let hasHook = false;

/** Whatever way this process ends, the child ends with it. */
export function endWithUs(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
  if (hasHook) return;
  hasHook = true;
  process.on('exit', () => {
    for (const each of running) each.kill('SIGKILL');
  });
}
