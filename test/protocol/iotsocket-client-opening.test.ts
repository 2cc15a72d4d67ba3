import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InternalError } from '../../protocol/errors.js';
import {
  ClientOpening,
  type ClientOpeningOptions,
  type ClientOpeningStep,
} from '../../protocol/iotsocket/client-opening.js';
import { concat, fromHex, toHex } from '../../protocol/octets.js';
import { countingCrypto } from './crypto.js';

const CHALLENGE = '000102030405060708090a0b0c0d0e0f';
const LOGIN = '0000000000000000004f626a54657374' + '9d6033ea4cea99b5f17316672d846d98228fb4e366243ae3f667ba44bb1e8b2f';
const REDIRECTION = '81000d6e6f6465322e6578616d706c65c549';
const TOKEN = '500102030405060708';

const opening = (options: Partial<ClientOpeningOptions> = {}) =>
  new ClientOpening({
    crypto: countingCrypto(0),
    uid: 'ObjTest',
    key: fromHex('43'.repeat(8) + '44'.repeat(8)),
    version: 1,
    tls: false,
    maxTransmission: 0,
    ...options,
  });
const nothing = new Uint8Array(0);
const refusal = (code: string) => ({ kind: 'refused', error: { code } });

/** Pushes octets in pieces of these sizes. Gives the last step, all that was sent, and what came behind in its own piece. */
function run(client: ClientOpening, octets: Uint8Array, size: () => number): { last: ClientOpeningStep; sent: string } {
  let last: ClientOpeningStep = { kind: 'more', send: nothing };
  let sent = '';
  for (let at = 0; at < octets.length && last.kind === 'more'; ) {
    const piece = octets.subarray(at, at + Math.max(1, size()));
    at += piece.length;
    last = client.push(piece);
    if ('send' in last) sent += toHex(last.send);
  }
  return { last, sent };
}

describe('the first octets', () => {
  test.each([
    ['81000800', { tls: true, maxTransmission: 2_048 }],
    ['01000000', {}],
    ['00000000', { version: 0 }],
    ['8000ffff', { version: 0, tls: true, maxTransmission: 65_535 }],
  ] as const)('%s', (hex, options) => {
    expect(toHex(opening(options).start())).toBe(hex);
  });
});

describe('v1.01', () => {
  test('step by step, as the vectors say', () => {
    const client = opening();
    expect(client.push(fromHex('8000'))).toEqual({ kind: 'more', send: nothing });
    expect(client.push(fromHex(CHALLENGE))).toEqual({ kind: 'more', send: fromHex(LOGIN) });
    expect(client.push(fromHex('01'))).toEqual({ kind: 'opened', send: nothing, rest: nothing });
  });

  test('however the octets are cut', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: 1, max: 20 })), (sizes) => {
        const client = opening();
        const size = () => sizes.next().value;
        expect(run(client, fromHex(`8000${CHALLENGE}`), size).sent).toBe(LOGIN);
        expect(client.push(fromHex('01')).kind).toBe('opened');
      }),
    );
    expect(run(opening(), fromHex(`8000${CHALLENGE}`), () => 1).sent).toBe(LOGIN);
  });

  test('what follows the verdict belongs to the session', () => {
    const client = opening();
    client.push(fromHex(`8000${CHALLENGE}`));
    expect(client.push(fromHex(`01${TOKEN}10`))).toMatchObject({ kind: 'opened', rest: fromHex(`${TOKEN}10`) });
  });

  test('a wrong verdict', () => {
    const client = opening();
    client.push(fromHex(`8000${CHALLENGE}`));
    expect(client.push(fromHex('00'))).toMatchObject(refusal('proof-refused'));
  });

  test('every octet that is no verdict', () => {
    for (let octet = 2; octet < 256; octet += 1) {
      const client = opening();
      client.push(fromHex(`8000${CHALLENGE}`));
      expect(client.push(Uint8Array.of(octet))).toMatchObject(refusal('opening-malformed'));
    }
  });
});

