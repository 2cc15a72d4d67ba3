import type { RunningCheck } from './checks.js';

/** Back to the line's begin, and all of it erased. */
const ERASE = '\r\x1b[K';

/** On a terminal, one line that says which checks are still under way. Gives what takes it away. */
export function showProgress(
  checks: readonly RunningCheck[],
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write' | 'columns'> = process.stderr,
): { clear(): void; draw(): void } {
  if (stream.isTTY !== true) return { clear() {}, draw() {} };
  const waiting = new Set(checks);
  const clear = (): void => void stream.write(ERASE);
  const draw = (): void => {
    if (waiting.size === 0) return clear();
    const text = `looking at ${[...waiting].map(({ check }) => check).join(', ')} …`;
    stream.write(`${ERASE}${text.slice(0, (stream.columns ?? 80) - 1)}`);
  };
  draw();
  for (const check of checks) {
    void check.findings.then(() => {
      waiting.delete(check);
      draw();
    });
  }
  return { clear, draw };
}
