import type { Clock, Timer } from '../../core/clock.js';
import type { Carrier } from '../../links/carrier.js';
import type { ElfinSession } from './elfin-session.js';

export interface ReadingOptions {
  readonly carrier: Carrier;
  readonly clock: Clock;
  /** Nothing may be in its way any more: the connection is to be read on, not at once. */
  readonly wake: () => void;
}

/** When a connection is read: why it is not, and what is left of what it has sent meanwhile. */
export class Reading {
  readonly #options: ReadingOptions;
  /** The other end of a tunnel, which is full. */
  #waitsFor: ElfinSession | undefined;
  /** Memory of an answer that it has not taken yet; 0: it has. */
  #answerOctets = 0;
  #slow: Timer | undefined;
  #slowMs = 0;
  #rest: Uint8Array[] | undefined;
  #isPaused = false;
  #isOver = false;

  constructor(options: ReadingOptions) {
    this.#options = options;
  }

  get isHeld(): boolean {
    return this.#waitsFor !== undefined || this.#answerOctets > 0 || this.#slow !== undefined;
  }

  /** Something that came is to be read first. */
  get hasRest(): boolean {
    return this.#rest !== undefined;
  }

  get answerOctets(): number {
    return this.#answerOctets;
  }

  /** Reads nothing for so long. */
  slowDown(ms: number): void {
    if (ms <= this.#slowMs || this.#isOver) return;
    const { clock, wake } = this.#options;
    this.#slow?.cancel();
    this.#slowMs = ms;
    this.#slow = clock.after(ms, () => {
      this.#slow = undefined;
      this.#slowMs = 0;
      wake();
    });
  }

  waitFor(session: ElfinSession): void {
    this.#waitsFor = session;
  }

  /** There is no tunnel to that one any more, which may have been full, or it has room again. */
  goesOnWithout(session: ElfinSession): void {
    if (this.#waitsFor !== session) return;
    this.#waitsFor = undefined;
    this.#options.wake();
  }

  /** It has so much of an answer to take. */
  waitForAnswer(octets: number): void {
    this.#answerOctets = octets;
  }

  /** It has taken all that there was for it. */
  answerTaken(): void {
    if (this.#answerOctets === 0) return;
    this.#answerOctets = 0;
    this.#options.wake();
  }

  /** It came, and is read later. */
  keep(chunk: Uint8Array): void {
    this.#rest ??= [];
    this.#rest.push(chunk);
  }

  /** Of what was taken last, that is still to be read. */
  putBack(chunk: Uint8Array): void {
    this.#rest ??= [];
    this.#rest.unshift(chunk);
  }

  /** What is to be read next, where nothing is in its way; `undefined`: nothing. */
  next(): Uint8Array | undefined {
    if (this.isHeld || this.#isOver) return undefined;
    const chunk = this.#rest?.shift();
    if (this.#rest?.length === 0) this.#rest = undefined;
    return chunk;
  }

  pauseIfHeld(): void {
    if (this.#isPaused || !this.isHeld) return;
    this.#isPaused = true;
    this.#options.carrier.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#options.carrier.resume();
  }

  /** Nothing is read any more. */
  end(): void {
    this.#isOver = true;
    this.#slow?.cancel();
    this.#rest = undefined;
  }
}
