import type { Carrier } from '../../links/carrier.js';
import type { Turn } from '../turn.js';

/**
 * What is written at once to an end that does not take everything: a whole write counts as taken or not, so that smaller
 * ones show that a slow end goes on (9 600 bit/s take 7 s for one).
 */
export const SLICE_OCTETS = 8 * 1024;

/**
 * What goes out to one connection: what is short at the end of the turn of the event loop, since it costs less to read
 * everything first and to write then. What it does not take at once waits here, in order: what each of its senders had read,
 * since they are held up as soon as `send` gives false. Senders may come one after the other: `keptOctets` is to be bounded.
 */
export class Outlet {
  readonly #carrier: Carrier;
  readonly #turn: Turn;
  /** Written when the turn ends, and their octets. */
  #short: Uint8Array[] = [];
  #shortOctets = 0;
  #waiting: Uint8Array[] | undefined;
  #keptOctets = 0;
  #isFull = false;
  #isEnding = false;

  constructor(carrier: Carrier, turn: Turn) {
    this.#carrier = carrier;
    this.#turn = turn;
  }

  /** Nothing more should be sent until `drained` gives true. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Octets that wait here, beside those that the carrier has. */
  get waitingOctets(): number {
    return this.#waiting?.reduce((sum, { length }) => sum + length, this.#shortOctets) ?? this.#shortOctets;
  }

  /** Memory that what waits for room keeps: a piece keeps all that came together with it. */
  get keptOctets(): number {
    return this.#keptOctets;
  }

  /** Writes it, or lets it wait: it is the outlet's from now on. False: it is full now. */
  send(octets: Uint8Array): boolean {
    if (!this.#isFull && this.#shortOctets + octets.length <= SLICE_OCTETS) {
      if (this.#short.push(octets) === 1) this.#turn.add(this);
      this.#shortOctets += octets.length;
      return true;
    }
    this.flush();
    return this.#write(octets);
  }

  /** At the end of a turn. */
  flush(): void {
    const short = this.#short;
    if (short.length === 0) return;
    this.#short = [];
    this.#shortOctets = 0;
    for (const octets of short) this.#write(octets);
  }

  /** There is room again. True: everything was taken. */
  drained(): boolean {
    const waiting = this.#waiting ?? [];
    this.#isFull = false;
    this.#forgetWaiting();
    for (const octets of waiting) this.#write(octets);
    if (this.#isEnding && !this.#isFull) this.#carrier.end();
    return !this.#isFull;
  }

  /** Nothing is sent any more; what waits goes out before. */
  end(): void {
    this.flush();
    this.#isEnding = true;
    if (!this.#isFull) this.#carrier.end();
  }

  /** Nobody takes it any more. */
  discard(): void {
    this.#short = [];
    this.#shortOctets = 0;
    this.#forgetWaiting();
  }

  /** In slices; what comes behind one that is not taken waits. */
  #write(octets: Uint8Array): boolean {
    for (let at = 0; at < octets.length; at += SLICE_OCTETS) {
      if (this.#isFull) {
        this.#keep(at === 0 ? octets : octets.subarray(at));
        return false;
      }
      this.#writeSlice(octets.length <= SLICE_OCTETS ? octets : octets.subarray(at, at + SLICE_OCTETS));
    }
    return !this.#isFull;
  }

  #keep(octets: Uint8Array): void {
    this.#waiting ??= [];
    this.#waiting.push(octets);
    this.#keptOctets += octets.buffer.byteLength;
  }

  #forgetWaiting(): void {
    this.#waiting = undefined;
    this.#keptOctets = 0;
  }

  #writeSlice(octets: Uint8Array): void {
    // False also where the system has taken all of it: then `drained` may not come.
    if (!this.#carrier.write(octets) && this.#carrier.buffered > 0) this.#isFull = true;
  }
}
