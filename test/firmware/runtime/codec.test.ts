import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeFields, encodeFields, type FieldValue, type Values } from '../../../protocol/definition/index.js';
import type { LineProgram } from './cpp-program.js';
import { everyType } from './every-type.js';
import { hexArgument, startValuesDriver } from './values-driver.js';

const names = Object.keys(everyType);
const modes = everyType.mode.values;
const LEFT_OVER = 255;

const f32Bits = (value: number): string => {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return view.getUint32(0).toString(16);
};

/** UTF-8 in which a lone surrogate becomes its three forbidden octets, as no encoder of ours would write them. */
function octetsOfText(text: string): Uint8Array {
  const parts = [...text].map((character) => {
    const code = character.codePointAt(0)!;
    return code >= 0xd800 && code <= 0xdfff
      ? Uint8Array.of(0xed, 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f))
      : new TextEncoder().encode(character);
  });
  return Buffer.concat(parts);
}

/** What the driver says of values. Floats as %.9g tells each f32 from every other. */
function shown(values: Values): string {
  const float = (value: FieldValue | undefined): number => Math.fround(Number(value));
  const text = (value: FieldValue): string => `t${Buffer.from(String(value), 'utf8').toString('hex')}`;
  const list = (value: FieldValue | undefined, show: (item: FieldValue) => string | number): string =>
    `[${(value as readonly FieldValue[]).map((item) => `${show(item)},`).join('')}]`;
  const light = Buffer.from(String(values.light).slice(1), 'hex');
  return JSON.stringify([
    values.flag ? '1' : '0',
    ...['small', 'tiny', 'wide', 'offset', 'count', 'balance'].map((name) => String(values[name])),
    float(values.litres),
    float(values.any),
    light.join(','),
    String(modes.indexOf(values.mode as never)),
    text(values.label!),
    `b${values.blob}`,
    list(values.beds, String),
    list(values.flows, (item) => String(float(item))),
    list(values.names, text),
  ]);
}

/** The driver's answer in the same form: only its floats are read as numbers and rounded to f32 again. */
function heard(answer: string): string {
  const parts = answer.split(' ').slice(1);
  const floats = (part: string): string =>
    part.replaceAll(/[^[\],]+/g, (number) => String(Math.fround(Number(number))));
  return JSON.stringify(
    parts.map((part, index) =>
      index === 7 || index === 8 ? Math.fround(Number(part)) : index === 14 ? floats(part) : part,
    ),
  );
}

const nearly = (min: number, max: number): fc.Arbitrary<number> =>
  fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: min + 1, max: max - 1 }) },
    { weight: 1, arbitrary: fc.constantFrom(min, max) },
  );
const anyFloat = fc.oneof(
  { weight: 20, arbitrary: fc.float({ noDefaultInfinity: true, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0) },
);
const floatAround = (min: number, max: number): fc.Arbitrary<number> =>
  fc.oneof(
    { weight: 20, arbitrary: fc.float({ min: Math.fround(min), max: Math.fround(max), noNaN: true }) },
    { weight: 1, arbitrary: fc.constantFrom(Math.fround(min), Math.fround(max), Number.NaN, max + 1) },
  );
const anyText = (maxLength: number): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 20, arbitrary: fc.string({ unit: 'grapheme-composite', maxLength: Math.floor(maxLength / 3) }) },
    { weight: 4, arbitrary: fc.string({ maxLength: maxLength + 1 }) },
    { weight: 1, arbitrary: fc.constantFrom('\ud800', 'a\udfff', '\u{10ffff}', '\ufeffa', 'a\0b') },
  );

/** Mostly right values; each may be just past its bound, as far as its C++ type can be. */
const samples = fc.record({
  flag: fc.boolean(),
  small: nearly(0, 101),
  tiny: nearly(-21, 61),
  wide: fc.integer({ min: 0, max: 65_535 }),
  offset: nearly(-501, 501),
  count: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  balance: nearly(-100_001, 100_001),
  litres: floatAround(0.1, 200.3),
  any: anyFloat,
  light: fc.uint8Array({ minLength: 3, maxLength: 3 }).map((octets) => `#${Buffer.from(octets).toString('hex')}`),
  mode: nearly(-1, 3).map(Math.abs),
  label: anyText(8),
  blob: fc.uint8Array({ maxLength: 5 }).map((octets) => Buffer.from(octets).toString('hex')),
  beds: fc.array(nearly(0, 16), { maxLength: 5 }),
  flows: fc.array(floatAround(0, 50), { maxLength: 4 }),
  names: fc.array(anyText(3), { maxLength: 3 }),
});

