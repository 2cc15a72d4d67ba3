import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bool, f32, i32, oneOf, rgb, u32 } from '../../../protocol/definition/index.js';
import { lineToValue, valueToLine } from '../../../protocol/line/line-value.js';
import type { LineProgram } from '../runtime/cpp-program.js';
import { hexArgument } from '../runtime/values-driver.js';
import { root } from './chip-build.js';
import { startOnChip } from './chip-run.js';
import { emulatedProgram, exampleIncludes, ownSources } from './emulated.js';

let path: string;
let program: LineProgram;
beforeAll(async () => {
  path = await emulatedProgram('session', ownSources('session'), exampleIncludes(['led-lamp']));
  program = startOnChip(path);
}, 180_000);
afterAll(async () => expect(await program.stop()).toEqual({ status: 0, complaints: '' }));

test('a program that does not know what it is told ends with 1, and one that hangs is ended', async () => {
  const puzzled = startOnChip(path);
  await expect(puzzled.ask('nonsense')).rejects.toThrow('the program ended');
  expect(await puzzled.stop()).toMatchObject({ status: 1 });
  const hanging = startOnChip(path, 1);
  await expect(hanging.ask('loop 4000000000')).rejects.toThrow('the program ended');
  expect(await hanging.stop()).toMatchObject({ status: 124 });
});

/** Octets of any kind, the same in every run. */
const octetsOf = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 167 + length * 31 + (index >> 3)) & 0xff);

test('SHA-256 and HMAC-SHA256 of any length around a block are those of the other implementation', async () => {
  for (const length of [0, 1, 3, 55, 56, 63, 64, 65, 119, 120, 128, 1000]) {
    const octets = octetsOf(length);
    const digest = createHash('sha256').update(octets).digest('hex');
    expect(await program.ask(`sha ${hexArgument(octets)}`), `${length} octets`).toBe(digest);
    const key = octetsOf(1 + (length % 100));
    const code = createHmac('sha256', key).update(octets).digest('hex');
    expect(await program.ask(`hmac ${hexArgument(key)} ${hexArgument(octets)}`), `${length} octets`).toBe(code);
  }
});

test('the proofs, the session key and the tags are those of wire/unit.md', async () => {
  const vectors = JSON.parse(readFileSync(join(root, 'test', 'vectors', 'unit-session.json'), 'utf8'));
  const nonces = `${vectors.challenge} ${vectors.nonce}`;
  expect(await program.ask(`proof unit ${nonces}`)).toBe(vectors.unitProof);
  expect(await program.ask(`proof base ${nonces}`)).toBe(vectors.baseProof);
  expect(await program.ask(`proof key ${nonces}`)).toBe(vectors.sessionKey);
  for (const { direction, counter, transmission, tag } of vectors.tags)
    expect(await program.ask(`tag ${vectors.sessionKey} ${direction} ${counter} ${transmission}`)).toBe(tag);
});

const bitsOf = (value: number): string =>
  Buffer.from(new Float32Array([value]).buffer)
    .reverse()
    .toString('hex');

/** Floats of every size, and those in the middle between two printed ones. */
const floats = [
  0, 0.5, -0.5, 1.5, 2.5, 0.125, -0.001, 21.5, -40, 84.95, 1e-5, 123_456.79, 8_388_609, 16_777_215, 1e20, 1e-45,
];

test('numbers become the lines that they become in TypeScript', async () => {
  const printed = async (question: string): Promise<string> => {
    const answer = await program.ask(`print ${question}`);
    return Buffer.from(answer.replace('line ', ''), 'hex').toString('utf8');
  };
  for (const value of floats.map(Math.fround)) {
    for (const decimals of [0, 1, 2, 6]) {
      expect(await printed(`f32 ${bitsOf(value)} ${decimals}`)).toBe(valueToLine(f32({ decimals }), value));
    }
  }
  expect(await printed(`f32 ${bitsOf(3.4028234663852886e38)} 1`)).toBe('340282346638528859811704183484516925440.0');
  expect(await program.ask(`print f32 ${bitsOf(Number.NaN)} 1`)).toBe('refused not-finite');
  for (const value of [0, -1, 10, 99_999, -100_000, 2_147_483_647, -2_147_483_648])
    expect(await printed(`i32 ${value}`)).toBe(String(value));
  expect(await printed('u32 4294967295')).toBe('4294967295');
  expect(await printed('oneOf 2')).toBe('flood');
  expect(await printed('bool 0')).toBe('false');
  expect(await printed('bool 1')).toBe('true');
});

test('lines become the values, or the refusals, that they become in TypeScript', async () => {
  const types = {
    bool: bool(),
    i32: i32({ max: 100_000 }),
    u32: u32(),
    f32: f32({ min: -200.3, max: 200.3 }),
    rgb: rgb(),
    oneOf: oneOf(['drip', 'normal', 'flood']),
  };
  const lines = [
    ...['0', '7', '-7', '100000', '100001', '4294967295', '4294967296', '-2147483648', '-2147483649', '9999999999.9'],
    ...['7.0', '7.50', ' 7 ', '.5', '5.', '1e3', '+7', '', '-', '12345678901', '0.1', '21.55', '-39.95', '199.9999999'],
    ...[
      '200.3',
      '200.31',
      '-200.3',
      '0.0000000001',
      '#ff8800',
      '#FF8800',
      '#ff880',
      'drip',
      'flood',
      'floods',
      'TRUE',
      'true',
      ' false ',
    ],
  ];
  for (const [kind, type] of Object.entries(types)) {
    for (const line of lines) {
      const ours = lineToValue(type, line);
      const theirs = await program.ask(`parse ${kind} ${hexArgument(Buffer.from(line))}`);
      expect(theirs, `${kind} ${line}`).toBe(
        ours.ok ? `value ${shown(kind, ours.value)}` : `refused ${ours.refusal.code}`,
      );
    }
  }
  expect(await program.ask(`parse rgb ${hexArgument(Buffer.from('AliceBlue'))}`)).toBe('value 00f0f8ff');
});

/** A value in 32 bits, as the chip tells it. */
function shown(kind: string, value: unknown): string {
  if (kind === 'f32') return bitsOf(Number(value));
  if (kind === 'rgb') return `00${String(value).slice(1)}`;
  const number = kind === 'oneOf' ? ['drip', 'normal', 'flood'].indexOf(String(value)) : Number(value);
  return (number >>> 0).toString(16).padStart(8, '0');
}