describe('draft v0.07', () => {
  test('is open with the login: nothing more is said', () => {
    const client = opening({ version: 0 });
    expect(client.push(fromHex(`8000${CHALLENGE}`))).toEqual({ kind: 'opened', send: fromHex(LOGIN), rest: nothing });
  });

  test('however the octets are cut', () => {
    const octets = fromHex(`8000${CHALLENGE}`);
    for (let cut = 0; cut < octets.length; cut += 1) {
      const client = opening({ version: 0 });
      expect(client.push(octets.subarray(0, cut))).toEqual({ kind: 'more', send: nothing });
      expect(client.push(octets.subarray(cut))).toMatchObject({ kind: 'opened', send: fromHex(LOGIN) });
    }
  });
});

describe.each([0, 1] as const)('in version %i', (version) => {
  test('TLS begins behind the answer, and the challenge comes inside it', () => {
    const client = opening({ version, tls: true });
    expect(client.push(fromHex('80'))).toEqual({ kind: 'more', send: nothing });
    expect(client.push(fromHex('00'))).toEqual({ kind: 'startTls' });
    expect(client.push(fromHex(CHALLENGE))).toMatchObject({ send: fromHex(LOGIN) });
  });

  test('a challenge in clear is not taken for one inside TLS', () => {
    const client = opening({ version, tls: true });
    expect(client.push(fromHex(`8000${CHALLENGE}`))).toMatchObject(refusal('opening-malformed'));
  });

  test.each([false, true])('a redirection, cut at every octet; TLS asked: %s', (tls) => {
    const octets = fromHex(REDIRECTION);
    for (let cut = 0; cut < octets.length; cut += 1) {
      const client = opening({ version, tls });
      expect(client.push(octets.subarray(0, cut))).toEqual({ kind: 'more', send: nothing });
      const step = client.push(octets.subarray(cut));
      expect(step).toEqual({ kind: 'redirected', host: 'node2.example', port: 50_505 });
    }
  });

  test.each([
    ['refused', '0000', 'proof-refused'],
    ['refused, with bits set', '7fff', 'proof-refused'],
    ['a rule nobody knows', '8200', 'opening-malformed'],
    ['a redirection to no host', '810000c549', 'opening-malformed'],
    ['a redirection to port 0', '81000161' + '0000', 'opening-malformed'],
    ['a redirection to what is no UTF-8', '810001ffc549', 'opening-malformed'],
    ['a redirection with a line end', '8100020a61c549', 'opening-malformed'],
    ['octets behind the challenge', `8000${CHALLENGE}10`, 'opening-malformed'],
    ['a verdict before the login', `8000${CHALLENGE}01`, 'opening-malformed'],
  ])('%s', (_, hex, code) => {
    expect(opening({ version }).push(fromHex(hex))).toMatchObject(refusal(code));
  });

  test('an opening that is over takes nothing more', () => {
    for (const hex of ['0000', REDIRECTION]) {
      const client = opening({ version });
      client.push(fromHex(hex));
      expect(() => client.push(fromHex('10'))).toThrow(InternalError);
    }
  });

  test('every first octet of an answer: accepted, more wanted, or refused', () => {
    for (let first = 0; first < 256; first += 1)
      for (const second of [0, 1, 2, 0x80, 0xff]) {
        const { kind } = opening({ version }).push(Uint8Array.of(first, second));
        expect(kind).toBe(first === 0x80 || first === 0x81 ? 'more' : 'refused');
      }
  });

  test('arbitrary octets never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), fc.integer({ min: 1, max: 9 }), (octets, size) => {
        const { last } = run(opening({ version }), concat(fromHex('8000'), octets), () => size);
        expect(['more', 'opened', 'refused']).toContain(last.kind);
      }),
      { numRuns: 1_000 },
    );
  });
});

test('the central logs in with sixteen 00', () => {
  const step = opening({ uid: '' }).push(fromHex(`8000${CHALLENGE}`));
  expect('send' in step && toHex(step.send)).toBe('00'.repeat(16) + LOGIN.slice(32));
});
