import { timingSafeEqual } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { type SecureContext, TLSSocket } from 'node:tls';
import { LOGIN_OCTETS } from '../../../protocol/iotsocket/login.js';
import {
  decodeInitiation,
  encodeInitiationAnswer,
  type InitiationAnswer,
  VERSION_1_01,
} from '../../../protocol/iotsocket/opening-frames.js';
import { CHALLENGE_OCTETS, type SessionCrypto } from '../../../protocol/iotsocket/proof.js';
import { UID_OCTETS } from '../../../protocol/iotsocket/uid.js';
import type { Clock } from '../../core/clock.js';
import { GOODBYE_MS } from '../../links/link-session.js';
import type { IotsocketLimits } from './iotsocket-limits.js';
import type { Peer, PeerKey } from './peer.js';
import type { OpenedStream } from './sessions.js';
import { disown, own, type StreamOwner } from './stream-owner.js';
import { tickOf, ticks } from './ticks.js';

/** What openings of all streams share. */
export interface OpeningHost {
  readonly limits: IotsocketLimits;
  readonly crypto: SessionCrypto;
  readonly clock: Clock;
  /** For TLS within the stream; `undefined`: there is none. Asked for each connection. */
  secureContext(): SecureContext | undefined;
  /** What a newcomer is told, before it is known who it is. `isClear`: it does not ask for TLS, and has none below. */
  admit(address: string, isClear: boolean): InitiationAnswer | { readonly kind: 'refused'; readonly why: string };
  find(key: PeerKey): Peer | undefined;
  /** Whether a login may be looked at. */
  mayLogIn(address: string, key: PeerKey): boolean;
  /** A wrong one. Gives how long its answer is to wait, in ms. */
  loginFailed(address: string, key: PeerKey): number;
  /** Why that peer may not have a session now; `undefined`: it may. */
  refusal(address: string, peer: Peer): string | undefined;
  /** It is over, and was refused. */
  refused(address: string, why: string): void;
  opened(opening: StreamOpening, peer: Peer, opened: OpenedStream): void;
  /** It has come so far. */
  moved(opening: StreamOpening, step: keyof typeof steps): void;
  /** Its stream is gone. */
  gone(opening: StreamOpening): void;
}

/** How far an opening has come that has not been refused. */
export const steps = { initiation: 0, tls: 1, login: 2 } as const;

/** Octets kept before the login (reference/limits.md, "TCP pre-auth"). */
const MAX_EARLY_OCTETS = 64;
/** A key for UIDs that are not known, so that they take as long as those that are. */
const NO_KEY = new Uint8Array(16);
/** No rule, no flags: typed units with mutual proof have a port of their own. */
const ACCEPTED = encodeInitiationAnswer({ kind: 'accepted', flags: 0 });
const VERDICT_RIGHT = Uint8Array.of(1);
const VERDICT_WRONG = Uint8Array.of(0);
const nothing = Buffer.alloc(0);

/**
 * The concentrator's side of "Opening a connection" (wire/iotsocket.md): initiation, TLS where it is asked for, challenge,
 * login, verdict. It holds the stream until it is a session's; before that it keeps no more than 48 octets.
 */
export class StreamOpening implements StreamOwner {
  readonly address: string;
  readonly #host: OpeningHost;
  #stream: Duplex;
  readonly #isTlsBelow: boolean;
  #step: keyof typeof steps | 'refusing' | 'over' = 'initiation';
  #octets: Buffer = nothing;
  #version = 0;
  #maxTransmission = 0;
  #challenge: Uint8Array = nothing;
  /** Of a login whose answer waits. */
  #refusal = '';
  /** Ticks at which the step, and the whole, must be over. */
  #stepEnds: number;
  readonly #wholeEnds: number;

  constructor(host: OpeningHost, stream: Duplex, address: string, isTlsBelow: boolean) {
    this.#host = host;
    this.#stream = stream;
    this.address = address;
    this.#isTlsBelow = isTlsBelow;
    const tick = tickOf(host.clock);
    this.#stepEnds = tick + ticks(host.limits.openingStepMs);
    this.#wholeEnds = tick + ticks(host.limits.openingMs);
  }

