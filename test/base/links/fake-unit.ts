import { delay } from '../../../base/core/clock.js';
import type { Delivery, DeliveryResult } from '../../../base/core/delivery.js';
import { Link, type LinkPolicy, type LinkState } from '../../../base/links/link.js';
import type { LinkEvents, LinkSession, OpenSession } from '../../../base/links/link-session.js';
import { LinkTable } from '../../../base/links/link-table.js';
import { HEARTBEAT } from '../../../base/links/link-watch.js';
import { ManualClock } from '../../support/manual-clock.js';

/** What a unit does with a command: an answer, nothing, or it takes the link down. */
export type Reaction = DeliveryResult | 'silence' | 'lost';

/** A session with a {@link FakeUnit}, over no carrier at all. */
class FakeSession implements LinkSession {
  readonly #unit: FakeUnit;
  readonly #events: LinkEvents;
  readonly life: string;
  isBusy = false;
  isClosing = false;
  pings = 0;
  closedFor: string | undefined;
  #lose: ((error: Error) => void) | undefined;

  constructor(unit: FakeUnit, events: LinkEvents) {
    this.#unit = unit;
    this.#events = events;
    this.life = unit.life;
  }

  inbound(): void {
    this.#events.inbound();
  }

  deliver(delivery: Delivery): Promise<DeliveryResult> {
    this.#unit.delivered.push(delivery.wireId);
    const reaction = this.#unit.react(delivery);
    return new Promise((resolve, reject) => {
      this.#lose = reject;
      if (reaction === 'lost') this.fail(this.#unit.lostError);
      else if (reaction !== 'silence') resolve(reaction);
    });
  }

  ping(): void {
    this.pings += 1;
    if (this.#unit.answersPings) this.inbound();
  }

  close(why: string): void {
    this.closedFor ??= why;
    this.isClosing = true;
    if (this.#unit.closesAtOnce) this.end(undefined);
  }

  fail(error: Error): void {
    this.end(error);
  }

  end(error: Error | undefined): void {
    if (!this.#unit.open.delete(this)) return;
    this.isClosing = true;
    if (error !== undefined) this.#lose?.(error);
    this.#events.closed(error);
  }
}

/** A unit at the other end of a link, which does what the test says. */
class FakeUnit {
  readonly sessions: FakeSession[] = [];
  readonly open = new Set<FakeSession>();
  readonly delivered: number[] = [];
  readonly attempts: number[] = [];
  readonly clock: ManualClock;
  mostOpen = 0;
  life = '1/7';
  answersPings = true;
  closesAtOnce = true;
  lostError: Error = new Error('not set');
  refusal: Error | undefined;
  /** It refuses so late; 0: at once. */
  refusesAfterMs = 0;
  hangs = false;
  react: (delivery: Delivery) => Reaction = () => ({ outcome: 'ok' });

  constructor(clock: ManualClock) {
    this.clock = clock;
  }

  get last(): FakeSession {
    return this.sessions.at(-1)!;
  }

  readonly dial: OpenSession = (events, signal) => {
    this.attempts.push(this.clock.monotonic());
    if (this.hangs) return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    if (this.refusal !== undefined) return this.#refuses(this.refusal, signal);
    const session = new FakeSession(this, events);
    this.sessions.push(session);
    this.open.add(session);
    this.mostOpen = Math.max(this.mostOpen, this.open.size);
    return Promise.resolve(session);
  };

  async #refuses(refusal: Error, signal: AbortSignal): Promise<never> {
    if (this.refusesAfterMs > 0) await delay(this.clock, this.refusesAfterMs, signal);
    throw refusal;
  }
}

export interface Rig {
  readonly clock: ManualClock;
  readonly unit: FakeUnit;
  readonly link: Link;
  readonly table: LinkTable;
  readonly states: LinkState['kind'][];
  send(wireId: number, options?: Partial<Delivery> & { readonly waitMs?: number }): Promise<DeliveryResult>;
}

/** A link to a fake unit, on a clock advanced by hand. `fraction` is what every jitter draws. */
export function rig(policy: LinkPolicy, { fraction = 0.5, pollMs }: { fraction?: number; pollMs?: number } = {}): Rig {
  const clock = new ManualClock();
  const unit = new FakeUnit(clock);
  const table = new LinkTable();
  const states: LinkState['kind'][] = [];
  const link = new Link({
    policy,
    ...(policy === 'accepted' ? {} : { open: unit.dial }),
    claim: (signal) => table.claim('lamp', signal),
    heartbeat: HEARTBEAT,
    pollMs,
    onState: (state) => void states.push(state.kind),
    clock,
    random: { octets: (count) => new Uint8Array(count), fraction: () => fraction },
  });
  const send: Rig['send'] = (wireId, { waitMs = 30_000, ...options } = {}) =>
    link.deliver({
      wireId,
      command: 'setColor',
      fields: {},
      timeoutMs: 5_000,
      deadline: clock.monotonic() + waitMs,
      isPatient: false,
      sending: () => Promise.resolve(),
      ...options,
    });
  return { clock, unit, link, table, states, send };
}
