/** A reading not yet acknowledged. */
export interface Reading {
  readonly number: number;
  readonly sequence: number;
  /** Monotonic, in ms. */
  readonly measuredAt: number;
  readonly fields: Uint8Array;
}

/** The last sequence of a boot (wire/unit.md, "Identity of a report"). */
export const LAST_SEQUENCE = 0xffff_ffff;

/** Readings not yet acknowledged, oldest first. When it is full the oldest is dropped; the gap in the sequence tells. */
export class ReportRing {
  readonly #slots: number;
  readonly #lastOfBoot: number;
  #readings: Reading[] = [];
  #sequence = 0;
  #dropped = 0;

  constructor(slots: number, lastOfBoot = LAST_SEQUENCE) {
    this.#slots = slots;
    this.#lastOfBoot = lastOfBoot;
  }

  get length(): number {
    return this.#readings.length;
  }
  /** Readings that found no room while the link was down. */
  get dropped(): number {
    return this.#dropped;
  }
  get oldest(): Reading | undefined {
    return this.#readings[0];
  }
  /** No sequence is left in this boot: `renumber` under the next one. */
  get isExhausted(): boolean {
    return this.#sequence >= this.#lastOfBoot;
  }

  /** Gives the reading's sequence. Only when not exhausted. */
  add(reading: Omit<Reading, 'sequence'>): number {
    this.#sequence += 1;
    this.#readings.push({ ...reading, sequence: this.#sequence });
    if (this.#readings.length > this.#slots) {
      this.#readings.shift();
      this.#dropped += 1;
    }
    return this.#sequence;
  }

  remove(sequence: number): void {
    if (this.#readings[0]?.sequence === sequence) this.#readings.shift();
  }

  /** Forgets all up to and with this sequence. One that was never given out forgets nothing. */
  forgetUpTo(sequence: number): void {
    if (sequence > this.#sequence) return;
    this.#readings = this.#readings.filter((reading) => reading.sequence > sequence);
  }

  /** A new boot number: what is in the ring is numbered from 1. */
  renumber(): void {
    this.#readings = this.#readings.map((reading, index) => ({ ...reading, sequence: index + 1 }));
    this.#sequence = this.#readings.length;
  }

  /** A restart: RAM is empty. */
  clear(): void {
    this.#readings = [];
    this.#sequence = 0;
  }
}
