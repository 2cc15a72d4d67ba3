const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** A time for people, as exact as they want it: `45 s`, `10 min`, `2.5 h`, `3 days`. */
export function durationText(ms: number): string {
  if (ms < 90_000) return `${Math.max(0, Math.round(ms / 1_000))} s`;
  if (ms < 90 * MINUTE_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  if (ms < 48 * HOUR_MS) return `${Math.round((10 * ms) / HOUR_MS) / 10} h`;
  return `${Math.round(ms / (24 * HOUR_MS))} days`;
}
