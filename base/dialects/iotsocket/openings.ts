import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import type { InitiationAnswer } from '../../../protocol/iotsocket/opening-frames.js';
import type { SessionCrypto } from '../../../protocol/iotsocket/proof.js';
import type { Clock, Timer } from '../../core/clock.js';
import type { Log } from '../../core/log.js';
import { LoginGuard } from '../../links/login-guard.js';
import { isPublicAddress } from '../../links/public-address.js';
import { Unproved, type UnprovedConnection } from '../../links/unproved.js';
import { Flapping } from '../flapping.js';
import { RefusalLog } from '../refusal-log.js';
import type { IotsocketLimits } from './iotsocket-limits.js';
import type { RedirectOptions } from './iotsocket-options.js';
import type { Peer, PeerKey } from './peer.js';
import type { OpenedStream } from './sessions.js';
import { type OpeningHost, StreamOpening, steps } from './stream-opening.js';
import { tickOf } from './ticks.js';

const SWEEP_MS = 500;
/** A wrong login from an address that has had many waits so long for its answer. */
const SLOW_ANSWER_MS = 1_000;

export interface OpeningsOptions {
  readonly limits: IotsocketLimits;
  readonly crypto: SessionCrypto;
  readonly secureContext: () => SecureContext | undefined;
  readonly redirect: RedirectOptions | undefined;
  readonly allowPlaintext: boolean;
  readonly find: (key: PeerKey) => Peer | undefined;
  /** Sessions of objects with a connection. */
  readonly sessions: () => number;
  readonly open: (peer: Peer, opened: OpenedStream) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Connections that are no sessions yet: bounded in number and in time, whoever makes them. */
export class Openings implements OpeningHost {
  readonly limits: IotsocketLimits;
  readonly crypto: SessionCrypto;
  readonly clock: Clock;
  readonly #options: OpeningsOptions;
  readonly #unproved: Unproved;
  readonly #guard: LoginGuard;
  readonly #flapping: Flapping;
  readonly #openings = new Set<StreamOpening>();
  readonly #refusals: RefusalLog;
  #sweep: Timer | undefined;

  constructor(options: OpeningsOptions) {
    const { limits, crypto, clock } = options;
    this.#options = options;
    this.limits = limits;
    this.crypto = crypto;
    this.clock = clock;
    this.#unproved = new Unproved({ inAll: limits.unproved, perAddress: limits.unprovedPerAddress });
    this.#guard = new LoginGuard(limits.loginFailures);
    this.#flapping = new Flapping(limits.loginsPerMinute);
    this.#refusals = new RefusalLog(clock, options.log);
  }

  /** Openings that were refused, or took too long. */
  get refusedCount(): number {
    return this.#refusals.count;
  }

  start(): void {
    this.#sweep = this.clock.after(SWEEP_MS, () => {
      const tick = tickOf(this.clock);
      for (const opening of this.#openings) opening.check(tick);
      this.start();
    });
  }

  stop(): void {
    this.#sweep?.cancel();
    for (const opening of [...this.#openings]) opening.destroy();
  }

  /** Begins with a connection; what it was bounded as before is `unproved`. */
  take(stream: Duplex, address: string, isTlsBelow: boolean): void {
    const opening = new StreamOpening(this, stream, address, isTlsBelow);
    this.#openings.add(opening);
    this.#unproved.add(opening);
    opening.start();
  }

  /** A connection that has to do something else first. */
  addUnproved(connection: UnprovedConnection): void {
    this.#unproved.add(connection);
  }

  deleteUnproved(connection: UnprovedConnection): void {
    this.#unproved.delete(connection);
  }

  // OpeningHost.

  secureContext(): SecureContext | undefined {
    return this.#options.secureContext();
  }

  admit(address: string, isClear: boolean): ReturnType<OpeningHost['admit']> {
    const { redirect, allowPlaintext, sessions } = this.#options;
    if (isClear && !allowPlaintext && isPublicAddress(address))
      return {
        kind: 'refused',
        why: 'it does not ask for TLS, and comes from a public address (iotsocket.allowPlaintext)',
      };
    if (redirect !== undefined && sessions() >= redirect.aboveSessions) {
      const { host, port } = redirect;
      return { kind: 'redirected', flags: 0, host, port };
    }
    return accepted;
  }

  find(key: PeerKey): Peer | undefined {
    return this.#options.find(key);
  }

  mayLogIn(address: string, key: PeerKey): boolean {
    return this.#guard.allows(address, key, this.clock.monotonic());
  }

  loginFailed(address: string, key: PeerKey): number {
    return this.#guard.failed(address, key, this.clock.monotonic()) ? SLOW_ANSWER_MS : 0;
  }

  refused(address: string, why: string): void {
    this.#refusals.refused(address, why);
  }

  refusal(address: string, peer: Peer): string | undefined {
    const { sessions } = this.limits;
    if (!peer.isCentral && peer.session === undefined && this.#options.sessions() >= sessions)
      return `${sessions} sessions are open (iotsocket.limits.sessions)`;
    return this.#flapping.allows(peer.key, address, this.clock.monotonic())
      ? undefined
      : 'it connects too often; two devices may have its UID and key';
  }

  opened(opening: StreamOpening, peer: Peer, opened: OpenedStream): void {
    this.#forget(opening);
    this.#guard.succeeded(opening.address, peer.key);
    this.#options.open(peer, opened);
  }

  moved(opening: StreamOpening, step: keyof typeof steps): void {
    this.#unproved.move(opening, steps[step]);
  }

  gone(opening: StreamOpening): void {
    this.#forget(opening);
  }

  #forget(opening: StreamOpening): void {
    this.#openings.delete(opening);
    this.#unproved.delete(opening);
  }
}

const accepted: InitiationAnswer = { kind: 'accepted', flags: 0 };
