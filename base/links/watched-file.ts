import { stat } from 'node:fs/promises';
import type { Clock, Timer } from '../core/clock.js';

/** Twice a second: an object that is taken out of the access list by hand is out within a second. */
export const WATCH_EVERY_MS = 500;

export interface WatchedFileOptions {
  /** Files that belong together, as a certificate and its key. */
  readonly paths: readonly string[];
  /** How often is looked. */
  readonly everyMs?: number;
  readonly clock: Clock;
  /** Once for what changed between two looks, whichever of the files it was. Must not throw. */
  readonly changed: () => void;
}

/**
 * Tells when files are others than they were: written, replaced, taken away, or there again. Looks by itself, because what
 * the system tells of changes is lost on network drives, in containers, and when a file is replaced by another. Never throws.
 */
export class WatchedFile {
  readonly #options: WatchedFileOptions;
  #state: string | undefined;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(options: WatchedFileOptions) {
    this.#options = options;
  }

  /** Resolves when it knows how the files are; what changes from then on is told. Read them afterwards, to miss nothing. */
  async start(): Promise<void> {
    this.#state = await this.#look();
    this.#wait();
  }

  /** Nothing is told any more. May be called twice. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(): void {
    if (this.#isStopped) return;
    const { clock, everyMs = WATCH_EVERY_MS } = this.#options;
    this.#timer = clock.after(everyMs, () => void this.#check());
  }

  async #check(): Promise<void> {
    const state = await this.#look();
    if (this.#isStopped) return;
    const isChanged = state !== this.#state;
    this.#state = state;
    this.#wait();
    if (isChanged) this.#options.changed();
  }

  async #look(): Promise<string> {
    const states = await Promise.all(this.#options.paths.map(stateOf));
    return states.join('\n');
  }
}

/** A name for how a file is now; its change time too, for copies that keep the time of what they were made from. */
async function stateOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
