import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BaseOpening, type OpeningStep, UnitOpening } from '../../protocol/iotsocket/opening.js';
import { baseProof, sessionKey, tagOf, unitProof } from '../../protocol/iotsocket/proof.js';
import { concat, fromHex, toHex } from '../../protocol/octets.js';
import { countingCrypto } from './crypto.js';

interface SessionVectors {
  readonly key: string;
  readonly uid: string;
  readonly challenge: string;
  readonly nonce: string;
  readonly unitProof: string;
  readonly baseProof: string;
  readonly sessionKey: string;
  readonly tags: readonly { direction: number; counter: number; transmission: string; tag: string }[];
}
const vectors = JSON.parse(
  readFileSync(new URL('../vectors/unit-session.json', import.meta.url), 'utf8'),
) as SessionVectors;
const key = fromHex(vectors.key);
const { uid } = vectors;
const nonces = { challenge: fromHex(vectors.challenge), nonce: fromHex(vectors.nonce) };
const UID = '0000000000000000004f626a54657374';
const answer = fromHex(UID + vectors.unitProof + vectors.nonce);
const INITIATION = '01030080';

// Drawn from 0, the challenge is 00…0f; from 16, the nonce is 10…1f: those of the vectors.
const base = (keyOf = (name: string) => (name === uid ? key : undefined)) =>
  new BaseOpening({ crypto: countingCrypto(0), keyOf });
const unit = (its = key) => new UnitOpening({ crypto: countingCrypto(16), uid, key: its, maxTransmission: 128 });
const none = '';
const sent = (step: OpeningStep): string => toHex(step.send);
const refusal = (code: string, send: string) => ({ kind: 'refused', send: fromHex(send), error: { code } });

describe('the proofs of wire/unit.md', () => {
  const crypto = countingCrypto(0);

  test('are those of the vectors', () => {
    expect(toHex(unitProof(crypto, key, uid, nonces))).toBe(vectors.unitProof);
    expect(toHex(baseProof(crypto, key, uid, nonces))).toBe(vectors.baseProof);
    expect(toHex(sessionKey(crypto, key, uid, nonces))).toBe(vectors.sessionKey);
    expect(vectors.unitProof).toBe('19cc483ed7047584271efd4fd6a962f48e078eb8c304079357e552a2c593ffeb');
    expect(vectors.baseProof).toBe('76201bcc560a8fae92032f68d30af3b3127bd4dd24e3d76d45dc55fa0b122553');
    expect(vectors.sessionKey).toBe('d1bab896e604dd1b20000dee2d97f0d3349c644619072a080312edb8a259ad23');
  });

  test.each(vectors.tags)(
    'tag of direction $direction, counter $counter',
    ({ direction, counter, transmission, tag }) => {
      const ks = fromHex(vectors.sessionKey);
      expect(toHex(tagOf(crypto, ks, direction, BigInt(counter), fromHex(transmission)))).toBe(tag);
    },
  );
});

/** Carries octets between both sides, cut into pieces of these sizes, until neither has more to say. */
function open(pieces: () => number): { readonly unit: OpeningStep; readonly base: OpeningStep } {
  const sides = { unit: unit(), base: base() };
  const last: { unit: OpeningStep; base: OpeningStep } = {
    unit: { kind: 'more', send: sides.unit.start() },
    base: { kind: 'more', send: new Uint8Array(0) },
  };
  let from: 'unit' | 'base' = 'unit';
  for (let turn = 0; turn < 4; turn += 1) {
    const to: 'unit' | 'base' = from === 'unit' ? 'base' : 'unit';
    let octets = last[from].send;
    let reply = new Uint8Array(0);
    while (octets.length > 0) {
      const size = Math.max(1, pieces());
      last[to] = sides[to].push(octets.subarray(0, size));
      reply = concat(reply, last[to].send) as Uint8Array<ArrayBuffer>;
      octets = octets.subarray(size);
    }
    last[to] = { ...last[to], send: reply };
    from = to;
  }
  return last;
}

describe('both sides', () => {
  test('step by step, as the vectors say', () => {
    const device = unit();
    const ours = base();
    expect(toHex(device.start())).toBe(INITIATION);
    const challenge = ours.push(device.start());
    expect(sent(challenge)).toBe(`8002${vectors.challenge}`);
    const proof = device.push(challenge.send);
    expect(sent(proof)).toBe(UID + vectors.unitProof + vectors.nonce);
    const verdict = ours.push(proof.send);
    expect(sent(verdict)).toBe(`01${vectors.baseProof}`);
    const done = device.push(verdict.send);
    const opened = { uid, sessionKey: fromHex(vectors.sessionKey), rest: new Uint8Array(0) };
    expect(verdict).toMatchObject({ kind: 'opened', opened: { ...opened, maxTransmission: 128 } });
    expect(done).toMatchObject({ kind: 'opened', opened });
  });

  test('come to the same key however the octets are cut', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: 1, max: 40 })), (sizes) => {
        const both = open(() => sizes.next().value);
        expect(both.unit.kind).toBe('opened');
        expect(both.base.kind === 'opened' && toHex(both.base.opened.sessionKey)).toBe(vectors.sessionKey);
      }),
    );
    expect(open(() => 1).unit.kind).toBe('opened');
  });

  test('what follows the base’s proof at once belongs to the session', () => {
    const device = unit();
    device.push(base().push(device.start()).send);
    const step = device.push(fromHex(`01${vectors.baseProof}205238f6283a2f1f5f`));
    expect(step.kind === 'opened' && toHex(step.opened.rest)).toBe('205238f6283a2f1f5f');
  });
});

