import type { Random } from '../base/core/random.js';

/** `rst_info.reason` of the ESP8266: why a chip started. */
export const resetReasons = { powerOn: 0, byItself: 4, deepSleep: 5 } as const;
/** Octets that an ESP8266 has left, with Wi-Fi and a session. */
const FREE_HEAP = 41_376;

/** What a unit tells of itself in a hello, from one start to the next. */
export class UnitLife {
  readonly #random: Random;
  #boot: number;
  #nonce: number;
  #resetReason: number = resetReasons.powerOn;

  constructor(random: Random, boot: number) {
    this.#random = random;
    this.#boot = boot;
    this.#nonce = nonceOf(random);
  }

  get boot(): number {
    return this.#boot;
  }

  get hello(): {
    readonly boot: number;
    readonly nonce: number;
    readonly resetReason: number;
    readonly freeHeap: number;
  } {
    return { boot: this.#boot, nonce: this.#nonce, resetReason: this.#resetReason, freeHeap: FREE_HEAP };
  }

  /** The same life under another number: the base knows this one, or no sequence is left. */
  takeBoot(boot: number): void {
    this.#boot = boot;
  }

  /** A new start, for that reason. */
  begin(resetReason: number): void {
    this.#boot += 1;
    this.#nonce = nonceOf(this.#random);
    this.#resetReason = resetReason;
  }
}

function nonceOf(random: Random): number {
  const octets = random.octets(4);
  return new DataView(octets.buffer, octets.byteOffset).getUint32(0);
}
