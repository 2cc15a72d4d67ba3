import type { HelloVerdict } from './unit-events.js';

/** What became of a report by its number. */
export type Admission = { readonly kind: 'new'; readonly missing: number } | { readonly kind: 'duplicate' };

/** A numbering as it is stored. */
export interface SequenceState {
  readonly boot?: number | undefined;
  readonly nonce?: number | undefined;
  readonly sequence?: number | undefined;
}

/**
 * The numbering of one unit's acknowledged reports: (boot, sequence) is unique for ever, sequence starts at 1 in each boot
 * (wire/unit.md, "Identity of a report").
 */
export class ReportSequence {
  #boot: number | undefined;
  #nonce: number | undefined;
  /** The last sequence we have of this boot; `undefined`: we do not know, the base is younger than the boot. */
  #last: number | undefined;

  get state(): SequenceState {
    return { boot: this.#boot, nonce: this.#nonce, sequence: this.#last };
  }

  restore({ boot, nonce, sequence }: SequenceState): void {
    this.#boot = boot;
    this.#nonce = nonce;
    this.#last = sequence;
  }

  /** Which life of the unit that is, as links call it; `undefined` before its first hello. */
  get life(): string | undefined {
    return this.#boot === undefined ? undefined : `${this.#boot}/${this.#nonce}`;
  }

  /** Checks a hello's boot number: a number used before, with another nonce, is not unique. */
  hello(boot: number, nonce: number): HelloVerdict {
    const isSameBoot = boot === this.#boot && nonce === this.#nonce;
    if (this.#boot !== undefined && boot <= this.#boot && !isSameBoot)
      return { kind: 'next-boot', boot: this.#boot + 1 };
    if (!isSameBoot) {
      this.#last = this.#boot === undefined ? undefined : 0;
      this.#boot = boot;
      this.#nonce = nonce;
    }
    return { kind: 'welcome', acknowledged: this.#last ?? 0, waiting: 0 };
  }

  /** Is it new, and how many before it never came? A report of another boot than the last hello's is a duplicate. */
  admit(boot: number, sequence: number): Admission {
    if (boot !== this.#boot) return { kind: 'duplicate' };
    if (this.#last !== undefined && sequence <= this.#last) return { kind: 'duplicate' };
    return { kind: 'new', missing: this.#last === undefined ? 0 : sequence - this.#last - 1 };
  }

  /** It is stored: it may be acknowledged, and everything up to it is old. Of another boot: the unit has restarted since. */
  stored(boot: number, sequence: number): void {
    if (boot === this.#boot) this.#last = sequence;
  }
}
