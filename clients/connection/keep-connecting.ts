import { InternalError } from '../../protocol/errors.js';
import { type BackOff, delays, STABLE_MS } from './back-off.js';
import { type ClientClock, pause } from './client-clock.js';

export interface ConnectingAgain {
  /** `undefined`: once only. */
  readonly backOff: BackOff | undefined;
  readonly clock: ClientClock;
  /** 0 ≤ fraction < 1, for jitter. */
  readonly fraction: () => number;
  /** Aborts when nothing more is wanted. */
  readonly signal: AbortSignal;
  /** One connection, from the first octet to the last. Gives what went wrong; never rejects. */
  readonly once: () => Promise<Error | undefined>;
  /** The next attempt comes in so many ms. */
  readonly waiting: (inMs: number, error: Error | undefined) => void;
  /** Somebody has to change something first, so there is no hurry. */
  readonly isRefusal?: (error: Error | undefined) => boolean;
}

/** Connects, and again whenever it ends if that is wanted. Gives why it stopped; never rejects. */
export async function keepConnecting(options: ConnectingAgain): Promise<Error> {
  const { backOff, clock, fraction, signal, once, waiting, isRefusal = () => false } = options;
  let waits: Generator<number, never> | undefined;
  for (;;) {
    const begunAt = clock.monotonic();
    const error = await once();
    if (signal.aborted || backOff === undefined) return error ?? clientClosed();
    if (waits === undefined || clock.monotonic() - begunAt >= STABLE_MS) waits = delays(backOff, fraction);
    const inMs = isRefusal(error) ? backOff.refusedMs : waits.next().value;
    waiting(inMs, error);
    await pause(clock, inMs, signal);
    if (signal.aborted) return clientClosed();
  }
}

export const clientClosed = (): InternalError => new InternalError('stopped', 'the client was closed');
