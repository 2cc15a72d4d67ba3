import { assertNever, InternalError, ProtocolError } from '../errors.js';
import { OctetQueue } from '../octet-queue.js';
import { encodeLogin } from './login.js';
import { decodeInitiationAnswer, encodeInitiation, VERSION_1_01 } from './opening-frames.js';
import { CHALLENGE_OCTETS, type SessionCrypto } from './proof.js';

/** One step of the client's side. */
export type ClientOpeningStep =
  | { readonly kind: 'more'; readonly send: Uint8Array }
  /** The TLS handshake begins now on the same stream, as its client; what it decrypts is pushed from now on. */
  | { readonly kind: 'startTls' }
  /** Close, and connect there. */
  | { readonly kind: 'redirected'; readonly host: string; readonly port: number }
  /**
   * The login is sent. In v1.01 it was right. Draft v0.07 does not say so: what comes next is a transmission, or the end of
   * the connection if it was wrong. `rest`: octets that came behind the opening, the session's first.
   */
  | { readonly kind: 'opened'; readonly send: Uint8Array; readonly rest: Uint8Array }
  | { readonly kind: 'refused'; readonly error: ProtocolError };

export interface ClientOpeningOptions {
  readonly crypto: SessionCrypto;
  /** Empty: the central. */
  readonly uid: string;
  /** 16 octets. */
  readonly key: Uint8Array;
  /** 0: draft v0.07; 1: v1.01. */
  readonly version: 0 | 1;
  readonly tls: boolean;
  /** The longest transmission that the client takes; 0: unsaid. */
  readonly maxTransmission: number;
}

const nothing = new Uint8Array(0);
/** Names and addresses; nothing that means something else in a URL or on a terminal. */
const hostName = /^[A-Za-z0-9._:%-]+$/;

/** The client's side of "Opening a connection" (wire/iotsocket.md), both versions. Octets in, octets out; no socket, no clock. */
export class ClientOpening {
  readonly #options: ClientOpeningOptions;
  readonly #queue = new OctetQueue();
  #state: 'answer' | 'challenge' | 'verdict' | 'over' = 'answer';

  constructor(options: ClientOpeningOptions) {
    this.#options = options;
  }

  /** The octets that begin the connection. */
  start(): Uint8Array {
    const { tls, version, maxTransmission } = this.#options;
    return encodeInitiation({ tls, version, options: 0, maxTransmission });
  }

  /** What the concentrator sent. Not after `redirected`, `opened` or `refused`: InternalError `internal`. */
  push(chunk: Uint8Array): ClientOpeningStep {
    this.#queue.push(chunk);
    const step = this.#step();
    if (step.kind === 'opened' || step.kind === 'redirected' || step.kind === 'refused') this.#state = 'over';
    this.#queue.settle();
    return step;
  }

  #step(): ClientOpeningStep {
    switch (this.#state) {
      case 'answer':
        return this.#answer();
      case 'challenge':
        return this.#challenge();
      case 'verdict':
        return this.#verdict();
      case 'over':
        throw new InternalError('internal', 'the opening is over');
      default:
        return assertNever(this.#state);
    }
  }

  #answer(): ClientOpeningStep {
    const result = decodeInitiationAnswer(this.#queue.peek());
    if (result.kind === 'bad') return { kind: 'refused', error: result.error };
    if (result.kind === 'more') return { kind: 'more', send: nothing };
    const answer = result.value;
    this.#queue.consume(result.used);
    if (answer.kind === 'refused') return refuse('proof-refused', this.#refusal());
    if (answer.kind === 'redirected') {
      const { host, port } = answer;
      if (!hostName.test(host) || port === 0)
        return refuse('opening-malformed', 'the concentrator redirects to no address');
      return { kind: 'redirected', host, port };
    }
    this.#state = 'challenge';
    if (!this.#options.tls) return this.#challenge();
    // The client speaks first in TLS: octets before that are somebody else's, put in to be taken for protected ones.
    if (this.#queue.length > 0) return refuse('opening-malformed', 'octets in clear follow where TLS begins');
    return { kind: 'startTls' };
  }

  #challenge(): ClientOpeningStep {
    if (this.#queue.length < CHALLENGE_OCTETS) return { kind: 'more', send: nothing };
    const { crypto, uid, key, version } = this.#options;
    const send = encodeLogin(crypto, uid, key, this.#queue.peek().subarray(0, CHALLENGE_OCTETS));
    this.#queue.consume(CHALLENGE_OCTETS);
    if (this.#queue.length > 0) return refuse('opening-malformed', 'octets follow before the challenge was answered');
    if (version !== VERSION_1_01) return { kind: 'opened', send, rest: nothing };
    this.#state = 'verdict';
    return { kind: 'more', send };
  }

  #verdict(): ClientOpeningStep {
    const octets = this.#queue.peek();
    if (octets.length === 0) return { kind: 'more', send: nothing };
    if (octets[0] === 1) return { kind: 'opened', send: nothing, rest: octets.slice(1) };
    if (octets[0] === 0)
      return refuse('proof-refused', 'the concentrator refused the login: UID or key is wrong there');
    return refuse('opening-malformed', `the verdict is ${octets[0]}, neither 0 nor 1`);
  }

  #refusal(): string {
    const { version, tls } = this.#options;
    return `the concentrator refused the opening: it does not take version ${version}, ${tls ? 'or has no TLS' : 'or wants TLS'}`;
  }
}

function refuse(code: 'proof-refused' | 'opening-malformed', message: string): ClientOpeningStep {
  return { kind: 'refused', error: new ProtocolError(code, message) };
}
