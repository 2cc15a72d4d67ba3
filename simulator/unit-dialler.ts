import type { Address } from '../base/core/address.js';
import { type Clock, delay } from '../base/core/clock.js';
import type { Random } from '../base/core/random.js';
import { backOff, DIAL_BACK_OFF, REFUSED_BACK_OFF_MS } from '../base/links/back-off.js';
import type { Carrier } from '../base/links/carrier.js';
import { BaseUnitError, InternalError } from '../protocol/errors.js';

/** A unit that sleeps tries again sooner, because it is awake for little time (wire/unit.md, "Life of a link"). */
const SLEEPER_CAP_MS = 15_000;

/** How a connection that the unit dialled ended. */
export interface DialEnd {
  /** The base answered the hello: the back-off starts anew. */
  readonly wasWelcome: boolean;
  /** The unit said it sleeps now. */
  readonly sleeps: boolean;
  readonly error: Error | undefined;
}

export interface UnitDiallerOptions {
  readonly address: Address;
  readonly dial: (address: Address, signal: AbortSignal) => Promise<Carrier>;
  /** Uses the carrier; resolves when it is closed. */
  readonly serve: (carrier: Carrier) => Promise<DialEnd>;
  /** Between two visits to the base, in ms. `undefined`: the unit never sleeps. */
  readonly sleepMs: number | undefined;
  /** It has slept, and is about to dial. */
  readonly woke: () => void;
  /** There is no connection at all. */
  readonly failed: (error: Error) => void;
  readonly clock: Clock;
  readonly random: Random;
}

/** Keeps a unit connected to the base it dials: again after 1 s doubling to 60 s, after 5 min when it was refused. */
export class UnitDialler {
  readonly #options: UnitDiallerOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: UnitDiallerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Dials no more; resolves when the last connection is closed. May be called twice. */
  async stop(): Promise<void> {
    this.#stop.abort(new InternalError('stopped', 'the simulated unit stops'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random, sleepMs } = this.#options;
    const { signal } = this.#stop;
    const limits = sleepMs === undefined ? DIAL_BACK_OFF : { ...DIAL_BACK_OFF, capMs: SLEEPER_CAP_MS };
    let delays = backOff(random, limits);
    while (!signal.aborted) {
      const end = await this.#once();
      if (signal.aborted) return;
      if (end.wasWelcome) delays = backOff(random, limits);
      const waitMs = end.sleeps ? sleepMs! : isRefusal(end.error) ? REFUSED_BACK_OFF_MS : delays.next().value;
      await delay(clock, waitMs, signal).catch(() => {});
      if (end.sleeps && !signal.aborted) this.#options.woke();
    }
  }

  async #once(): Promise<DialEnd> {
    try {
      return await this.#options.serve(await this.#options.dial(this.#options.address, this.#stop.signal));
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#options.failed(error as Error);
      return { wasWelcome: false, sleeps: false, error: error as Error };
    }
  }
}

/** Somebody has to change a key or a UID first. */
function isRefusal(error: Error | undefined): boolean {
  return error instanceof BaseUnitError && (error.code === 'proof-refused' || error.code === 'key-wrong');
}
