import { ProtocolError } from '../errors.js';
import { OctetQueue } from '../octet-queue.js';
import { concat, equalInConstantTime } from '../octets.js';
import {
  decodeInitiation,
  decodeInitiationAnswer,
  encodeInitiation,
  encodeInitiationAnswer,
  initiationOptions,
  ruleFlags,
  VERSION_1_01,
} from './opening-frames.js';
import { baseProof, CHALLENGE_OCTETS, PROOF_OCTETS, type SessionCrypto, sessionKey, unitProof } from './proof.js';
import { decodeUid, encodeUid, UID_OCTETS } from './uid.js';

/** What a finished opening gives the session. */
export interface Opened {
  readonly uid: string;
  /** Ks, the key of the tags. */
  readonly sessionKey: Uint8Array;
  /** The longest transmission that the unit takes, its tag included; 0: unsaid. */
  readonly maxTransmission: number;
  /** Octets that came behind the opening: the session's first. */
  readonly rest: Uint8Array;
}

/** One step of an opening. `send` goes out in any case, also before a refusal ends the connection. */
export type OpeningStep =
  | { readonly kind: 'more'; readonly send: Uint8Array }
  | { readonly kind: 'opened'; readonly send: Uint8Array; readonly opened: Opened }
  | { readonly kind: 'refused'; readonly send: Uint8Array; readonly error: ProtocolError };

const nothing = new Uint8Array(0);
const REFUSED = encodeInitiationAnswer({ kind: 'refused' });
const VERDICT_OK = Uint8Array.of(1);
const VERDICT_WRONG = Uint8Array.of(0);

/** The base's side of the opening with mutual proof (wire/unit.md). Octets in, octets out; no socket, no clock. */
export class BaseOpening {
  readonly #crypto: SessionCrypto;
  readonly #keyOf: (uid: string) => Uint8Array | undefined;
  readonly #queue = new OctetQueue();
  #state:
    | { readonly kind: 'initiation' }
    | { readonly kind: 'proof'; readonly challenge: Uint8Array; readonly maxTransmission: number } = {
    kind: 'initiation',
  };

  constructor(options: { readonly crypto: SessionCrypto; readonly keyOf: (uid: string) => Uint8Array | undefined }) {
    this.#crypto = options.crypto;
    this.#keyOf = options.keyOf;
  }

  push(chunk: Uint8Array): OpeningStep {
    this.#queue.push(chunk);
    const step = this.#state.kind === 'initiation' ? this.#initiation() : this.#proof(this.#state);
    this.#queue.settle();
    return step;
  }

