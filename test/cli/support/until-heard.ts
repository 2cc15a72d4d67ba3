import type { Program } from './program.js';

/** Often enough to be quick, seldom enough for the API, which lets one token ask 20 times a second. */
const AGAIN_MS = 100;

/** Does something again and again until a program says a line with this in it: a stream has no first word of its own. */
export async function untilHeard(program: Program, pattern: RegExp, act: () => Promise<unknown>): Promise<void> {
  let isHeard = false;
  const heard = program.line(pattern).finally(() => {
    isHeard = true;
  });
  heard.catch(() => {});
  while (!isHeard) {
    await act();
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
  await heard;
}
