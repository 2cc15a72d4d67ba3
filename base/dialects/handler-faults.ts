import { type Log, peerText } from '../core/log.js';
import { thrownError } from '../core/thrown-error.js';
import { TroubleLog } from '../core/trouble-log.js';

/** What one handler threw, wherever the base called it: contained, counted, and each kind of it said once. */
export class HandlerFaults {
  readonly #trouble: TroubleLog;
  #count = 0;
  #last: string | undefined;

  constructor(log: Log) {
    this.#trouble = new TroubleLog(log);
  }

  /** Since the start. */
  get count(): number {
    return this.#count;
  }

  get last(): string | undefined {
    return this.#last;
  }

  /** `where` completes "the handler failed in …". */
  add(where: string, thrown: unknown): void {
    const error = peerText(thrownError(thrown).message);
    this.note(error);
    this.#trouble.error(`${where}: ${error}`, { where, error }, `the handler failed in ${where}; it goes on`);
  }

  /** Counts what is logged elsewhere. */
  note(error: string): void {
    this.#count += 1;
    this.#last = error;
  }

  /** Calls code of the handler. What it throws, or what a promise that it gives rejects with, is a fault; then `failed` follows. */
  contain(where: string, call: () => unknown, failed?: () => void): void {
    try {
      const given = call();
      if (isThenable(given)) given.then(undefined, (thrown: unknown) => this.#failed(where, thrown, failed));
    } catch (thrown) {
      this.#failed(where, thrown, failed);
    }
  }

  #failed(where: string, thrown: unknown, failed: (() => void) | undefined): void {
    this.add(where, thrown);
    failed?.();
  }
}

function isThenable(given: unknown): given is PromiseLike<unknown> {
  return typeof given === 'object' && given !== null && typeof (given as { then?: unknown }).then === 'function';
}
