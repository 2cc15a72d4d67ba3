import { InternalError } from '../protocol/errors.js';
import type { Clock } from './core/clock.js';
import { deferred } from './core/deferred.js';
import type { Log } from './core/log.js';
import { thrownError } from './core/thrown-error.js';
import type { ShutdownTimes } from './shutdown-times.js';

/** The order in which parts end. */
const phases = ['first', 'middle', 'last'] as const;
type Phase = (typeof phases)[number];

interface Part {
  readonly name: string;
  readonly endsIn: Phase;
  /** It ends before that part does. */
  readonly needs: string | undefined;
  stop(): Promise<void>;
}

export interface PartsOptions {
  readonly times: ShutdownTimes;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts the start between any two parts. */
  readonly signal?: AbortSignal | undefined;
}

/** What a base consists of: started one after the other, ended in phases. */
export class Parts {
  readonly #options: PartsOptions;
  readonly #parts: Part[] = [];
  readonly #late: string[] = [];
  #stopping: Promise<readonly string[]> | undefined;

  constructor(options: PartsOptions) {
    this.#options = options;
  }

  /** Starts a part, and has it ended at the stop, whether its start succeeds or not. Default: it ends in the middle. */
  async begin<T>(
    name: string,
    start: () => Promise<T>,
    end: () => Promise<void>,
    { endsIn = 'middle', needs }: { readonly endsIn?: Phase; readonly needs?: string | undefined } = {},
  ): Promise<T> {
    if (this.#options.signal?.aborted || this.#stopping !== undefined)
      throw new InternalError('stopped', 'stopped while starting');
    const starting = start();
    this.#parts.push({ name, endsIn, needs, stop: end });
    return starting;
  }

  /**
   * First the units, so that what their last commands came to can be told; then the rest at the same time, since each may
   * wait for a peer; last the store. What one part throws, or does not end in its time, keeps no other from ending. Gives
   * the names of the parts that did not end in their time. May be called twice.
   */
  stop(): Promise<readonly string[]> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<readonly string[]> {
    const { times, clock } = this.#options;
    const startedAt = clock.monotonic();
    const stopped = new Map<string, Promise<void>>();
    for (const phase of phases) {
      const late = deferred<void>();
      const leftMs = times.phasesMs[phase] - (clock.monotonic() - startedAt);
      const timer = clock.after(Math.max(0, leftMs), () => late.resolve());
      const stop = (part: Part): Promise<void> => {
        const before = this.#parts.filter(({ needs }) => needs === part.name).map(stop);
        const ending = stopped.get(part.name) ?? Promise.all(before).then(() => this.#end(part, late.promise));
        stopped.set(part.name, ending);
        return ending;
      };
      await Promise.all(this.#parts.filter(({ endsIn }) => endsIn === phase).map(stop));
      timer.cancel();
    }
    return this.#late;
  }

  async #end(part: Part, late: Promise<void>): Promise<void> {
    const { log } = this.#options;
    try {
      const isLate = await Promise.race([part.stop().then(() => false), late.then(() => true)]);
      if (!isLate) return;
      this.#late.push(part.name);
      log.error(
        { part: part.name, code: 'stop-timeout' },
        'a part did not end in its share of the time that a stop may take: it is left behind',
      );
    } catch (error) {
      log.error({ part: part.name, error: thrownError(error).message }, 'a part did not stop cleanly');
    }
  }
}
