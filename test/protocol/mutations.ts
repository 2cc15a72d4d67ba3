/** Numbers that are the same for the same seed, wherever and whenever they are drawn (sfc32 of PractRand). */
export class Dice {
  #a: number;
  #b = 0x9e3779b9;
  #c = 0x243f6a88;
  #count = 1;

  /** `name`: of those who share a seed each has numbers of its own. */
  constructor(seed: number, name: string) {
    this.#a = seed >>> 0;
    for (const character of name) this.#b = (Math.imul(this.#b, 31) + character.codePointAt(0)!) >>> 0;
    for (let round = 0; round < 16; round += 1) this.next();
  }

  /** 32 bits. */
  next(): number {
    const sum = (this.#a + this.#b + this.#count) >>> 0;
    this.#count = (this.#count + 1) >>> 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) >>> 0;
    return sum;
  }

  /** From 0 to `count` - 1. */
  below(count: number): number {
    return this.next() % count;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  /** True so often in a hundred. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  octets(count: number): Uint8Array {
    const octets = new Uint8Array(count);
    for (let at = 0; at < count; at += 1) octets[at] = this.next() >>> 24;
    return octets;
  }
}

const edges = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff];
const longEdges = [0, 1, 2, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff];
const MOST_MUTATIONS = 4;
/** What is put in or repeated at once. */
const MOST_ADDED_OCTETS = 24;

/**
 * Valid octets with some of it changed: bits flipped, octets at their bounds, lengths at theirs or off by one, pieces cut
 * out, repeated, put in, or spliced with other valid ones. One in ten stays as it is.
 */
export function mutated(dice: Dice, valid: readonly Uint8Array[]): Uint8Array {
  let octets = new Uint8Array(dice.pick(valid));
  if (dice.chance(10)) return octets;
  for (let left = 1 + dice.below(MOST_MUTATIONS); left > 0; left -= 1) octets = changed(dice, octets, valid);
  return octets;
}

function changed(dice: Dice, octets: Uint8Array<ArrayBuffer>, valid: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const { length } = octets;
  if (length === 0) return new Uint8Array(dice.pick(valid));
  const at = dice.below(length);
  switch (dice.below(9)) {
    case 0:
      octets[at]! ^= 1 << dice.below(8);
      return octets;
    case 1:
      octets[at] = dice.pick(edges);
      return octets;
    case 2:
      return octets.slice(0, at);
    case 3:
      return octets.slice(at);
    case 4:
      return setLength(dice, octets, at);
    case 5:
      return put(octets, at, at, octets.subarray(at, at + 1 + dice.below(MOST_ADDED_OCTETS)));
    case 6:
      return put(octets, at, at, dice.octets(1 + dice.below(MOST_ADDED_OCTETS)));
    case 7:
      return put(octets, at, Math.min(length, at + 1 + dice.below(MOST_ADDED_OCTETS)), new Uint8Array(0));
    default: {
      const other = dice.pick(valid);
      return put(octets, at, length, other.subarray(dice.below(other.length + 1)));
    }
  }
}

/** Two octets as a length at its bounds, or one off what is behind it. */
function setLength(dice: Dice, octets: Uint8Array<ArrayBuffer>, at: number): Uint8Array<ArrayBuffer> {
  if (at + 1 >= octets.length) return octets;
  const length = dice.chance(50) ? dice.pick(longEdges) : Math.max(0, octets.length - at - 3 + dice.below(3));
  octets[at] = length >> 8;
  octets[at + 1] = length & 0xff;
  return octets;
}

/** In place of the octets from `start` to `end`. */
function put(octets: Uint8Array, start: number, end: number, instead: Uint8Array): Uint8Array<ArrayBuffer> {
  const made = new Uint8Array(octets.length - (end - start) + instead.length);
  made.set(octets.subarray(0, start));
  made.set(instead, start);
  made.set(octets.subarray(end), start + instead.length);
  return made;
}

/** Octets in pieces, cut at random, some of them empty. */
export function piecesOf(dice: Dice, octets: Uint8Array): Uint8Array[] {
  const most = dice.pick([2, 20, 20, 100, 100]);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < octets.length; ) {
    const end = Math.min(octets.length, at + (dice.chance(5) ? 0 : 1 + dice.below(most)));
    pieces.push(octets.subarray(at, end));
    at = end;
  }
  return pieces;
}
