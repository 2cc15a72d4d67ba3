import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tagOf } from '../../protocol/iotsocket/proof.js';
import { MAX_UNIT_PAYLOAD, type Received, SealedStream } from '../../protocol/iotsocket/sealed-stream.js';
import { emptyTypedPayload, type Transmission } from '../../protocol/iotsocket/transmission.js';
import { concat, fromHex, toHex } from '../../protocol/octets.js';
import { countingCrypto } from './crypto.js';

const crypto = countingCrypto(0);
const sessionKey = fromHex('d1bab896e604dd1b20000dee2d97f0d3349c644619072a080312edb8a259ad23');
const stream = (role: 'unit' | 'base') => new SealedStream({ crypto, sessionKey, role });
const request = (tracking: number, length = 3): Transmission => ({
  kind: 'request',
  tracking,
  payload: { ...emptyTypedPayload, data: new Uint8Array(length).fill(7) },
});
const received = (to: SealedStream, ...chunks: Uint8Array[]): Received[] =>
  chunks.flatMap((chunk) => [...to.open(chunk)]);
const kindsOf = (all: readonly Received[]): string[] =>
  all.map((each) => (each.kind === 'bad' ? each.error.code : each.transmission.kind));
/** Octets of the unit with a right tag, whatever they are. */
const tagged = (octets: Uint8Array): Uint8Array => concat(octets, tagOf(crypto, sessionKey, 0, 0n, octets));

test('the first ping of the unit and the first pong of the base are those of wire/unit.md', () => {
  expect(toHex(stream('unit').seal({ kind: 'ping' }))).toBe('1027662314c8220ef4');
  expect(toHex(stream('base').seal({ kind: 'pong' }))).toBe('205238f6283a2f1f5f');
});

test('each direction counts on its own, from 0', () => {
  const unit = stream('unit');
  const base = stream('base');
  for (let round = 0; round < 300; round += 1) {
    expect(kindsOf(received(base, unit.seal({ kind: 'ping' }), unit.seal(request(round))))).toEqual([
      'ping',
      'request',
    ]);
    expect(kindsOf(received(unit, base.seal({ kind: 'pong' })))).toEqual(['pong']);
  }
});

test('however the octets are cut, the same transmissions come', () => {
  const unit = stream('unit');
  const all = [
    request(1),
    { kind: 'ping' } as const,
    request(2, 500),
    request(3, 0),
    { kind: 'close', code: 160 } as const,
  ];
  const octets = concat(...all.map((each) => unit.seal(each)));
  fc.assert(
    fc.property(fc.array(fc.nat(octets.length)), (cuts) => {
      const edges = [0, ...cuts, octets.length].sort((a, b) => a - b);
      const chunks = edges.slice(1).map((end, index) => octets.subarray(edges[index]!, end));
      const base = stream('base');
      expect(received(base, ...chunks).map((each) => each.kind === 'transmission' && each.transmission)).toEqual(all);
      expect(base.pending).toBe(0);
    }),
  );
});

describe('the session is over, and nothing more comes, when', () => {
  const first = () => {
    const unit = stream('unit');
    return {
      ping: unit.seal({ kind: 'ping' }),
      request: unit.seal(request(1)),
      close: unit.seal({ kind: 'close', code: 0 }),
    };
  };
  const ping = tagged(Uint8Array.of(0x10));

  test.each<[string, () => Uint8Array[], string[]]>([
    ['a transmission is repeated', () => [first().ping, first().ping, first().request], ['ping', 'tag-wrong']],
    ['one is left out', () => [first().request, first().close], ['tag-wrong']],
    ['two are exchanged', () => [first().ping, first().close, first().request], ['ping', 'tag-wrong']],
    ['the base’s own comes back to it', () => [stream('base').seal({ kind: 'ping' })], ['tag-wrong']],
    ['reserved bits are set, though the tag is right', () => [tagged(Uint8Array.of(0x11))], ['frame-malformed']],
    ['it has type 0, though the tag is right', () => [tagged(fromHex('0000000000'))], ['frame-malformed']],
    ['it has type 9, though the tag is right', () => [tagged(Uint8Array.of(0x90))], ['frame-malformed']],
    ['a payload is announced that is too long', () => [fromHex('300001010801')], ['frame-too-long']],
    ['plain octets come without tags', () => [fromHex('10101010101010101010')], ['tag-wrong']],
    [
      'a bad one hides behind a good one in one chunk',
      () => [concat(ping, fromHex('11'))],
      ['ping', 'frame-malformed'],
    ],
  ])('%s', (_, chunks, kinds) => {
    const base = stream('base');
    expect(kindsOf(received(base, ...chunks()))).toEqual(kinds);
    expect(received(base, stream('unit').seal({ kind: 'ping' }))).toEqual([]);
  });

  test('any octet is flipped in any bit', () => {
    const sealed = stream('unit').seal(request(0x1234));
    for (let bit = 0; bit < 8 * sealed.length; bit += 1) {
      const flipped = sealed.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      // A length made longer asks for more octets: give it as many as it may want.
      const kinds = kindsOf(received(stream('base'), flipped, new Uint8Array(70_000)));
      expect(['tag-wrong', 'frame-malformed', 'frame-too-long'], `bit ${bit}`).toContain(kinds[0]);
      expect(kinds).toHaveLength(1);
    }
  });

  test('it was sealed in another session', () => {
    const other = new SealedStream({ crypto, sessionKey: new Uint8Array(32), role: 'unit' });
    expect(kindsOf(received(stream('base'), other.seal({ kind: 'ping' })))).toEqual(['tag-wrong']);
  });
});

test('a payload of 2048 octets passes', () => {
  expect(kindsOf(received(stream('base'), stream('unit').seal(request(1, MAX_UNIT_PAYLOAD))))).toEqual(['request']);
  expect(kindsOf(received(stream('base'), stream('unit').seal(request(1, MAX_UNIT_PAYLOAD + 1))))).toEqual([
    'frame-too-long',
  ]);
});

test('arbitrary octets never throw, pass nothing, and are kept within the bound', () => {
  const most = 1 + 16 + 6 + MAX_UNIT_PAYLOAD + 8;
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 3_000, size: 'max' }), { maxLength: 8 }), (chunks) => {
      const base = stream('base');
      const kinds = kindsOf(received(base, ...chunks));
      expect(kinds.filter((kind) => !kind.startsWith('frame') && kind !== 'tag-wrong')).toEqual([]);
      expect(kinds.length).toBeLessThanOrEqual(1);
      if (kinds.length === 0) expect(base.pending).toBeLessThan(most);
    }),
    { numRuns: 300 },
  );
});
