import type { Clock, Timer } from '../../core/clock.js';
import { type Log, peerText } from '../../core/log.js';
import type { Random } from '../../core/random.js';
import { SaidOnce } from '../../core/said-once.js';
import { backOff } from '../../links/back-off.js';
import type { MDNSService } from './avahi-library.js';
import { askDaemon } from './avahi-socket.js';

/** For the daemon to say that it is there. */
const DAEMON_MS = 3_000;

export interface HeldServiceOptions {
  /** May throw, as it does when the daemon went this moment. */
  readonly make: () => MDNSService;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Something that Avahi's daemon does for us, made again when the daemon has ended: it may be restarted at any time. */
export class HeldService {
  readonly #options: HeldServiceOptions;
  readonly #said = new SaidOnce();
  readonly #stop = new AbortController();
  #delays: Generator<number, never>;
  #service: MDNSService | undefined;
  #again: Timer | undefined;

  constructor(options: HeldServiceOptions) {
    this.#options = options;
    this.#delays = backOff(options.random);
  }

  start(): this {
    void this.#make();
    return this;
  }

  stop(): void {
    this.#stop.abort();
    this.#again?.cancel();
    this.#end();
  }

  /** The library blocks while it waits for a daemon that does not answer: so that is asked first, by a way that does not. */
  async #make(): Promise<void> {
    const { make, clock } = this.#options;
    const late = new AbortController();
    const timer = clock.after(DAEMON_MS, () => late.abort(new Error('the Avahi daemon does not answer')));
    try {
      await askDaemon(AbortSignal.any([this.#stop.signal, late.signal]));
      if (this.#stop.signal.aborted) return;
      const service = make();
      this.#service = service;
      service.on('error', (error: Error) => {
        if (this.#service === service) this.#failed(error);
      });
      service.start();
      this.#said.forget('daemon');
      this.#delays = backOff(this.#options.random);
    } catch (error) {
      this.#failed(error as Error);
    } finally {
      timer.cancel();
    }
  }

  #failed(error: Error): void {
    this.#end();
    if (this.#stop.signal.aborted) return;
    const { clock, log } = this.#options;
    const reason = peerText(error.message);
    if (this.#said.isNew('daemon', reason))
      log.warn({ reason }, 'discovery has lost the Avahi daemon; trying again, said once');
    this.#again = clock.after(this.#delays.next().value, () => void this.#make());
  }

  #end(): void {
    const service = this.#service;
    this.#service = undefined;
    try {
      service?.stop();
    } catch {
      // The daemon is gone, and so is what it held.
    }
  }
}
