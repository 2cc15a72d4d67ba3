import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LineProgram } from './cpp-program.js';
import { hexArgument, startValuesDriver } from './values-driver.js';

let program: LineProgram;
beforeAll(async () => {
  program = await startValuesDriver('-funsigned-char');
}, 180_000);
afterAll(async () => expect(await program.stop()).toEqual({ status: 0, complaints: '' }));

const ascii = (text: string): Uint8Array => Buffer.from(text, 'ascii');

test.each([
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
])('SHA-256 of %j is as FIPS 180-4 has it', async (text, digest) => {
  expect(await program.ask(`sha ${hexArgument(ascii(text))} 0`)).toBe(digest);
});

test('SHA-256 of a million a', async () => {
  expect(await program.ask('sha-million')).toBe('cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0');
});

test('SHA-256 of any octets, given in two parts, is the one of the other implementation', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat(), async (octets, at) => {
      const digest = createHash('sha256').update(octets).digest('hex');
      expect(await program.ask(`sha ${hexArgument(octets)} ${at % (octets.length + 1)}`)).toBe(digest);
    }),
    { numRuns: 400 },
  );
});

const repeat = (octet: number, count: number): Uint8Array => new Uint8Array(count).fill(octet);

/** RFC 4231, section 4 (case 5, a shortened tag, is left out: it tests cutting). */
test.each([
  [repeat(0x0b, 20), ascii('Hi There'), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  [
    ascii('Jefe'),
    ascii('what do ya want for nothing?'),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [repeat(0xaa, 20), repeat(0xdd, 50), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
  [
    Uint8Array.from({ length: 25 }, (_, index) => index + 1),
    repeat(0xcd, 50),
    '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
  ],
  [
    repeat(0xaa, 131),
    ascii('Test Using Larger Than Block-Size Key - Hash Key First'),
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
  [
    repeat(0xaa, 131),
    ascii(
      'This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.',
    ),
    '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
  ],
])('HMAC-SHA256 is as RFC 4231 has it (%#)', async (key, message, digest) => {
  expect(await program.ask(`hmac ${hexArgument(key)} ${hexArgument(message)}`)).toBe(digest);
});

test('HMAC-SHA256 with keys around the block size is the one of the other implementation', async () => {
  for (const length of [1, 16, 63, 64, 65, 128]) {
    const key = repeat(0x5a, length);
    expect(await program.ask(`hmac ${hexArgument(key)} 010203`)).toBe(
      createHmac('sha256', key)
        .update(Uint8Array.of(1, 2, 3))
        .digest('hex'),
    );
  }
});

test('the proofs, the session key and the tags are those of wire/unit.md', async () => {
  const vectors = JSON.parse(readFileSync('test/vectors/unit-session.json', 'utf8'));
  const nonces = `${vectors.challenge} ${vectors.nonce}`;
  expect(await program.ask(`proof unit ${nonces}`)).toBe(vectors.unitProof);
  expect(await program.ask(`proof base ${nonces}`)).toBe(vectors.baseProof);
  expect(await program.ask(`proof key ${nonces}`)).toBe(vectors.sessionKey);
  for (const { direction, counter, transmission, tag } of vectors.tags)
    expect(await program.ask(`tag ${vectors.sessionKey} ${direction} ${counter} ${transmission}`)).toBe(tag);
});
