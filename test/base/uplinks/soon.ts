import { vi } from 'vitest';

/** Waits for what real sockets bring, at most 8 s. */
export function soon<T>(look: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(look, { timeout: 8_000, interval: 5 });
}
