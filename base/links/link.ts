import { BaseUnitError, InternalError, LinkError, TimeoutError } from '../../protocol/errors.js';
import { type Clock, delay, type Timer } from '../core/clock.js';
import { type Deferred, deferred } from '../core/deferred.js';
import type { Delivery, DeliveryResult } from '../core/delivery.js';
import type { Log } from '../core/log.js';
import type { Random } from '../core/random.js';
import { backOff, REFUSED_BACK_OFF_MS } from './back-off.js';
import type { LinkSession, OpenSession } from './link-session.js';

/** A ping after so long without inbound octets (our own writes prove nothing); without any for so long the link is dead. */
export interface Heartbeat {
  readonly pingAfterMs: number;
  readonly deadAfterMs: number;
}

export const HEARTBEAT: Heartbeat = { pingAfterMs: 15_000, deadAfterMs: 45_000 };
/** Connecting and opening together (reference/limits.md, "TCP pre-auth"). */
export const OPENING_MS = 20_000;
/** An on-demand link closes after so long without a command in flight or a report coming. */
export const IDLE_MS = 2_000;
/** A link that was up for so long starts its back-off anew. */
export const STABLE_MS = 60_000;
/** A command may shorten the wait for the next attempt, but attempts keep this distance. */
const LEAST_DISTANCE_MS = 1_000;
/** The same after a refusal, where somebody has to change something first. */
const LEAST_DISTANCE_REFUSED_MS = 10_000;

/** `held`: always up. `onDemand`: opened when needed, closed when idle. `accepted`: the unit dials us. */
export type LinkPolicy = 'held' | 'onDemand' | 'accepted';

export type LinkState =
  | { readonly kind: 'down' }
  | { readonly kind: 'opening' }
  | { readonly kind: 'up'; readonly session: LinkSession }
  | { readonly kind: 'failed'; readonly error: Error };

