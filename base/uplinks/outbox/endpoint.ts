import { CircuitBreaker } from '../../core/circuit-breaker.js';
import type { Clock, Timer } from '../../core/clock.js';
import type { Log } from '../../core/log.js';
import type { OutboxStatus, OutboxView } from '../../core/outbox-port.js';
import type { Outbox, Told, ToldKind } from '../../core/outboxes.js';
import type { Addition, DeadLetter, Queue, QueueEntry, QueueItem } from '../../core/queue.js';
import type { Random } from '../../core/random.js';
import { TroubleLog } from '../../core/trouble-log.js';
import { type Attempt, type AttemptResult, attempt } from './attempt.js';
import { DeliverySchedule, type Scheduled } from './delivery-schedule.js';
import { OutboxRoom, type RoomBounds } from './outbox-room.js';
import { longestWaitBefore, SCHEDULE_MS, waitBefore } from './retry-schedule.js';

/** Attempts at once (reference/limits.md, Webhook); one of each key, which the schedule sees to. */
export const MAX_PARALLEL = 4;
/** A receiver that answered nothing right for so long is given up (reference/limits.md, Webhook). */
export const DISABLE_AFTER_MS = 5 * 24 * 60 * 60 * 1_000;
/** What each run tries at least before it gives up: while the base was off, nobody was asked. */
export const TRIED_AT_LEAST_MS = 60 * 60 * 1_000;
/** How long `stop` goes on sending what is due, where nothing else is said. */
export const STOP_GRACE_MS = 2_000;
/** Until what the store could not read is read again. */
const READ_AGAIN_MS = 5_000;
/** Refusals between two lines about them. */
const SAY_EVERY = 1_000;

export interface EndpointOptions extends RoomBounds {
  /** What the log and the API call it; no secret in it. */
  readonly label: string;
  readonly queue: Queue;
  /** Of all other messages the receiver is told nothing. Default: any kind. */
  readonly kinds?: ReadonlySet<ToldKind> | undefined;
  /** What of a message the receiver is told. */
  readonly itemOf: (message: Told) => QueueItem | undefined;
  readonly attempt: Attempt;
  /** When an item is tried. Default: as webhooks are. */
  readonly schedule?: readonly number[] | undefined;
  /** Where only the newest are worth sending: items of one key; past it the oldest of that key is dropped. */
  readonly maxItemsPerKey?: number | undefined;
  /** It could not be stored, and will not be offered again: the last chance to tell it at all. */
  readonly notStored?: ((addition: Addition) => void) | undefined;
  /** Default 5 days; `Infinity`: it is never given up for failing. */
  readonly disableAfterMs?: number | undefined;
  /** Default {@link STOP_GRACE_MS}. */
  readonly stopGraceMs?: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** One receiver: sends what its queue holds, retries, leaves it alone when it keeps failing. Shares nothing with another. */
export class Endpoint implements Outbox, OutboxView {
  readonly #options: EndpointOptions;
  readonly #schedule: readonly number[];
  readonly #log: Log;
  readonly #say: TroubleLog;
  /** Each reason once, until something gets through: a second trouble behind the first must not stay unsaid. */
  #sayFailing: TroubleLog;
  readonly #waiting = new DeliverySchedule();
  readonly #room: OutboxRoom;
  readonly #abort = new AbortController();
  readonly #inFlight = new Set<Promise<void>>();
  #replaying: Promise<unknown> = Promise.resolve();
  #breaker = new CircuitBreaker();
  #disabled: { readonly at: number; readonly reason: string } | undefined;
  #isStopping = false;
  #isStopped = false;
  #timer: Timer | undefined;
  #notBefore = Number.NEGATIVE_INFINITY;
  #delivered = 0;
  #refused = 0;
  #dead = 0;

  constructor(options: EndpointOptions) {
    this.#options = options;
    this.#schedule = options.schedule ?? SCHEDULE_MS;
    this.#room = new OutboxRoom(options);
    this.#log = options.log.child({ endpoint: options.label });
    this.#say = new TroubleLog(this.#log);
    this.#sayFailing = new TroubleLog(this.#log);
  }

  get name(): string {
    return this.#options.queue.name;
  }

