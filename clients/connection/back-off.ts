import { MAX_MS, whole } from './check-option.js';

/** How soon a client connects again, in ms: each delay is drawn from 0 to a bound that doubles up to the cap. */
export interface BackOff {
  readonly firstMs: number;
  readonly capMs: number;
  /** After the concentrator refused the login or the opening: somebody has to change something first. */
  readonly refusedMs: number;
}

/** Full jitter from 1 s to 60 s, 5 min after a refusal (reference/limits.md, "Back-off everywhere"). */
const DEFAULT_BACK_OFF: BackOff = { firstMs: 1_000, capMs: 60_000, refusedMs: 300_000 };
/** A session that held so long was a good one: the delays start anew. */
export const STABLE_MS = 60_000;
/** Never nothing: a draw near 0 would connect in a tight loop. */
const LEAST_MS = 50;

export function* delays(
  { firstMs, capMs }: Pick<BackOff, 'firstMs' | 'capMs'>,
  fraction: () => number,
): Generator<number, never> {
  let bound = firstMs;
  for (;;) {
    yield Math.max(LEAST_MS, fraction() * bound);
    bound = Math.min(capMs, 2 * bound);
  }
}

/**
 * The option `reconnect` of a client, complete; `undefined`: it does not connect again. Throws ConfigurationError
 * `config-invalid`.
 */
export function checkBackOff(reconnect: boolean | Partial<BackOff>): BackOff | undefined {
  if (reconnect === false) return undefined;
  const backOff = { ...DEFAULT_BACK_OFF, ...(reconnect === true ? {} : reconnect) };
  for (const [name, ms] of Object.entries(backOff)) whole(`reconnect.${name}`, ms, 1, MAX_MS);
  return backOff;
}