  #initiation(): OpeningStep {
    const result = decodeInitiation(this.#queue.peek());
    if (result.kind !== 'frame') return { kind: 'more', send: nothing };
    const { tls, version, options, maxTransmission } = result.value;
    this.#queue.consume(result.used);
    if (version !== VERSION_1_01)
      return refuse('version-unknown', `the unit speaks IoTSocket version ${version}; 1 is wanted`, REFUSED);
    if (tls) return refuse('opening-malformed', 'the unit asks for TLS, which is not configured here', REFUSED);
    const wanted = initiationOptions.typedMessages | initiationOptions.mutualProof;
    if ((options & wanted) !== wanted) {
      return refuse('opening-malformed', 'the unit does not ask for typed messages with mutual proof', REFUSED);
    }
    if (this.#queue.length > 0)
      return refuse('opening-malformed', 'octets follow before the challenge was sent', nothing);
    const challenge = this.#crypto.random(CHALLENGE_OCTETS);
    this.#state = { kind: 'proof', challenge, maxTransmission };
    return {
      kind: 'more',
      send: concat(encodeInitiationAnswer({ kind: 'accepted', flags: ruleFlags.mutualProof }), challenge),
    };
  }

  #proof({
    challenge,
    maxTransmission,
  }: {
    readonly challenge: Uint8Array;
    readonly maxTransmission: number;
  }): OpeningStep {
    const octets = this.#queue.peek();
    const wanted = UID_OCTETS + PROOF_OCTETS + CHALLENGE_OCTETS;
    if (octets.length > wanted)
      return refuse('opening-malformed', 'octets follow before the proof was answered', VERDICT_WRONG);
    if (octets.length < wanted) return { kind: 'more', send: nothing };
    const uid = decodeUid(octets.subarray(0, UID_OCTETS));
    const proof = octets.subarray(UID_OCTETS, UID_OCTETS + PROOF_OCTETS);
    const nonces = { challenge, nonce: octets.slice(UID_OCTETS + PROOF_OCTETS, wanted) };
    if (uid === undefined || uid === '') return refuse('opening-malformed', 'the UID is not UTF-8', VERDICT_WRONG);
    const key = this.#keyOf(uid);
    if (key === undefined)
      return refuse('uid-unknown', `no unit ${JSON.stringify(uid)} is configured here`, VERDICT_WRONG);
    if (!equalInConstantTime(proof, unitProof(this.#crypto, key, uid, nonces))) {
      return refuse('key-wrong', `unit ${JSON.stringify(uid)} does not have the key configured for it`, VERDICT_WRONG);
    }
    return {
      kind: 'opened',
      send: concat(VERDICT_OK, baseProof(this.#crypto, key, uid, nonces)),
      opened: { uid, sessionKey: sessionKey(this.#crypto, key, uid, nonces), maxTransmission, rest: nothing },
    };
  }
}

/** The unit's side of the same opening. It acts on nothing before the base has proved itself. */
export class UnitOpening {
  readonly #crypto: SessionCrypto;
  readonly #uid: string;
  readonly #key: Uint8Array;
  readonly #maxTransmission: number;
  readonly #queue = new OctetQueue();
  #state:
    | { readonly kind: 'challenge' }
    | { readonly kind: 'verdict'; readonly challenge: Uint8Array; readonly nonce: Uint8Array } = {
    kind: 'challenge',
  };

  constructor(options: {
    readonly crypto: SessionCrypto;
    readonly uid: string;
    readonly key: Uint8Array;
    readonly maxTransmission: number;
  }) {
    this.#crypto = options.crypto;
    this.#uid = options.uid;
    this.#key = options.key;
    this.#maxTransmission = options.maxTransmission;
  }

  /** The octets that begin the connection. */
  start(): Uint8Array {
    return encodeInitiation({
      tls: false,
      version: VERSION_1_01,
      options: initiationOptions.typedMessages | initiationOptions.mutualProof,
      maxTransmission: this.#maxTransmission,
    });
  }

  push(chunk: Uint8Array): OpeningStep {
    this.#queue.push(chunk);
    const step = this.#state.kind === 'challenge' ? this.#challenge() : this.#verdict(this.#state);
    this.#queue.settle();
    return step;
  }

  #challenge(): OpeningStep {
    const result = decodeInitiationAnswer(this.#queue.peek());
    if (result.kind === 'bad') return { kind: 'refused', send: nothing, error: result.error };
    if (result.kind === 'more') return { kind: 'more', send: nothing };
    const answer = result.value;
    if (answer.kind !== 'accepted') return refuse('proof-refused', 'the base refused the opening', nothing);
    if ((answer.flags & ruleFlags.mutualProof) === 0)
      return refuse('proof-refused', 'the base cannot prove itself', nothing);
    const end = result.used + CHALLENGE_OCTETS;
    if (this.#queue.length < end) return { kind: 'more', send: nothing };
    const challenge = this.#queue.peek().slice(result.used, end);
    this.#queue.consume(end);
    const nonce = this.#crypto.random(CHALLENGE_OCTETS);
    this.#state = { kind: 'verdict', challenge, nonce };
    const proof = unitProof(this.#crypto, this.#key, this.#uid, { challenge, nonce });
    return { kind: 'more', send: concat(encodeUid(this.#uid), proof, nonce) };
  }

  #verdict(nonces: { readonly challenge: Uint8Array; readonly nonce: Uint8Array }): OpeningStep {
    const octets = this.#queue.peek();
    if (octets.length === 0) return { kind: 'more', send: nothing };
    if (octets[0] !== 1) return refuse('proof-refused', 'the base refused our proof', nothing);
    const end = 1 + PROOF_OCTETS;
    if (octets.length < end) return { kind: 'more', send: nothing };
    if (!equalInConstantTime(octets.subarray(1, end), baseProof(this.#crypto, this.#key, this.#uid, nonces))) {
      return refuse('key-wrong', 'the base does not have our key', nothing);
    }
    const rest = octets.slice(end);
    const key = sessionKey(this.#crypto, this.#key, this.#uid, nonces);
    return { kind: 'opened', send: nothing, opened: { uid: this.#uid, sessionKey: key, maxTransmission: 0, rest } };
  }
}

function refuse(code: ConstructorParameters<typeof ProtocolError>[0], message: string, send: Uint8Array): OpeningStep {
  return { kind: 'refused', send, error: new ProtocolError(code, message) };
}
