import { randomInt } from 'node:crypto';
import { onTestFinished, test } from 'vitest';
import type { DecodeResult } from '../../protocol/decode-result.js';
import { ProtocolError } from '../../protocol/errors.js';
import { concat, toHex } from '../../protocol/octets.js';
import { Dice } from './mutations.js';

/** Another one each time; a failure says which it was: `BASEUNIT_FUZZ_SEED=… npx vitest run test/protocol/iotsocket-fuzz.test.ts`. */
const seed = Number(process.env.BASEUNIT_FUZZ_SEED ?? randomInt(2 ** 31));
const TIME_OUT_MS = 120_000;
/** Of all files of this process so far. */
let inputs = 0;

/** Tells how many inputs there were from now on: to be called when a file is loaded, since others may have been before. */
export function countInputs(): () => number {
  const before = inputs;
  return () => inputs - before;
}

interface Fuzzed {
  readonly runs: number;
  readonly make: (dice: Dice) => Uint8Array;
  /** Throws when something does not hold. */
  readonly check: (octets: Uint8Array, dice: Dice) => void | Promise<void>;
}

export function fuzz(what: string, { runs, make, check }: Fuzzed): void {
  test(
    what,
    async () => {
      // A refusal is an error, and its stack costs more than all the rest.
      Error.stackTraceLimit = 0;
      onTestFinished(() => {
        Error.stackTraceLimit = 10;
      });
      const dice = new Dice(seed, what);
      for (let run = 0; run < runs; run += 1) {
        const octets = make(dice);
        try {
          const checked = check(octets, dice);
          if (checked !== undefined) await checked;
        } catch (cause) {
          throw new Error(`${what}: ${cause}; BASEUNIT_FUZZ_SEED=${seed}, input ${run}: ${toHex(octets)}`, { cause });
        }
        inputs += 1;
      }
    },
    TIME_OUT_MS,
  );
}

/** `expect` takes longer than what is checked. */
export function hold(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`does not hold: ${what}`);
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}

const extended = (dice: Dice, octets: Uint8Array, length: number): Uint8Array =>
  concat(octets, dice.octets(length - octets.length));

/** What holds for every decoder of the front of a stream. Gives the frame, if there is one. */
export function holdStream<T>(
  decode: (octets: Uint8Array) => DecodeResult<T>,
  octets: Uint8Array,
  dice: Dice,
): { readonly value: T; readonly used: number } | undefined {
  const result = decode(octets);
  switch (result.kind) {
    case 'frame': {
      const { used } = result;
      hold(used > 0 && used <= octets.length, 'it uses what is there');
      const end = dice.below(used);
      const part = decode(octets.subarray(0, end));
      hold(
        part.kind === 'more' && part.needed > end && part.needed <= used,
        'of a part it wants more, up to the whole',
      );
      return result;
    }
    case 'more': {
      const { needed } = result;
      hold(needed > octets.length, 'it wants more than there is');
      // Too long to be made each time.
      if (needed > 200 && !dice.chance(2)) return undefined;
      hold(decode(extended(dice, octets, needed - 1)).kind === 'more', 'with fewer than it wants it wants more');
      const again = decode(extended(dice, octets, needed));
      hold(again.kind !== 'more' || again.needed > needed, 'with what it wants it gets on');
      return undefined;
    }
    default: {
      hold(result.error instanceof ProtocolError && result.error.message !== '', 'it says what is wrong');
      hold(decode(extended(dice, octets, octets.length + 1 + dice.below(40))).kind === 'bad', 'more does not mend it');
      hold(decode(octets.subarray(0, dice.below(octets.length + 1))).kind !== 'frame', 'no part of it is a frame');
      return undefined;
    }
  }
}
