import { vi } from 'vitest';

/** Waits for what real sockets and processes bring, at most 10 s. */
export function soon<T>(look: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(look, { timeout: 10_000, interval: 5 });
}
