import { vi } from 'vitest';
import { commandLine } from '../../../cli/main.js';

/** Runs `baseunit …` in this process, where that ends by itself, and gives what it printed. Rejects as the command does. */
export const runHere = (words: readonly string[]): Promise<string> =>
  printed(() => commandLine().parseAsync([...words], { from: 'user' }));

/** What is printed meanwhile. */
export async function printed(act: () => Promise<unknown>): Promise<string> {
  let out = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  try {
    await act();
    return out;
  } finally {
    spy.mockRestore();
  }
}
