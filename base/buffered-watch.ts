import type { Clock, Timer } from './core/clock.js';
import type { Connections } from './core/connections.js';
import type { Log } from './core/log.js';

/** How often it is looked at: no peer fills its own 256 KiB and is still there twice that long. */
const LOOK_EVERY_MS = 5_000;
/** Octets that wait in all connections together: an eighth of the memory that a service gets (reference/limits.md, systemd). */
export const MANY_BUFFERED_OCTETS = 64 * 1_024 * 1_024;

export interface BufferedWatchOptions {
  readonly connections: Pick<Connections, 'traffic'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Warns when peers together do not take what is written to them: what waits is in this process's memory. */
export class BufferedWatch {
  readonly #options: BufferedWatchOptions;
  #timer: Timer | undefined;
  #isSaid = false;

  constructor(options: BufferedWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = this.#options.clock.after(LOOK_EVERY_MS, () => {
      this.start();
      this.#look();
    });
  }

  /** May be called twice. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #look(): void {
    const { connections, log } = this.#options;
    const traffic = connections.traffic();
    const octets = traffic.reduce((sum, { bufferedOctets }) => sum + bufferedOctets, 0);
    // Said once: again only when it was well for a while.
    if (octets < MANY_BUFFERED_OCTETS / 2) this.#isSaid = false;
    if (octets <= MANY_BUFFERED_OCTETS || this.#isSaid) return;
    this.#isSaid = true;
    const most = traffic.reduce((a, b) => (b.bufferedOctets > a.bufferedOctets ? b : a));
    log.warn(
      { octets, bound: MANY_BUFFERED_OCTETS, handler: most.handler },
      'connections hold much that their peers do not take; said once',
    );
  }
}
