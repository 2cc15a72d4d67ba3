import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../../base/core/clock.js';
import { eventually } from '../../end-to-end/support/house.js';
import { type ManualClock, settle } from '../../support/manual-clock.js';

/** What undici says of a request on its channels. */
interface Request {
  readonly origin: string | URL;
  readonly headers: readonly string[];
}

/** One attempt of the base in this process, seen where it leaves: also those that no receiver ever sees. */
export interface Attempt {
  readonly id: string;
  readonly timestampS: number;
  /** By the base's clock: monotonic, and of the wall. */
  readonly beganMs: number;
  readonly wallMs: number;
  /** `undefined`: under way. */
  endedMs: number | undefined;
  error: string | undefined;
}

interface Receiver {
  /** Without a path. */
  readonly url: string;
}

export class Attempts {
  readonly #byOrigin = new Map<string, Map<Request, Attempt>>();
  readonly #clock: Clock;

  private constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Until the test is over. */
  static watch(clock: Clock): Attempts {
    const attempts = new Attempts(clock);
    const hear = (channel: string, on: (message: { request: Request; error?: Error }) => void): void => {
      const heard = (message: unknown): void => on(message as { request: Request; error?: Error });
      subscribe(channel, heard);
      onTestFinished(() => void unsubscribe(channel, heard));
    };
    hear('undici:request:create', ({ request }) => attempts.#began(request));
    hear('undici:request:trailers', ({ request }) => attempts.#ended(request));
    hear('undici:request:error', ({ request, error }) => attempts.#ended(request, error));
    return attempts;
  }

  at(receiver: Receiver): readonly Attempt[] {
    return [...(this.#byOrigin.get(receiver.url)?.values() ?? [])];
  }

  underWay(receiver: Receiver): number {
    return this.at(receiver).filter(({ endedMs }) => endedMs === undefined).length;
  }

  /**
   * Lets time pass step by step; after each, what was begun at receivers other than `hanging` ends, however long the
   * machine takes for it.
   */
  async pass(
    clock: ManualClock,
    ms: number,
    { hanging = [], stepMs = 1_000 }: { readonly hanging?: readonly Receiver[]; readonly stepMs?: number } = {},
  ): Promise<void> {
    const hung = new Set(hanging.map(({ url }) => url));
    const isQuiet = (): boolean =>
      [...this.#byOrigin].every(
        ([origin, all]) => hung.has(origin) || [...all.values()].every(({ endedMs }) => endedMs !== undefined),
      );
    for (let left = ms; left > 0; left -= stepMs) {
      await clock.advance(Math.min(stepMs, left));
      await eventually('what was begun to end', isQuiet);
      await settle();
    }
  }

  #began(request: Request): void {
    const { headers } = request;
    const value = (name: string): string | undefined => headers[headers.indexOf(name) + 1];
    if (!headers.includes('webhook-id')) return;
    const origin = String(request.origin);
    const all = this.#byOrigin.get(origin) ?? new Map<Request, Attempt>();
    this.#byOrigin.set(origin, all);
    all.set(request, {
      id: value('webhook-id')!,
      timestampS: Number(value('webhook-timestamp')),
      beganMs: this.#clock.monotonic(),
      wallMs: this.#clock.now(),
      endedMs: undefined,
      error: undefined,
    });
  }

  #ended(request: Request, error?: Error): void {
    const attempt = this.#byOrigin.get(String(request.origin))?.get(request);
    if (attempt === undefined || attempt.endedMs !== undefined) return;
    attempt.endedMs = this.#clock.monotonic();
    attempt.error = error?.message;
  }
}