export interface LinkOptions {
  readonly policy: LinkPolicy;
  /** Connects and opens; not for `accepted` links. */
  readonly open?: OpenSession;
  /** The right to the unit's one link. */
  readonly claim: (signal: AbortSignal) => Promise<() => void>;
  readonly heartbeat: Heartbeat;
  /** On-demand links: dial so often for waiting reports, in ms. */
  readonly pollMs?: number | undefined;
  readonly onState: (state: LinkState) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * The one link of a unit over its whole life: opens it as its policy says, watches over it, closes it, opens it again.
 * Read units and updatable units share it. `start` once, `stop` as often as you like.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #stop = new AbortController();
  #state: LinkState = { kind: 'down' };
  #running: Promise<void> | undefined;
  /** Whoever needs the link waits for this attempt's end, or the next one's. */
  #attempt: Deferred<LinkSession> | undefined;
  #wake: Deferred<void> = deferred();
  #isHurried = false;
  /** Deliveries that keep trying. */
  #patient = 0;
  #failedAt = Number.NEGATIVE_INFINITY;
  #lastActive = 0;
  #lastInbound = 0;
  #hasPinged = false;
  #deliveries = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  get state(): LinkState {
    return this.#state;
  }

  start(): void {
    if (this.#options.policy !== 'accepted') this.#running ??= this.#run();
  }

  /** Says goodbye, ends, and waits until everything of this link is gone. */
  async stop(): Promise<void> {
    this.#stop.abort(new InternalError('stopped', 'the base is stopping'));
    await this.#running;
  }

  /** For `accepted` links: the unit has dialled us. Replaces a link that is up; resolves when this one has ended. */
  adopt(open: OpenSession): Promise<void> {
    if (this.#state.kind === 'up') this.#state.session.close('replaced');
    const running = this.#once(open).catch((error: Error) => this.#failed(error));
    this.#running = Promise.all([this.#running, running]).then(() => {});
    return running;
  }

  /** Takes a command to the unit; opens the link for it where the policy allows. Never rejects. */
  async deliver(delivery: Delivery): Promise<DeliveryResult> {
    let sentIn: LinkSession | undefined;
    let repeatUntil = delivery.deadline;
    for (;;) {
      let session: LinkSession;
      try {
        session = await this.#need(repeatUntil, delivery.isPatient || sentIn !== undefined);
      } catch (error) {
        const reason = (error as Error).message;
        if (sentIn !== undefined)
          return { outcome: 'unknown', reason: `the link was lost before the unit answered; ${reason}` };
        return { outcome: isTooLate(error) ? 'expired' : 'unreachable', reason };
      }
      if (sentIn !== undefined && session.life !== sentIn.life) {
        return { outcome: 'unknown', reason: 'the unit restarted before it answered' };
      }
      sentIn = session;
      repeatUntil = Math.min(delivery.deadline, this.#options.clock.monotonic() + delivery.timeoutMs);
      this.#deliveries += 1;
      try {
        return await session.deliver(delivery);
      } catch (error) {
        if (!(error instanceof LinkError)) return { outcome: 'refused', reason: (error as Error).message };
      } finally {
        this.#deliveries -= 1;
        this.#lastActive = this.#options.clock.monotonic();
      }
    }
  }

  /** The session, when the link is up or comes up in time. One attempt, or as many as fit when patient. */
  async #need(deadline: number, isPatient: boolean): Promise<LinkSession> {
    if (isPatient) this.#patient += 1;
    try {
      for (;;) {
        const session = await this.#nextAttempt(deadline, isPatient);
        if (session !== undefined) return session;
      }
    } finally {
      if (isPatient) this.#patient -= 1;
    }
  }

  /** `undefined`: the attempt failed, and there may be another. */
  async #nextAttempt(deadline: number, isPatient: boolean): Promise<LinkSession | undefined> {
    const { clock, policy } = this.#options;
    this.#stop.signal.throwIfAborted();
    if (this.#state.kind === 'up') return this.#state.session;
    const leftMs = deadline - clock.monotonic();
    if (leftMs <= 0) throw tooLate();
    if (!isPatient) {
      if (policy === 'accepted') throw new LinkError('link-lost', 'the unit is not connected; it dials in itself');
      if (this.#state.kind === 'failed' && !this.#mayHurry(this.#state.error)) throw this.#state.error;
    }
    if (this.#state.kind !== 'failed' || this.#mayHurry(this.#state.error)) this.#isHurried = true;
    this.#wake.resolve();
    this.#attempt ??= deferred();
    try {
      return await withDeadline(this.#attempt.promise, clock, leftMs);
    } catch (error) {
      if (!isPatient || isTooLate(error)) throw error;
      return undefined;
    }
  }

  #mayHurry(error: Error): boolean {
    const distance = isRefusal(error) ? LEAST_DISTANCE_REFUSED_MS : LEAST_DISTANCE_MS;
    return this.#options.clock.monotonic() - this.#failedAt >= distance;
  }

  async #run(): Promise<void> {
    const { clock, random, open } = this.#options;
    const { signal } = this.#stop;
    let delays = backOff(random);
    let retryMs = 0;
    for (;;) {
      await this.#untilDue(retryMs);
      if (signal.aborted) break;
      const startedAt = clock.monotonic();
      let error: Error | undefined;
      try {
        await this.#once(open!);
      } catch (caught) {
        error = caught as Error;
        this.#failed(error);
      }
      if (clock.monotonic() - startedAt >= STABLE_MS) delays = backOff(random);
      retryMs = error !== undefined && isRefusal(error) ? REFUSED_BACK_OFF_MS : delays.next().value;
    }
    this.#attempt?.reject(signal.reason);
  }

  /** Until the link is to be opened: again after `retryMs`, for the next poll, or because somebody needs it. Or until `stop`. */
  async #untilDue(retryMs: number): Promise<void> {
    const { clock, policy, pollMs } = this.#options;
    const { signal } = this.#stop;
    const from = clock.monotonic();
    for (;;) {
      const keepsTrying = policy === 'held' || this.#patient > 0;
      const due = from + (this.#isHurried ? 0 : keepsTrying ? retryMs : (pollMs ?? Number.POSITIVE_INFINITY));
      const leftMs = due - clock.monotonic();
      if (leftMs <= 0 || signal.aborted) break;
      const wake = deferred<void>();
      this.#wake = wake;
      const timer = Number.isFinite(leftMs) ? clock.after(leftMs, wake.resolve) : undefined;
      signal.addEventListener('abort', wake.resolve as () => void, { once: true });
      await wake.promise;
      signal.removeEventListener('abort', wake.resolve as () => void);
      timer?.cancel();
    }
    this.#isHurried = false;
  }

  /** One link from claim to end. Rejects when it could not be opened or ended otherwise than orderly. */
  async #once(open: OpenSession): Promise<void> {
    const { clock } = this.#options;
    const opening = new AbortController();
    const abort = (): void => opening.abort(this.#stop.signal.reason);
    this.#stop.signal.addEventListener('abort', abort, { once: true });
    const release = await this.#options.claim(this.#stop.signal);
    const ended = deferred<Error | undefined>();
    const late = clock.after(OPENING_MS, () =>
      opening.abort(new TimeoutError('opening-timeout', `the link was not open within ${OPENING_MS / 1_000} s`)),
    );
    try {
      this.#transition({ kind: 'opening' });
      const session = await open(
        { inbound: () => this.#inbound(), closed: (error) => ended.resolve(error) },
        opening.signal,
      );
      late.cancel();
      this.#stop.signal.removeEventListener('abort', abort);
      this.#attempt?.resolve(session);
      this.#attempt = undefined;
      this.#transition({ kind: 'up', session });
      const error = await this.#watch(session, ended.promise);
      this.#transition({ kind: 'down' });
      if (error !== undefined) throw error;
    } finally {
      late.cancel();
      this.#stop.signal.removeEventListener('abort', abort);
      release();
    }
  }

  /** Heartbeat and idleness of a link that is up, until it ends. Gives the error it ended with. */
  async #watch(session: LinkSession, ended: Promise<Error | undefined>): Promise<Error | undefined> {
    const { clock, heartbeat, policy } = this.#options;
    const { signal } = this.#stop;
    this.#lastInbound = clock.monotonic();
    this.#lastActive = clock.monotonic();
    this.#hasPinged = false;
    let timer: Timer | undefined;
    const goodbye = (why: 'idle' | 'stopping'): void => {
      timer?.cancel();
      session.close(why);
    };
    const check = (): void => {
      const now = clock.monotonic();
      const silentMs = now - this.#lastInbound;
      if (silentMs >= heartbeat.deadAfterMs) {
        session.fail(new LinkError('link-silent', `nothing was heard for ${heartbeat.deadAfterMs / 1_000} s`));
        return;
      }
      if (session.isBusy || this.#deliveries > 0) this.#lastActive = now;
      if (policy === 'onDemand' && now - this.#lastActive >= IDLE_MS) return goodbye('idle');
      if (silentMs >= heartbeat.pingAfterMs && !this.#hasPinged) {
        this.#hasPinged = true;
        session.ping();
      }
      const heartbeatMs = this.#hasPinged ? heartbeat.deadAfterMs : heartbeat.pingAfterMs;
      const idleMs = policy === 'onDemand' ? this.#lastActive + IDLE_MS - now : Number.POSITIVE_INFINITY;
      timer = clock.after(Math.max(1, Math.min(heartbeatMs - silentMs, idleMs)), check);
    };
    const stop = (): void => goodbye('stopping');
    if (signal.aborted) stop();
    else {
      signal.addEventListener('abort', stop, { once: true });
      check();
    }
    const error = await ended;
    timer?.cancel();
    signal.removeEventListener('abort', stop);
    return error;
  }

  #inbound(): void {
    this.#lastInbound = this.#options.clock.monotonic();
    this.#lastActive = this.#lastInbound;
    this.#hasPinged = false;
  }

  #failed(error: Error): void {
    if (this.#stop.signal.aborted) return this.#transition({ kind: 'down' });
    this.#failedAt = this.#options.clock.monotonic();
    this.#transition({ kind: 'failed', error });
    this.#attempt?.reject(error);
    this.#attempt = undefined;
  }

  #transition(state: LinkState): void {
    this.#state = state;
    this.#options.onState(state);
  }
}

/** Somebody has to change something before another attempt can succeed. */
function isRefusal(error: Error): boolean {
  return error instanceof BaseUnitError && (error.family === 'configuration' || refusals.has(error.code));
}

const refusals = new Set<string>([
  'key-wrong',
  'uid-unknown',
  'uid-unexpected',
  'definition-unexpected',
  'version-unknown',
  'proof-refused',
]);

const tooLate = (): TimeoutError => new TimeoutError('command-timeout', 'the command was not delivered in time');

const isTooLate = (error: unknown): boolean => error instanceof TimeoutError && error.code === 'command-timeout';

async function withDeadline<T>(promise: Promise<T>, clock: Clock, ms: number): Promise<T> {
  const settled = new AbortController();
  const late = delay(clock, ms, settled.signal).then(() => {
    throw tooLate();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    settled.abort();
  }
}
