import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bool, f32, i32, oneOf, text, u8, u32 } from '../../../protocol/definition/index.js';
import { lineToValue, valueToLine } from '../../../protocol/line/line-value.js';
import type { LineProgram } from './cpp-program.js';
import { hexArgument, startValuesDriver } from './values-driver.js';

const modes = ['drip', 'normal', 'flood'] as const;

describe.each(['-funsigned-char', '-fsigned-char'] as const)('compiled with %s', (chars) => {
  let program: LineProgram;
  beforeAll(async () => {
    program = await startValuesDriver(chars);
  }, 180_000);
  afterAll(async () => expect(await program.stop()).toEqual({ status: 0, complaints: '' }));

  const printed = async (value: string): Promise<string> => {
    const answer = await program.ask(`print ${value}`);
    return answer.startsWith('line ') ? Buffer.from(answer.slice(5), 'hex').toString('utf8') : answer;
  };
  const parse = (type: string, line: string | Uint8Array): Promise<string> =>
    program.ask(`parse ${type} ${hexArgument(Buffer.from(line as string))}`);

  test('an f32 is printed as JavaScript prints it, with any number of decimals', async () => {
    const bitsOf = (value: number): string =>
      Buffer.from(new Float32Array([value]).buffer)
        .reverse()
        .toString('hex');
    const floats = fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e20), max: Math.fround(1e20) }),
      fc.integer({ min: -100_000, max: 100_000 }).map((value) => Math.fround(value / 1_000)),
      fc.integer({ min: -4_000, max: 4_000 }).map((value) => value / 32),
      fc.constantFrom(0, -0, 0.5, -0.5, 1.5, 2.5, 0.125, -0.001, 8_388_609, 16_777_215, Math.fround(1e-45)),
    );
    await fc.assert(
      fc.asyncProperty(floats, fc.nat({ max: 6 }), async (value, decimals) => {
        expect(await printed(`f32 ${bitsOf(value)} ${decimals}`)).toBe(`${valueToLine(f32({ decimals }), value)}\n`);
      }),
      { numRuns: 3_000 },
    );
    expect(await printed(`f32 ${bitsOf(3.4028234663852886e38)} 1`)).toBe('340282346638528859811704183484516925440.0\n');
    expect(await printed(`f32 ${bitsOf(Number.NaN)} 1`)).toBe('refused not-finite');
    expect(await printed(`f32 ${bitsOf(Number.POSITIVE_INFINITY)} 1`)).toBe('refused not-finite');
  }, 60_000);

  test('the other values are printed as they are written in TypeScript', async () => {
    expect(await printed('bool 1')).toBe('true\n');
    expect(await printed('bool 0')).toBe('false\n');
    expect(await printed('u8 100')).toBe('100\n');
    expect(await printed('u8 101')).toBe('refused out-of-range');
    expect(await printed('i32 -2147483648')).toBe('-2147483648\n');
    expect(await printed('i32 100001')).toBe('refused out-of-range');
    expect(await printed('u32 4294967295')).toBe('4294967295\n');
    expect(await printed('rgb ff8800')).toBe('#ff8800\n');
    expect(await printed('oneOf 0')).toBe('drip\n');
    expect(await printed('oneOf 2')).toBe('flood\n');
    expect(await printed('oneOf 3')).toBe('refused bad-index');
    expect(await printed(`text ${Buffer.from('grün\r\nx').toString('hex')}`)).toBe('grün  x\n');
    expect(await printed(`text ${'78'.repeat(255)}`)).toBe(`${'x'.repeat(255)}\n`);
    expect(await printed(`text ${'78'.repeat(256)}`)).toBe('refused too-long');
    expect(await printed('text eda080')).toBe('refused bad-utf8');
  });

  test('a line becomes the value, or the refusal, that it becomes in TypeScript', async () => {
    const types = {
      bool: bool(),
      u8: u8({ min: 1, max: 100 }),
      i32: i32({ max: 100_000 }),
      u32: u32(),
      f32: f32({ min: -200.3, max: 200.3 }),
      oneOf: oneOf(modes),
    };
    const lines = fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: -300, max: 300 }).map(String) },
      {
        weight: 3,
        arbitrary: fc
          .tuple(fc.integer({ min: -300, max: 300 }), fc.nat({ max: 99_999 }))
          .map((parts) => parts.join('.')),
      },
      { weight: 1, arbitrary: fc.integer({ min: -(2 ** 33), max: 2 ** 33 }).map(String) },
      {
        weight: 1,
        arbitrary: fc.constantFrom('true', 'false', ...modes, 'norma', 'normals', ' 7 ', '\t7', '7.0', '7.50', '-0'),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          '',
          '-',
          '.5',
          '5.',
          '1e3',
          '0x7',
          '+7',
          '12345678901',
          '1.12345678901',
          '7 7',
          'TRUE',
        ),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom('200.3', '-200.3', '200.31', '0000000007', '9999999999.9', '7.0000000001'),
      },
      { weight: 2, arbitrary: fc.string({ maxLength: 12 }).filter((line) => !/[\r\n]/.test(line)) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...(Object.keys(types) as (keyof typeof types)[])),
        lines,
        async (kind, line) => {
          const ours = lineToValue(types[kind], line);
          const theirs = await parse(kind, line);
          const value = theirs.slice('value '.length);
          if (!ours.ok) expect(theirs).toBe(`refused ${ours.refusal.code}`);
          else if (kind === 'f32') expect(Math.fround(Number(value)) + 0).toBe(Math.fround(Number(ours.value)) + 0);
          else if (kind === 'bool') expect(value).toBe(ours.value === true ? '1' : '0');
          else if (kind === 'oneOf') expect(modes[Number(value)]).toBe(ours.value);
          else expect(value).toBe(String(Number(ours.value) + 0));
        },
      ),
      { numRuns: 4_000 },
    );
  }, 60_000);

  test('a colour is #rrggbb or one of HTML, in capitals or not', async () => {
    expect(await parse('rgb', '#Ff8800')).toBe('value #ff8800');
    expect(await parse('rgb', ' red ')).toBe('value #ff0000');
    expect(await parse('rgb', 'LightGoldenrodYellow')).toBe('value #fafad2');
    expect(await parse('rgb', 'aliceblue')).toBe('value #f0f8ff');
    expect(await parse('rgb', 'yellowgreen')).toBe('value #9acd32');
    for (const wrong of ['', '#ff880', '#ff88000', '#ff880g', 'ff8800', 'redd', 're', 'lightgoldenrodyellows'])
      expect(await parse('rgb', wrong)).toBe('refused wrong-type');
  });

  test('a text is the line itself, blanks and all', async () => {
    expect(await parse('text', ' a é ')).toBe(`value t${Buffer.from(' a é ').toString('hex')}`);
    expect(lineToValue(text(8), ' a é ')).toEqual({ ok: true, value: ' a é ' });
    expect(await parse('text', '123456789')).toBe('refused too-long');
    expect(await program.ask('parse text ff')).toBe('refused bad-utf8');
  });
});
