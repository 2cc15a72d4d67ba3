import { InternalError, LinkError, TimeoutError } from '../../protocol/errors.js';
import { type Clock, delay } from '../core/clock.js';
import { type Deferred, deferred } from '../core/deferred.js';
import type { Delivery, DeliveryResult } from '../core/delivery.js';
import type { Random } from '../core/random.js';
import { backOff, REFUSED_BACK_OFF_MS } from './back-off.js';
import { isRefusal } from './is-refusal.js';
import type { LinkSession, OpenSession } from './link-session.js';
import { type Heartbeat, LinkWatch } from './link-watch.js';

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
  /** Could not be opened, or was lost. */
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
  /** Of a unit that dials us: why it is not there. */
  readonly whyAway?: () => string;
  readonly clock: Clock;
  readonly random: Random;
}

/** How one link, from claim to end, ended. */
interface Ended {
  /** How long it was up; 0: it never was. */
  readonly upMs: number;
  /** `undefined`: in order. */
  readonly error: Error | undefined;
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
  /** The connection that is not up yet. */
  #opening: AbortController | undefined;
  #watch: LinkWatch | undefined;
  /** Whoever needs the link waits for this attempt's end, or the next one's. */
  #attempt: Deferred<LinkSession> | undefined;
  #wake: Deferred<void> = deferred();
  #isHurried = false;
  /** Deliveries that keep trying. */
  #patient = 0;
  /** From here attempts keep their distance: when the last one failed, or when the link came up. */
  #distanceFrom = Number.NEGATIVE_INFINITY;
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
    const error = new InternalError('stopped', 'the base is stopping');
    this.#stop.abort(error);
    this.#attempt?.reject(error);
    await this.#running;
  }

  /** For `accepted` links: the unit has dialled us. The newest connection wins; resolves when this one has ended. */
  adopt(open: OpenSession): Promise<void> {
    this.#opening?.abort(new LinkError('link-lost', 'the unit connected once more'));
    if (this.#state.kind === 'up') this.#state.session.close('replaced');
    const running = this.#once(open).then(() => {});
    this.#running = Promise.all([this.#running, running]).then(() => {});
    return running;
  }

  /**
   * The unit was seen: a link that waits for its next attempt does not wait longer. An attempt under way may be at another
   * place: when it fails, the next one follows at once. Attempts keep no distance here: the caller bounds how often.
   */
  hurry(): void {
    if (this.#options.policy !== 'held' && this.#patient === 0) return;
    if (this.#state.kind === 'up') return;
    this.#isHurried = true;
    this.#wake.resolve();
  }

  /** Takes a command to the unit; opens the link for it where the policy allows. Never rejects. */
  async deliver(delivery: Delivery): Promise<DeliveryResult> {
    const { clock } = this.#options;
    /** The life of the unit in which it was sent. */
    let { sentIn } = delivery;
    let until = delivery.deadline;
    for (;;) {
      let session: LinkSession;
      try {
        session = await this.#need(until, delivery.isPatient || sentIn !== undefined);
      } catch (error) {
        const reason = (error as Error).message;
        if (sentIn !== undefined)
          return { outcome: 'unknown', reason: `the link was lost before the unit answered; ${reason}` };
        return { outcome: isTooLate(error) ? 'expired' : 'unreachable', reason };
      }
      if (sentIn !== undefined && session.life !== sentIn) {
        return { outcome: 'unknown', reason: 'the unit restarted before it answered' };
      }
      try {
        await delivery.sending(session.life);
      } catch (error) {
        return { outcome: 'unreachable', reason: `the base cannot store that it is sent: ${(error as Error).message}` };
      }
      // To store it may have taken until its time was over.
      if (session.isClosing || clock.monotonic() >= until) continue;
      const wasSent = sentIn !== undefined;
      // Repeated only while its sender may still wait for the answer to the first sending.
      const leftMs = until - clock.monotonic();
      const timeoutMs = wasSent ? Math.min(delivery.timeoutMs, leftMs) : delivery.timeoutMs;
      if (!wasSent) until = Math.min(delivery.deadline, clock.monotonic() + delivery.timeoutMs);
      sentIn = session.life;
      this.#deliveries += 1;
      try {
        return await session.deliver({ ...delivery, timeoutMs });
      } catch (error) {
        if (!(error instanceof LinkError)) return { outcome: 'unknown', reason: (error as Error).message };
        if (error.code === 'link-asleep' && !wasSent) {
          // It answers what it takes at once, so it did not take this before it said that it sleeps; what was sent before, and
          // not answered, it may have taken.
          sentIn = undefined;
          until = delivery.deadline;
        }
      } finally {
        this.#deliveries -= 1;
        this.#watch?.delivered();
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
    const leftMs = deadline - clock.monotonic();
    if (leftMs <= 0) throw tooLate();
    const state = this.#state;
    if (state.kind === 'up' && !state.session.isClosing) return state.session;
    const mayHurry = this.#mayHurry(state);
    if (!isPatient) {
      if (policy === 'accepted' && this.#opening === undefined)
        throw new LinkError('link-lost', this.#options.whyAway?.() ?? DIALS_IN);
      if (policy !== 'accepted' && !mayHurry && state.kind !== 'opening') throw whyNot(state);
    }
    if (mayHurry) this.#isHurried = true;
    this.#wake.resolve();
    this.#attempt ??= deferred();
    try {
      return await withDeadline(this.#attempt.promise, clock, leftMs);
    } catch (error) {
      if (!isPatient || isTooLate(error)) throw error;
      return undefined;
    }
  }

  #mayHurry(state: LinkState): boolean {
    if (state.kind === 'down' || state.kind === 'opening') return state.kind === 'down';
    const isRefused = state.kind === 'failed' && isRefusal(state.error);
    const distance = isRefused ? LEAST_DISTANCE_REFUSED_MS : LEAST_DISTANCE_MS;
    return this.#options.clock.monotonic() - this.#distanceFrom >= distance;
  }

  async #run(): Promise<void> {
    const { random, open } = this.#options;
    let delays = backOff(random);
    let retryMs = 0;
    for (;;) {
      await this.#untilDue(retryMs);
      if (this.#stop.signal.aborted) return;
      const { upMs, error } = await this.#once(open!);
      if (error === undefined || upMs >= STABLE_MS) delays = backOff(random);
      retryMs = error !== undefined && isRefusal(error) ? REFUSED_BACK_OFF_MS : delays.next().value;
    }
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
      const stop = (): void => wake.resolve();
      const timer = Number.isFinite(leftMs) ? clock.after(leftMs, stop) : undefined;
      signal.addEventListener('abort', stop, { once: true });
      await wake.promise;
      signal.removeEventListener('abort', stop);
      timer?.cancel();
    }
    this.#isHurried = false;
  }

  /** One link from claim to end. Never rejects. */
  async #once(open: OpenSession): Promise<Ended> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    const opening = new AbortController();
    this.#opening = opening;
    const abort = (): void => opening.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    const opened = (): void => {
      signal.removeEventListener('abort', abort);
      if (this.#opening === opening) this.#opening = undefined;
    };
    let release: (() => void) | undefined;
    let upAt: number | undefined;
    let error: Error | undefined;
    try {
      release = await this.#options.claim(opening.signal);
      this.#transition({ kind: 'opening' });
      const ended = deferred<Error | undefined>();
      const session = await open(
        { inbound: () => this.#watch?.inbound(), closed: (why) => ended.resolve(why) },
        opening.signal,
      );
      opened();
      upAt = clock.monotonic();
      this.#isUp(session, upAt);
      error = await this.#untilEnded(session, ended.promise);
    } catch (caught) {
      error = caught as Error;
    }
    opened();
    const upMs = upAt === undefined ? 0 : clock.monotonic() - upAt;
    // Without the claim nothing of this connection was ever told: another one of the unit has the link.
    if (release !== undefined) this.#ended(upAt !== undefined, error);
    release?.();
    return { upMs, error };
  }

  #isUp(session: LinkSession, at: number): void {
    this.#distanceFrom = at;
    this.#isHurried = false;
    this.#transition({ kind: 'up', session });
    this.#attempt?.resolve(session);
    this.#attempt = undefined;
  }

  /** Watches over a link that is up. Gives the error it ended with. */
  async #untilEnded(session: LinkSession, ended: Promise<Error | undefined>): Promise<Error | undefined> {
    const { clock, heartbeat, policy } = this.#options;
    const { signal } = this.#stop;
    const watch = new LinkWatch({
      session,
      heartbeat,
      idleMs: policy === 'onDemand' ? IDLE_MS : undefined,
      isDelivering: () => this.#deliveries > 0,
      clock,
    });
    this.#watch = watch;
    const stop = (): void => {
      watch.stop();
      session.close('stopping');
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    else watch.start();
    const error = await ended;
    watch.stop();
    this.#watch = undefined;
    signal.removeEventListener('abort', stop);
    return error;
  }

  #ended(wasUp: boolean, error: Error | undefined): void {
    if (error === undefined || this.#stop.signal.aborted) return this.#transition({ kind: 'down' });
    if (!wasUp) this.#distanceFrom = this.#options.clock.monotonic();
    this.#transition({ kind: 'failed', error });
    if (wasUp || this.#opening !== undefined) return;
    this.#attempt?.reject(error);
    this.#attempt = undefined;
  }

  #transition(state: LinkState): void {
    this.#state = state;
    this.#options.onState(state);
  }
}

const whyNot = (state: LinkState): Error =>
  state.kind === 'failed' ? state.error : new LinkError('link-lost', 'the unit closed the link');

const DIALS_IN = 'the unit is not connected; it dials in itself';

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
