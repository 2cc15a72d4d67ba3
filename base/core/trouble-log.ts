import type { Log } from './log.js';

/** Kinds of trouble that are told apart; what comes past them is counted under one kind, so that a peer cannot fill this. */
const MAX_KINDS = 64;

/** Says each kind of trouble once and counts the rest: what a peer repeats for ever must not fill the log. */
export class TroubleLog {
  readonly #log: Log;
  readonly #counts = new Map<string, number>();

  constructor(log: Log) {
    this.#log = log;
  }

  warn(kind: string, fields: object, message: string): void {
    if (this.#isFirst(kind)) this.#log.warn({ kind, ...fields }, `${message} (said once)`);
  }

  error(kind: string, fields: object, message: string): void {
    if (this.#isFirst(kind)) this.#log.error({ kind, ...fields }, `${message} (said once)`);
  }

  /** How often that kind happened. */
  count(kind: string): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** It is over: the next time is news again. */
  forget(kind: string): void {
    this.#counts.delete(kind);
  }

  #isFirst(kind: string): boolean {
    const known = this.#counts.has(kind) || this.#counts.size < MAX_KINDS ? kind : 'other';
    const count = (this.#counts.get(known) ?? 0) + 1;
    this.#counts.set(known, count);
    return count === 1;
  }
}
