import type { Clock, Timer } from '../base/core/clock.js';
import { returnCodes } from '../protocol/iotsocket/transmission.js';
import { encodeReport } from '../protocol/unit/heads.js';
import type { Reading, ReportRing } from './report-ring.js';

/** A report without an answer is taken for lost after this (wire/unit.md, "Reports are acknowledged"). */
export const ANSWER_MS = 10_000;
/** It is then sent again after 1, 2, 4 … 60 s. */
export const FIRST_RESEND_MS = 1_000;
export const LAST_RESEND_MS = 60_000;
const MAX_AGE_MS = 0xffff_ffff;

export interface ReportSenderOptions {
  readonly ring: ReportRing;
  readonly clock: Clock;
  /** The base has it for good, or refused it for good. */
  readonly settled: (reading: Reading, isStored: boolean) => void;
}

/** Sends a ring's readings over the link of the moment, one at a time, oldest first, each until it is acknowledged. */
export class ReportSender {
  readonly #options: ReportSenderOptions;
  /** Sends a request; gives its tracking number. `undefined`: no link. */
  #send: ((data: Uint8Array) => number) | undefined;
  #inFlight: { readonly reading: Reading; readonly tracking: number } | undefined;
  #waitMs = FIRST_RESEND_MS;
  /** The answer's last moment, or the moment to send again. */
  #timer: Timer | undefined;

  constructor(options: ReportSenderOptions) {
    this.#options = options;
  }

  /** A link is up and the base has answered the hello. */
  linkUp(send: (data: Uint8Array) => number): void {
    this.linkDown();
    this.#send = send;
    this.#next();
  }

  linkDown(): void {
    this.#send = undefined;
    this.#inFlight = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#waitMs = FIRST_RESEND_MS;
  }

  /** There is something new in the ring. */
  wake(): void {
    if (this.#inFlight === undefined && this.#timer === undefined) this.#next();
  }

  /** True when this response is to the report under way. */
  answered(tracking: number, code: number): boolean {
    if (this.#inFlight?.tracking !== tracking) return false;
    const { reading } = this.#inFlight;
    if (code !== returnCodes.valid && code !== returnCodes.notValid) {
      this.#again();
      return true;
    }
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#inFlight = undefined;
    this.#waitMs = FIRST_RESEND_MS;
    this.#options.ring.remove(reading.sequence);
    this.#options.settled(reading, code === returnCodes.valid);
    this.#next();
    return true;
  }

  #next(): void {
    const reading = this.#options.ring.oldest;
    if (reading === undefined || this.#send === undefined || this.#inFlight !== undefined) return;
    const { clock } = this.#options;
    const { number, sequence, measuredAt, fields } = reading;
    const ageMs = Math.min(MAX_AGE_MS, Math.max(0, Math.round(clock.monotonic() - measuredAt)));
    const tracking = this.#send(encodeReport({ number, sequence, ageMs, fields }));
    if (this.#send === undefined) return;
    this.#inFlight = { reading, tracking };
    this.#timer = clock.after(ANSWER_MS, () => this.#again());
  }

  #again(): void {
    this.#inFlight = undefined;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(this.#waitMs, () => {
      this.#timer = undefined;
      this.#next();
    });
    this.#waitMs = Math.min(LAST_RESEND_MS, 2 * this.#waitMs);
  }
}