  start(): void {
    this.#stream.on('error', ignore);
    own(this.#stream, this);
  }

  /** Ends it when its time is over. */
  check(tick: number): void {
    if (tick < this.#stepEnds && tick < this.#wholeEnds) return;
    if (this.#step === 'over') this.#stream.destroy();
    else if (this.#step === 'refusing') this.#refuse(this.#refusal, this.#wrong());
    else this.#refuse('the opening took too long', nothing);
  }

  destroy(): void {
    this.#stream.destroy();
  }

  data(chunk: Buffer): void {
    this.#octets = this.#octets.length === 0 ? chunk : Buffer.concat([this.#octets, chunk]);
    if (this.#step === 'initiation') this.#initiation();
    if (this.#step === 'login') this.#login();
    if (this.#step === 'refusing' || this.#step === 'over') this.#octets = nothing;
  }

  closed(): void {
    this.#step = 'over';
    this.#host.gone(this);
  }

  #initiation(): void {
    const result = decodeInitiation(this.#octets);
    if (result.kind !== 'frame') return;
    const { tls, version, maxTransmission } = result.value;
    this.#octets = this.#octets.length === result.used ? nothing : this.#octets.subarray(result.used);
    const context = tls && !this.#isTlsBelow ? this.#host.secureContext() : undefined;
    if (version > VERSION_1_01) return this.#refuseInitiation(`version ${version} is not spoken here`);
    if (tls && context === undefined) return this.#refuseInitiation('TLS is asked for, and there is none');
    const answer = this.#host.admit(this.address, !tls && !this.#isTlsBelow);
    if ('why' in answer) return this.#refuseInitiation(answer.why);
    if (answer.kind !== 'accepted') {
      this.#leave(encodeInitiationAnswer(answer));
      return;
    }
    if (context === undefined && this.#octets.length > MAX_EARLY_OCTETS)
      return this.#refuse('octets came before the challenge was sent', nothing);
    this.#version = version;
    this.#maxTransmission = maxTransmission;
    if (context === undefined) this.#challengeIt(ACCEPTED);
    else {
      this.#stream.write(ACCEPTED);
      this.#secure(context);
    }
  }

  /** The TLS handshake, on the same stream. */
  #secure(context: SecureContext): void {
    const below = this.#stream;
    this.#goOn('tls', this.#host.limits.tlsHandshakeMs);
    disown(below);
    if (this.#octets.length > 0) below.unshift(this.#octets);
    this.#octets = nothing;
    const secure = new TLSSocket(below as never, { isServer: true, secureContext: context });
    this.#stream = secure;
    const closed = (): void => this.closed();
    secure.on('error', ignore);
    secure.on('close', closed);
    secure.once('secure', () => {
      if (this.#step !== 'tls') return;
      secure.removeListener('close', closed);
      own(secure, this);
      this.#challengeIt(nothing);
    });
  }

  #challengeIt(before: Uint8Array): void {
    this.#challenge = this.#host.crypto.random(CHALLENGE_OCTETS);
    this.#goOn('login', this.#host.limits.openingStepMs);
    this.#stream.write(before.length === 0 ? this.#challenge : Buffer.concat([before, this.#challenge]));
  }

  #login(): void {
    const octets = this.#octets;
    if (octets.length < LOGIN_OCTETS) return;
    const { address } = this;
    const host = this.#host;
    const key = octets.toString('latin1', 0, UID_OCTETS);
    if (!host.mayLogIn(address, key)) return this.#refuse('its last logins were wrong too often', this.#wrong());
    const peer = host.find(key);
    const proof = host.crypto.hmac(peer?.authKey ?? NO_KEY, this.#challenge);
    const isRight = timingSafeEqual(octets.subarray(UID_OCTETS, LOGIN_OCTETS), proof);
    if (peer === undefined || !isRight) {
      const why =
        peer === undefined ? 'its UID is not in the access list' : `it does not have the key of ${nameOf(peer)}`;
      const waitMs = host.loginFailed(address, key);
      if (waitMs === 0) return this.#refuse(why, this.#wrong());
      this.#refusal = why;
      this.#nextStep('refusing', waitMs);
      return;
    }
    const refusal = host.refusal(address, peer);
    if (refusal !== undefined) return this.#refuse(`${nameOf(peer)}: ${refusal}`, this.#wrong());
    this.#step = 'over';
    // A copy: what was read may be large, and of it one octet may be left.
    const rest = octets.length === LOGIN_OCTETS ? nothing : Buffer.from(octets.subarray(LOGIN_OCTETS));
    this.#octets = nothing;
    host.opened(this, peer, {
      stream: this.#stream,
      address,
      maxTransmission: this.#maxTransmission,
      verdict: this.#version === VERSION_1_01 ? VERDICT_RIGHT : nothing,
      rest,
    });
  }

  /** Draft v0.07 knows no verdict: a wrong answer is a close. */
  #wrong(): Uint8Array {
    return this.#version === VERSION_1_01 ? VERDICT_WRONG : nothing;
  }

  #refuseInitiation(why: string): void {
    this.#refuse(why, encodeInitiationAnswer({ kind: 'refused' }));
  }

  #refuse(why: string, answer: Uint8Array): void {
    this.#host.refused(this.address, why);
    this.#leave(answer);
  }

  #leave(answer: Uint8Array): void {
    this.#nextStep('over', GOODBYE_MS);
    this.#octets = nothing;
    const stream = this.#stream;
    // What it still sends is read and thrown away: closing over it would take the answer from it.
    if (answer.length === 0) stream.destroy();
    else if (!stream.destroyed) stream.end(answer);
  }

  #goOn(step: 'tls' | 'login', ms: number): void {
    this.#nextStep(step, ms);
    this.#host.moved(this, step);
  }

  #nextStep(step: 'tls' | 'login' | 'refusing' | 'over', ms: number): void {
    this.#step = step;
    this.#stepEnds = tickOf(this.#host.clock) + ticks(ms);
  }
}

/** `close` follows it. */
function ignore(): void {}

const nameOf = ({ uid, isCentral }: Peer): string => (isCentral ? 'the central' : JSON.stringify(uid));
