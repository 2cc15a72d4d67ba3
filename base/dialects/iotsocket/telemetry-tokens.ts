import { TOKEN_OCTETS } from '../../../protocol/iotsocket/datagram.js';
import type { Random } from '../../core/random.js';
import { TokenBucket } from '../../core/token-bucket.js';
import type { Peer } from './peer.js';
import { TICK_MS } from './ticks.js';

/** Of one session: the one in use, and the one before, since datagrams and its renewal may cross. */
const TOKENS_PER_SESSION = 2;
/** Values of the lower 21 of the first 53 bits, and of the last 11. */
const LOW_VALUES = 0x20_0000;
const REST_VALUES = 0x800;

/** What lets an object send datagrams. Numbers instead of octets: ten thousand idle objects have one each. */
export class TelemetryToken {
  /** The first 53 of its 64 bits, and the other 11. */
  readonly number: number;
  readonly rest: number;
  readonly peer: Peer;
  /** The only address it is good from. */
  readonly address: string;
  /** Monotonic moment at which it ends. */
  readonly expiresMs: number;
  #bucket: TokenBucket | undefined;

  constructor(octets: Uint8Array, peer: Peer, address: string, expiresMs: number) {
    this.number = numberOf(octets);
    this.rest = restOf(octets);
    this.peer = peer;
    this.address = address;
    this.expiresMs = expiresMs;
  }

  /** As it travels. */
  get octets(): Buffer {
    const octets = Buffer.allocUnsafe(TOKEN_OCTETS);
    octets.writeUInt32BE(Math.floor(this.number / LOW_VALUES), 0);
    octets.writeUInt32BE((this.number % LOW_VALUES) * REST_VALUES + this.rest, 4);
    return octets;
  }

  /** Whether one more datagram is allowed at this monotonic moment. */
  take(nowMs: number, perS: number): boolean {
    this.#bucket ??= new TokenBucket({ perSecond: perS, burst: perS }, nowMs);
    return this.#bucket.take(nowMs);
  }
}

/** The telemetry tokens of all sessions. A token dies with its session, or of old age. */
export class TelemetryTokens {
  readonly #random: Random;
  /** By the first 53 of their 64 bits, as a number: no string has to be made for a datagram. */
  readonly #tokens = new Map<number, TelemetryToken>();

  constructor(random: Random) {
    this.#random = random;
  }

  get size(): number {
    return this.#tokens.size;
  }

  /** A new one for a peer, until a tick, beside the one it had, unless that is of another address. */
  issue(peer: Peer, address: string, expires: number): TelemetryToken {
    let token: TelemetryToken;
    do token = new TelemetryToken(this.#random.octets(TOKEN_OCTETS), peer, address, (expires - 1) * TICK_MS);
    while (this.#tokens.has(token.number));
    this.#tokens.set(token.number, token);
    peer.tokens = peer.tokens === undefined ? [token] : [...this.#kept(peer.tokens, address), token];
    return token;
  }

  /** The token a datagram begins with, where there is one; whether it is still good is for the caller to see. */
  find(datagram: Buffer): TelemetryToken | undefined {
    const token = this.#tokens.get(numberOf(datagram));
    return token !== undefined && token.rest === restOf(datagram) ? token : undefined;
  }

  /** The session is over. */
  revoke(peer: Peer): void {
    for (const token of peer.tokens ?? []) this.#forget(token);
    peer.tokens = undefined;
    peer.renewsAt = 0;
  }

  /** Those that stay beside a new one of that address; the others end. */
  #kept(tokens: readonly TelemetryToken[], address: string): readonly TelemetryToken[] {
    const kept = tokens.filter((before) => before.address === address).slice(1 - TOKENS_PER_SESSION);
    for (const before of tokens) if (!kept.includes(before)) this.#forget(before);
    return kept;
  }

  #forget({ number }: TelemetryToken): void {
    this.#tokens.delete(number);
  }
}

/** By index: Buffer's own readers and comparison cost more than all else that is looked at. */
const numberOf = (octets: Uint8Array): number =>
  (octets[0]! * 0x100_0000 + ((octets[1]! << 16) | (octets[2]! << 8) | octets[3]!)) * LOW_VALUES +
  (((octets[4]! << 24) | (octets[5]! << 16) | (octets[6]! << 8) | octets[7]!) >>> 11);

const restOf = (octets: Uint8Array): number => ((octets[6]! << 8) | octets[7]!) & (REST_VALUES - 1);