describe('the base refuses', () => {
  test.each<[string, string, string, string]>([
    ['draft v0.07', '00030080', 'version-unknown', '0000'],
    ['a version nobody knows', '02030080', 'version-unknown', '0000'],
    ['TLS, which is not configured', '81030080', 'opening-malformed', '0000'],
    ['an opening without typed messages', '01020080', 'opening-malformed', '0000'],
    ['an opening without mutual proof', '01010080', 'opening-malformed', '0000'],
    ['an object of plain IoTSocket', '01000800', 'opening-malformed', '0000'],
    ['octets before the challenge', `${INITIATION}00`, 'opening-malformed', none],
    [
      'a whole answer before the challenge',
      INITIATION + UID + vectors.unitProof + vectors.nonce,
      'opening-malformed',
      none,
    ],
    ['text', '474554202f20485454502f312e31', 'version-unknown', '0000'],
  ])('%s', (_, hex, code, send) => {
    expect(base().push(fromHex(hex))).toMatchObject(refusal(code, send));
  });

  const proved = (octets: Uint8Array, keyOf?: (name: string) => Uint8Array | undefined): OpeningStep => {
    const ours = base(keyOf);
    ours.push(fromHex(INITIATION));
    return ours.push(octets);
  };

  test('a UID that is not configured', () => {
    expect(proved(answer, () => undefined)).toMatchObject(refusal('uid-unknown', '00'));
  });

  test('a wrong key, naming the unit', () => {
    const step = proved(answer, () => new Uint8Array(16));
    expect(step).toMatchObject(refusal('key-wrong', '00'));
    expect(step.kind === 'refused' && step.error.message).toBe(
      'unit "ObjTest" does not have the key configured for it',
    );
  });

  test('no UID, and one that is no UTF-8', () => {
    expect(proved(concat(new Uint8Array(16), answer.subarray(16)))).toMatchObject(refusal('opening-malformed', '00'));
    expect(proved(concat(new Uint8Array(16).fill(255), answer.subarray(16)))).toMatchObject(
      refusal('opening-malformed', '00'),
    );
  });

  test('an octet before its proof was answered', () => {
    expect(proved(concat(answer, Uint8Array.of(0)))).toMatchObject(refusal('opening-malformed', '00'));
  });

  test('the same answer to another challenge: a recording opens nothing', () => {
    const ours = new BaseOpening({ crypto: countingCrypto(1), keyOf: () => key });
    ours.push(fromHex(INITIATION));
    expect(ours.push(answer)).toMatchObject(refusal('key-wrong', '00'));
  });

  test('each octet of the answer flipped in one bit', () => {
    for (let at = 0; at < answer.length; at += 1) {
      const flipped = answer.slice();
      flipped[at]! ^= 1 << (at % 8);
      expect(proved(flipped, () => key).kind, `octet ${at}`).toBe('refused');
    }
  });
});

describe('the unit refuses', () => {
  test.each<[string, string, string]>([
    ['proof without flag', `8000${vectors.challenge}`, 'proof-refused'],
    ['other flags than that of mutual proof', `80fd${vectors.challenge}`, 'proof-refused'],
    ['a base that refuses', '0000', 'proof-refused'],
    ['a redirection', '81020161c549', 'proof-refused'],
    ['a rule nobody knows', '8202', 'opening-malformed'],
  ])('%s', (_, hex, code) => {
    expect(unit().push(fromHex(hex))).toMatchObject(refusal(code, none));
  });

  const verdict = (octets: Uint8Array, its?: Uint8Array): OpeningStep => {
    const device = unit(its);
    device.push(fromHex(`8002${vectors.challenge}`));
    return device.push(octets);
  };
  const right = fromHex(`01${vectors.baseProof}`);

  test('a base without its key', () => {
    expect(verdict(right, new Uint8Array(16))).toMatchObject(refusal('key-wrong', none));
  });

  test('a verdict of no, at its first octet', () => {
    expect(verdict(Uint8Array.of(0))).toMatchObject(refusal('proof-refused', none));
  });

  test('each octet of the base’s proof flipped in one bit', () => {
    expect(verdict(right).kind).toBe('opened');
    for (let at = 0; at < right.length; at += 1) {
      const flipped = right.slice();
      flipped[at]! ^= 1 << (at % 8);
      expect(verdict(flipped).kind, `octet ${at}`).toBe('refused');
    }
  });
});

test('arbitrary octets never throw and never open', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 90 }), { maxLength: 6 }), fc.boolean(), (chunks, isBase) => {
      const side = isBase ? base(() => key) : unit();
      for (const chunk of chunks) {
        const step = side.push(chunk);
        expect(step.kind).not.toBe('opened');
        if (step.kind === 'refused') return;
      }
    }),
    { numRuns: 2_000 },
  );
});