describe.each(['-funsigned-char', '-fsigned-char'] as const)('compiled with %s', (chars) => {
  let program: LineProgram;
  beforeAll(async () => {
    program = await startValuesDriver(chars);
  }, 180_000);
  afterAll(async () => expect(await program.stop()).toEqual({ status: 0, complaints: '' }));

  async function sameDecoding(octets: Uint8Array): Promise<'values' | 'refused'> {
    const ours = decodeFields(everyType, octets);
    const theirs = await program.ask(`decode ${hexArgument(octets)}`);
    if (ours.ok) {
      expect(heard(theirs)).toBe(shown(ours.values));
      return 'values';
    }
    const field = ours.refusal.field === '' ? LEFT_OVER : names.indexOf(ours.refusal.field);
    expect(theirs).toBe(`refused ${ours.refusal.code} ${field}`);
    return 'refused';
  }

  test('the same values become the same octets, and the same refusals', async () => {
    const outcomes = { octets: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(samples, async (sample) => {
        const ours = encodeFields(everyType, { ...sample, mode: modes[sample.mode] ?? 'none' });
        const list = (items: readonly string[]): string => (items.length === 0 ? '-' : items.join(','));
        const theirs = await program.ask(
          [
            'encode',
            Number(sample.flag),
            ...[sample.small, sample.tiny, sample.wide, sample.offset, sample.count, sample.balance],
            f32Bits(sample.litres),
            f32Bits(sample.any),
            sample.light.slice(1),
            sample.mode,
            hexArgument(octetsOfText(sample.label)),
            sample.blob === '' ? '-' : sample.blob,
            list(sample.beds.map(String)),
            list(sample.flows.map(f32Bits)),
            list(sample.names.map((name) => `t${Buffer.from(octetsOfText(name)).toString('hex')}`)),
          ].join(' '),
        );
        if (ours.ok) {
          outcomes.octets += 1;
          expect(theirs).toBe(`octets ${Buffer.from(ours.octets).toString('hex')}`);
          expect(await sameDecoding(ours.octets)).toBe('values');
        } else {
          outcomes.refused += 1;
          expect(theirs).toBe(`refused ${ours.refusal.code} ${names.indexOf(ours.refusal.field)}`);
        }
      }),
      { numRuns: 3_000 },
    );
    expect(Math.min(outcomes.octets, outcomes.refused)).toBeGreaterThan(100);
  }, 120_000);

  test('any octets, and right ones with a change, give the same values or the same refusal', async () => {
    const right = encodeFields(everyType, {
      small: 7,
      litres: 3,
      label: 'gr€',
      blob: '0102',
      beds: [1, 15],
      flows: [0.5],
      names: ['ab', ''],
    });
    if (!right.ok) throw new Error(right.refusal.message);
    const { octets } = right;
    for (let cut = 0; cut < octets.length; cut += 1)
      expect(await sameDecoding(octets.subarray(0, cut))).toBe('refused');
    expect(await sameDecoding(Buffer.concat([octets, Uint8Array.of(0)]))).toBe('refused');
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: octets.length - 1 }), fc.nat({ max: 255 }), async (at, value) => {
        const changed = octets.slice();
        changed[at] = value;
        await sameDecoding(changed);
      }),
      { numRuns: 2_000 },
    );
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async (noise) => void (await sameDecoding(noise))),
      { numRuns: 1_000 },
    );
  }, 120_000);

  test('octets are UTF-8 exactly when a fatal decoder takes them', async () => {
    const isText = (octets: Uint8Array): boolean => {
      try {
        new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
        return true;
      } catch {
        return false;
      }
    };
    const edges = [
      0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff,
    ];
    const sequences = fc.array(fc.constantFrom(...edges), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          sequences.map((octets) => Uint8Array.from(octets)),
          fc.uint8Array({ maxLength: 8 }),
        ),
        async (octets) => {
          expect(await program.ask(`utf8 ${hexArgument(octets)}`)).toBe(isText(octets) ? 'yes' : 'no');
        },
      ),
      { numRuns: 3_000 },
    );
  }, 60_000);

  test('text that is too long can be cut between two characters', async () => {
    expect(await program.ask(`cut ${hexArgument(Buffer.from('aé€€x'))}`)).toBe(Buffer.from('aé€').toString('hex'));
    expect(await program.ask(`cut ${hexArgument(Buffer.from('12345678'))}`)).toBe(
      Buffer.from('12345678').toString('hex'),
    );
  });

  test('a reason is cut to 80 octets between two characters, and is always UTF-8', async () => {
    const reasonOf = async (octets: Uint8Array): Promise<string> =>
      Buffer.from(await program.ask(`refused ${hexArgument(octets)}`), 'hex').toString('utf8');
    expect(await reasonOf(Buffer.from('x'.repeat(80)))).toBe('x'.repeat(80));
    expect(await reasonOf(Buffer.from('x'.repeat(81)))).toBe('x'.repeat(80));
    expect(await reasonOf(Buffer.from(`${'x'.repeat(79)}€y`))).toBe('x'.repeat(79));
    expect(await reasonOf(Uint8Array.of(0x61, 0xff, 0xc3))).toBe('a??');
  });
});
