import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { f32 } from '../../../protocol/definition/index.js';
import { valueToLine } from '../../../protocol/line/line-value.js';
import { avrProgram } from './avr-build.js';
import { SimulatedUno } from './simulated-uno.js';

let uno: SimulatedUno;
beforeAll(async () => {
  uno = await SimulatedUno.start(await avrProgram('uno-values', [join(import.meta.dirname, 'values_main.cpp')]));
  await uno.run(5);
}, 60_000);
afterAll(() => uno.stop());

const bitsOf = (value: number): string =>
  Buffer.from(new Float32Array([value]).buffer)
    .reverse()
    .toString('hex');

test('an f32 is printed with the digits that it has everywhere', async () => {
  const floats = fc.oneof(
    fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e20), max: Math.fround(1e20) }),
    fc.integer({ min: -100_000, max: 100_000 }).map((value) => Math.fround(value / 1_000)),
    fc.constantFrom(0, -0, 0.5, -0.5, 1.5, 2.5, 0.125, -0.001, 8_388_609, 16_777_215, Math.fround(1e-45)),
  );
  await fc.assert(
    fc.asyncProperty(floats, fc.nat({ max: 6 }), async (value, decimals) => {
      expect(await uno.ask(`F ${bitsOf(value)} ${decimals}`)).toBe(`${valueToLine(f32({ decimals }), value)}\n`);
    }),
    { numRuns: 300 },
  );
  expect(await uno.ask(`F ${bitsOf(-3.4028234663852886e38)} 1`)).toBe('-340282346638528859811704183484516925440.0\n');
  expect(await uno.ask(`F ${bitsOf(Number.NaN)} 1`)).toBe('!not-finite\n');
}, 60_000);

test('decimals become the nearest f32, though a double of the chip is no wider than a float', async () => {
  const digits = (max: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${max}}$`));
  const decimals = fc
    .tuple(fc.boolean(), digits(10), fc.option(digits(10)))
    .map(([isNegative, whole, behind]) => `${isNegative ? '-' : ''}${whole}${behind === null ? '' : `.${behind}`}`);
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(decimals, fc.constantFrom('16777217', '16777219', '0.1', '0', '33554431.9')),
      async (line) => {
        const expected = Math.fround(Number(line)) + 0;
        const answer = await uno.ask(`f ${line}`);
        expect(Buffer.from(answer.trim(), 'hex').readFloatBE() + 0, line).toBe(expected);
      },
    ),
    { numRuns: 300 },
  );
}, 60_000);

test.each([
  ['i -2147483648', '-2147483648'],
  ['i 2147483647', '2147483647'],
  ['i 2147483648', '!out-of-range'],
  ['i -0000000007.0', '-7'],
  ['u 4294967295', '4294967295'],
  ['u 4294967296', '!out-of-range'],
  ['u 65536.5', '!wrong-type'],
  ['c #ABcdef', '#abcdef'],
  ['c yellowgreen', '#9acd32'],
  ['c aliceblue', '#f0f8ff'],
  ['c greenish', '!wrong-type'],
  ['o normal', 'normal'],
  ['o flood', 'flood'],
  ['o floo', '!bad-index'],
  ['b true', 'true'],
  ['b TRUE', '!wrong-type'],
  ['t  a b ', ' a b '],
  [`t ${'x'.repeat(41)}`, '!too-long'],
  ['s 12345678', '!too-long'],
  ['s 1234567', '1234567'],
])('%s is answered with %s', async (line, answer) => {
  expect(await uno.ask(line)).toBe(`${answer}\n`);
});