  get status(): OutboxStatus {
    const failing = this.#breaker.failingSince !== undefined;
    return {
      endpoint: this.name,
      label: this.#options.label,
      state: this.#disabled !== undefined ? 'disabled' : failing ? 'failing' : 'working',
      ...(this.#disabled === undefined ? {} : { reason: this.#disabled.reason }),
      waiting: this.#waiting.count,
      octets: this.#waiting.octets,
      dead: this.#dead,
      delivered: this.#delivered,
      refused: this.#refused,
    };
  }

  /** Takes up what an earlier run left, and begins to send. */
  async start(): Promise<void> {
    const { queue, clock } = this.#options;
    const { entries, state, dead } = await queue.load();
    this.#dead = dead;
    queue.whenPruned((left) => {
      this.#dead = left;
    });
    this.#disabled = state.disabled;
    const monotonic = clock.monotonic();
    if (state.failingSince !== undefined) {
      // A clock that was set since says nothing; the count begins anew.
      const forMs = Math.max(0, clock.now() - state.failingSince);
      const countedMs = forMs < 2 * DISABLE_AFTER_MS ? Math.min(forMs, DISABLE_AFTER_MS - TRIED_AT_LEAST_MS) : 0;
      this.#breaker = new CircuitBreaker(monotonic - countedMs);
    }
    for (const entry of entries) this.#waiting.add(entry, monotonic + this.#leftMs(entry));
    if (this.#disabled !== undefined)
      this.#log.warn({ reason: this.#disabled.reason }, `still disabled: baseunit outbox enable ${queue.name}`);
    else if (entries.length > 0) this.#log.info({ waiting: entries.length }, 'goes on with what waits');
    this.#pump();
  }

  // Outbox: what the journal asks.

  get kinds(): ReadonlySet<ToldKind> | undefined {
    return this.#options.kinds;
  }

  pick(message: Told): Addition | undefined {
    const { queue, clock, itemOf } = this.#options;
    const item = itemOf(message);
    if (item === undefined) return undefined;
    if (this.#disabled !== undefined) {
      this.#refused += 1;
      return undefined;
    }
    const addition = queue.addition(item, clock.now());
    const full = this.#room.take(addition, this.#waiting);
    return full === undefined ? addition : this.#refuse(addition, full);
  }

  committed(addition: Addition): void {
    if (addition.dead !== undefined) {
      this.#dead += 1;
      return;
    }
    this.#room.left(addition);
    if (this.#disabled !== undefined) {
      // It was on its way when the receiver was disabled.
      this.#dead += 1;
      this.#options.queue.bury(addition.entry.position, 0, whyDead(this.#disabled));
      return;
    }
    this.#waiting.add(addition.entry);
    this.#makeRoom(addition.entry.key);
    this.#pump();
  }

  failed(addition: Addition, isForGood: boolean): void {
    if (addition.dead === undefined) this.#room.left(addition);
    if (isForGood) this.#options.notStored?.(addition);
  }

  // OutboxView: what people ask.

  deadLetters(behind: number, limit: number): Promise<readonly DeadLetter[]> {
    return this.#options.queue.deadLetters(behind, limit);
  }

  /** One after the other: a dead letter that two ask for is sent once. */
  replay(positions: readonly number[]): Promise<number> {
    const replayed = this.#replaying.then(() => this.#replay(positions));
    this.#replaying = replayed.catch(() => {});
    return replayed;
  }

  async #replay(positions: readonly number[]): Promise<number> {
    const { queue, clock } = this.#options;
    const entries = await queue.replay(positions, clock.now());
    this.#dead -= entries.length;
    for (const entry of entries) this.#waiting.add(entry);
    this.#pump();
    return entries.length;
  }

  enable(): void {
    if (this.#disabled === undefined) return;
    this.#disabled = undefined;
    this.#breaker = new CircuitBreaker();
    this.#notBefore = Number.NEGATIVE_INFINITY;
    this.#sayFailing = new TroubleLog(this.#log);
    this.#saveState();
    this.#log.info({}, 'enabled again');
    this.#pump();
  }

  /** Goes on with what is due, within its grace; what still waits is sent after the next start. May be called twice. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#timer?.cancel();
    const { queue, clock, stopGraceMs = STOP_GRACE_MS } = this.#options;
    const grace = clock.after(stopGraceMs, () => {
      this.#isStopped = true;
      this.#abort.abort();
    });
    // Their ends begin what is due next.
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
    grace.cancel();
    this.#isStopped = true;
    await queue.settled();
  }

  /** A full queue refuses aloud: what there is no room for is a dead letter at once. */
  #refuse({ entry, body }: Addition, dead: string): Addition {
    this.#refused += 1;
    if (this.#refused % SAY_EVERY === 1)
      this.#log.error({ id: entry.id, refused: this.#refused, reason: dead }, 'not taken: it is a dead letter');
    return { queue: this.name, entry, body, dead };
  }

  /** Where only the newest count, the oldest of the key goes. */
  #makeRoom(key: string): void {
    const { maxItemsPerKey, queue } = this.#options;
    if (maxItemsPerKey === undefined) return;
    const { position, count } = this.#waiting.oldestOf(key);
    if (count <= maxItemsPerKey || position === undefined) return;
    this.#waiting.remove(position);
    queue.remove(position);
    this.#refused += 1;
    if (this.#refused % SAY_EVERY === 1)
      this.#log.warn({ unit: key, dropped: this.#refused }, 'too many wait, the oldest was dropped');
  }

  /** What is left of an item's wait: a clock that was set must neither lose it nor hold it back for ever. */
  #leftMs({ attempts, dueAt }: QueueEntry): number {
    const longest = longestWaitBefore(this.#schedule, attempts);
    return Math.min(Math.max(0, dueAt - this.#options.clock.now()), longest);
  }

  #pump(): void {
    this.#timer?.cancel();
    if (this.#isStopped || this.#disabled !== undefined) return;
    const now = this.#options.clock.monotonic();
    for (let next = this.#next(now); next !== undefined; next = this.#next(now)) {
      const sending = this.#send(next.item, next.isEarly);
      this.#inFlight.add(sending);
      void sending.finally(() => {
        this.#inFlight.delete(sending);
        this.#pump();
      });
    }
    if (!this.#isStopping) this.#sleep(now);
  }

  #next(now: number): { item: Scheduled; isEarly: boolean } | undefined {
    if (now < this.#notBefore || this.#inFlight.size >= MAX_PARALLEL) return undefined;
    if (this.#breaker.isOpen && (this.#inFlight.size > 0 || now < this.#breaker.probeAt || this.#isStopping))
      return undefined;
    const due = this.#waiting.take(now);
    if (due !== undefined) return { item: due, isEarly: false };
    const early = this.#breaker.isOpen ? this.#waiting.takeEarly() : undefined;
    return early && { item: early, isEarly: true };
  }

  #sleep(now: number): void {
    const dueAt = this.#waiting.nextDueAt();
    // in flight: their end pumps again
    if (dueAt === undefined || this.#inFlight.size >= MAX_PARALLEL) return;
    if (this.#breaker.isOpen && this.#inFlight.size > 0) return;
    const at = Math.max(this.#breaker.isOpen ? this.#breaker.probeAt : dueAt, this.#notBefore);
    if (at > now) this.#timer = this.#options.clock.after(at - now, () => this.#pump());
  }

  async #send(item: Scheduled, isEarly: boolean): Promise<void> {
    const { position, id, key } = item;
    const body = await this.#body(item);
    if (body === undefined || this.#waiting.at(position) !== item) return;
    // Whatever an uplink throws is a failure of this attempt, and nothing more.
    const result = await attempt(() => this.#options.attempt({ id, key, body }, this.#abort.signal));
    if (this.#waiting.at(position) !== item) return this.#late(item, result);
    const now = this.#options.clock.monotonic();
    switch (result.kind) {
      case 'delivered':
        this.#delivered += 1;
        this.#waiting.remove(position);
        this.#options.queue.remove(position);
        return this.#reached(now);
      case 'rejected':
        this.#say.warn(`rejected ${result.reason}`, { id, reason: result.reason }, 'not accepted, given up');
        this.#bury(item, result.reason);
        return this.#reached(now);
      case 'gone':
        return this.#disable(result.reason);
      case 'failed':
        return this.#failed(item, isEarly, result, now);
    }
  }

  /** `undefined`: it is not there any more, or the store cannot be read now. */
  async #body({ position }: Scheduled): Promise<string | undefined> {
    try {
      const body = await this.#options.queue.body(position);
      if (body === undefined) this.#waiting.remove(position);
      this.#say.forget('body');
      return body;
    } catch (error) {
      this.#say.error('body', { error: (error as Error).message }, 'what is to be sent cannot be read');
      this.#waiting.putBack(position);
      this.#notBefore = Math.max(this.#notBefore, this.#options.clock.monotonic() + READ_AGAIN_MS);
      return undefined;
    }
  }

  /** The receiver was disabled meanwhile and the item is a dead letter: nothing but its delivery changes that. */
  #late({ position }: Scheduled, result: AttemptResult): void {
    if (result.kind !== 'delivered' || this.#waiting.at(position) !== undefined) return;
    this.#delivered += 1;
    this.#dead -= 1;
    this.#options.queue.remove(position);
  }

  #reached(now: number): void {
    if (this.#breaker.isOpen) {
      this.#log.info({ waiting: this.#waiting.count }, 'reachable again');
      this.#waiting.hurry(now);
    }
    const wasFailing = this.#breaker.failingSince !== undefined;
    this.#breaker.succeeded();
    if (wasFailing) this.#saveState();
    this.#sayFailing = new TroubleLog(this.#log);
  }

  #failed(item: Scheduled, isEarly: boolean, result: AttemptResult & { kind: 'failed' }, now: number): void {
    // stopped: the attempt was cut short by us, and says nothing about the receiver
    const { queue, random, clock } = this.#options;
    if (this.#abort.signal.aborted) return this.#waiting.putBack(item.position);
    const { reason } = result;
    this.#sayFailing.warn(`failing ${reason}`, { id: item.id, reason }, 'not delivered, will be tried again');
    const isNews = this.#breaker.failingSince === undefined;
    this.#breaker.failed(now);
    if (isNews) this.#saveState();
    if (result.retryAfterMs !== undefined) this.#notBefore = Math.max(this.#notBefore, now + result.retryAfterMs);
    const { disableAfterMs = DISABLE_AFTER_MS } = this.#options;
    if (now - (this.#breaker.failingSince ?? now) >= disableAfterMs) return this.#disable('failing for 5 days');
    if (isEarly) return this.#waiting.putBack(item.position);
    const waitMs = waitBefore(this.#schedule, item.attempts + 1, random);
    if (waitMs === undefined) {
      this.#log.error({ id: item.id, reason, attempts: item.attempts + 1 }, 'given up after the whole schedule');
      return this.#bury(item, `${reason}; given up after ${item.attempts + 1} attempts`);
    }
    queue.retry(item.position, item.attempts + 1, clock.now() + waitMs);
    this.#waiting.retry(item.position, now + waitMs);
  }

  #bury({ position, attempts }: Scheduled, reason: string): void {
    this.#dead += 1;
    this.#waiting.remove(position);
    this.#options.queue.bury(position, attempts + 1, reason);
  }

  /** What waits becomes dead letters: it can be listed, and sent when the receiver is enabled again. */
  #disable(reason: string): void {
    if (this.#disabled !== undefined) return;
    const { queue, clock } = this.#options;
    this.#disabled = { at: clock.now(), reason };
    const items = this.#waiting.all();
    for (const { position, attempts } of items) queue.bury(position, attempts, whyDead(this.#disabled));
    this.#dead += items.length;
    this.#waiting.clear();
    this.#saveState();
    this.#log.error(
      { reason, dead: items.length },
      `disabled; check its url, then: baseunit outbox enable ${queue.name}, and baseunit outbox replay ${queue.name}`,
    );
  }

  #saveState(): void {
    const { queue, clock } = this.#options;
    const { failingSince } = this.#breaker;
    const since = failingSince === undefined ? undefined : clock.now() - (clock.monotonic() - failingSince);
    queue.setState({ failingSince: since, disabled: this.#disabled });
  }
}

const whyDead = ({ reason }: { readonly reason: string }): string => `the receiver is disabled: ${reason}`;
