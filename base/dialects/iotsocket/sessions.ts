import type { Duplex } from 'node:stream';
import { BaseUnitError, ProtocolError } from '../../../protocol/errors.js';
import { closeCodes } from '../../../protocol/iotsocket/transmission.js';
import { firstOctets } from '../../../protocol/iotsocket/transmission-length.js';
import type { Clock, Timer } from '../../core/clock.js';
import type { Connection } from '../../core/connection.js';
import { type Log, peerText } from '../../core/log.js';
import type { PresenceChange } from '../../core/unit-events.js';
import { GOODBYE_MS } from '../../links/link-session.js';
import type { AccessEntry } from './access-entry.js';
import type { IotsocketLimits } from './iotsocket-limits.js';
import type { Peer } from './peer.js';
import type { Relay } from './relay.js';
import type { SessionHost } from './session-host.js';
import { StreamSession } from './stream-session.js';
import type { TelemetryTokens } from './telemetry-tokens.js';
import { TICK_MS, tickOf, ticks } from './ticks.js';

/** How often sessions are looked at: heartbeat, unfinished transmissions, what is not taken. */
const SWEEP_MS = 500;
/** A token is renewed when so much of its life is over: a datagram may take a while. */
const RENEW_AT = 2 / 3;

export interface SessionsOptions {
  readonly relay: Relay;
  readonly tokens: TelemetryTokens;
  readonly central: Peer | undefined;
  /** Datagrams are taken, so that tokens are of use. */
  readonly hasTelemetry: boolean;
  readonly keepSessionMs: number;
  readonly limits: IotsocketLimits;
  readonly replaceAccessList: (entries: readonly AccessEntry[]) => Promise<void>;
  readonly presence: (peer: Peer, change: PresenceChange) => void;
  readonly refused: (peer: Peer) => void;
  /** A session of an object has begun: where it is counted. */
  readonly connected?: (session: StreamSession) => Connection;
  readonly clock: Clock;
  readonly log: Log;
}

/** What an opened connection brings. */
export interface OpenedStream {
  readonly stream: Duplex;
  readonly address: string;
  readonly maxTransmission: number;
  /** What the client is to be sent first. */
  readonly verdict: Uint8Array;
  /** Octets that came behind the opening. */
  readonly rest: Buffer;
}

/** The sessions of all peers, from the opening to the end: replaced, kept, resumed, watched. */
export class Sessions implements SessionHost {
  readonly relay: Relay;
  readonly limits: IotsocketLimits;
  readonly #options: SessionsOptions;
  readonly #live = new Set<StreamSession>();
  readonly #leaving = new Set<StreamSession>();
  readonly #kept = new Set<Peer>();
  readonly #throttled = new Map<StreamSession, number>();
  readonly #dirty: StreamSession[] = [];
  readonly #keepTicks: number;
  readonly #goodbyeTicks = ticks(GOODBYE_MS);
  /** Something is to be written before this turn of the event loop is over. */
  #isTurnOpen = false;
  /** What was read since. */
  #reads = 0;
  /** More than one thing was read in the last turn: so it will be in this one, and goes out together. */
  #isBusy = false;
  #sweep: Timer | undefined;
  #whenEmpty: (() => void) | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.relay = options.relay;
    this.limits = options.limits;
    this.#keepTicks = options.keepSessionMs === 0 ? 0 : ticks(options.keepSessionMs);
  }

  /** Sessions with a connection. */
  get size(): number {
    return this.#live.size;
  }

  /** … but the central's. */
  get objectCount(): number {
    return this.#live.size - (this.#options.central?.session === undefined ? 0 : 1);
  }

  get keptSize(): number {
    return this.#kept.size;
  }

  start(): void {
    this.#sweepLater();
  }

  /** Says goodbye to all, and resolves when they have closed, at the latest after 2 s. May be called twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.#sayGoodbye();
    return this.#stopping;
  }

  /** A peer has proved who it is: its session begins, or goes on. */
  open(peer: Peer, { stream, address, maxTransmission, verdict, rest }: OpenedStream): void {
    const tick = this.tick();
    const before = peer.session;
    if (before !== undefined) this.#detach(before, closeCodes.freeingResources);
    const session = new StreamSession(this, peer, stream, { address, maxTransmission }, tick);
    const awayTicks = peer.keptUntil > 0 ? tick - peer.keptSince : 0;
    peer.keptUntil = 0;
    this.#kept.delete(peer);
    peer.session = session;
    this.#live.add(session);
    if (verdict.length > 0) session.send(verdict);
    if (this.#options.hasTelemetry && peer.group.telemetry) this.#issueToken(peer, session, tick);
    if (!peer.isCentral && this.#options.connected !== undefined) session.countIn(this.#options.connected(session));
    this.relay.resume(peer, awayTicks);
    this.#options.presence(peer, { state: 'online' });
    session.start(rest);
  }

  /** What an earlier run kept for it waits as if its connection had just been lost. */
  keepRestored(peer: Peer): void {
    this.#keep(peer);
  }

  /** It has another key in the access list, or is no longer there. */
  revoke(peer: Peer): void {
    const { session } = peer;
    if (session !== undefined) this.#detach(session, closeCodes.maintenance);
    this.#end(peer);
    this.relay.remove(peer);
    if (session !== undefined)
      this.#options.presence(peer, { state: 'offline', reason: 'it has another key, or none, in the access list' });
  }

  /** Its group has changed, and with it what it may do. */
  regroup(peer: Peer): void {
    if (!peer.group.telemetry) this.#options.tokens.revoke(peer);
    else if (peer.session !== undefined && peer.tokens === undefined && this.#options.hasTelemetry)
      this.#issueToken(peer, peer.session, this.tick());
  }

  // SessionHost.

  tick(): number {
    return tickOf(this.#options.clock);
  }

  goodbyeTick(): number {
    return this.tick() + this.#goodbyeTicks;
  }

  flushLater(session: StreamSession): void {
    this.#dirty.push(session);
    if (this.#isTurnOpen) return;
    this.#isTurnOpen = true;
    setImmediate(this.#endTurn);
  }

  /** Where there is little to do, nothing is gained by waiting for what else the turn reads. */
  readDone(): void {
    if (!this.#isTurnOpen) return;
    this.#reads += 1;
    if (this.#reads === 1 && !this.#isBusy) this.#flush();
  }

  replaceAccessList(entries: readonly AccessEntry[]): Promise<void> {
    return this.#options.replaceAccessList(entries);
  }

  closedByPeer(session: StreamSession, code: number): void {
    const { peer } = session;
    const isKept = code === closeCodes.sleep || code === closeCodes.freeingResources;
    this.#letGo(session);
    if (peer.session !== session) return;
    peer.session = undefined;
    if (isKept) this.#keep(peer, code === closeCodes.sleep ? 'it sleeps' : 'it closed its connection for a while');
    else {
      this.#end(peer);
      this.#options.presence(peer, { state: 'offline', reason: `it closed its session (code ${hex(code)})` });
    }
  }

  closed(session: StreamSession): void {
    const { peer } = session;
    session.uncounted(this.tick());
    this.#live.delete(session);
    this.#leaving.delete(session);
    this.#throttled.delete(session);
    if (this.#leaving.size === 0) this.#whenEmpty?.();
    if (peer.session !== session) return;
    peer.session = undefined;
    this.#keep(peer, 'its connection was lost');
  }

  broken(session: StreamSession, code: number, error: Error): void {
    const { peer } = session;
    const { log } = this.#options;
    this.#options.refused(peer);
    const fields = {
      unit: nameOf(peer),
      code: error instanceof BaseUnitError ? error.code : 'internal',
      reason: peerText(error.message),
    };
    const isOurs = code === closeCodes.internalError;
    if (isOurs) log.error({ ...fields, stack: error.stack }, 'a session was ended: the base failed');
    else log.warn(fields, 'a session was ended: its peer broke the protocol');
    this.#detachAndEnd(session, code, `${isOurs ? 'the base failed' : 'it broke the protocol'}: ${fields.reason}`);
  }

  tooSlow(session: StreamSession): void {
    if (session.goodbyeAt !== 0 || session.isOver) return;
    this.#options.log.warn(
      { unit: nameOf(session.peer) },
      'a session was ended: its peer does not take what is sent to it',
    );
    this.#detachAndEnd(session, closeCodes.tooMuchLoad, 'it did not take what was sent to it');
    session.destroy();
  }

  throttled(session: StreamSession, until: number): void {
    this.#throttled.set(session, until);
  }

  readonly #endTurn = (): void => {
    this.#flush();
    this.#isTurnOpen = false;
    this.#isBusy = this.#reads > 1;
    this.#reads = 0;
  };

  #flush(): void {
    const dirty = this.#dirty;
    // More may be added while these are written.
    for (let index = 0; index < dirty.length; index += 1) dirty[index]!.flush();
    dirty.length = 0;
  }

  #detachAndEnd(session: StreamSession, code: number, reason: string): void {
    const { peer } = session;
    const isCurrent = peer.session === session;
    this.#detach(session, code);
    if (!isCurrent) return;
    this.#end(peer);
    this.#options.presence(peer, { state: 'offline', reason });
  }

  /** It is told goodbye, and no longer its peer's session. */
  #detach(session: StreamSession, code: number): void {
    this.#letGo(session);
    if (session.peer.session === session) session.peer.session = undefined;
    session.close(code);
  }

  #letGo(session: StreamSession): void {
    session.uncounted(this.tick());
    this.#live.delete(session);
    this.#throttled.delete(session);
    if (!session.isOver) this.#leaving.add(session);
  }

  #keep(peer: Peer, why?: string): void {
    if (this.#keepTicks === 0) {
      this.#end(peer);
    } else {
      peer.keptSince = this.tick();
      peer.keptUntil = peer.keptSince + this.#keepTicks;
      this.#kept.add(peer);
    }
    if (why !== undefined) this.#options.presence(peer, { state: 'offline', reason: why });
  }

  #end(peer: Peer): void {
    peer.keptUntil = 0;
    this.#kept.delete(peer);
    this.#options.tokens.revoke(peer);
    this.relay.end(peer);
  }

  #issueToken(peer: Peer, session: StreamSession, tick: number): void {
    const life = ticks(peer.group.telemetryTokenLifeMs);
    const token = this.#options.tokens.issue(peer, session.address, tick + life);
    peer.renewsAt = tick + Math.floor(life * RENEW_AT);
    const { octets } = token;
    const at = session.reserve(1 + octets.length);
    session.buffer[at] = firstOctets.telemetryToken;
    octets.copy(session.buffer, at + 1);
  }

  async #sayGoodbye(): Promise<void> {
    this.#sweep?.cancel();
    for (const session of [...this.#live]) this.#detach(session, closeCodes.maintenance);
    if (this.#leaving.size > 0) {
      await new Promise<void>((resolve) => {
        const late = this.#options.clock.after(GOODBYE_MS, resolve);
        this.#whenEmpty = () => {
          late.cancel();
          resolve();
        };
      });
    }
    for (const session of [...this.#leaving]) session.destroy();
  }

  #sweepLater(): void {
    this.#sweep = this.#options.clock.after(SWEEP_MS, () => {
      this.#sweepNow(this.tick());
      this.#sweepLater();
    });
  }

  #sweepNow(tick: number): void {
    for (const [session, until] of this.#throttled) {
      if (until > tick) continue;
      this.#throttled.delete(session);
      session.unthrottle(tick);
    }
    const transmission = ticks(this.limits.transmissionMs);
    const stalled = ticks(this.limits.stalledMs);
    for (const session of this.#live) {
      const { peer } = session;
      session.tell(tick);
      if (session.stalledSince !== 0 && tick - session.stalledSince >= stalled) this.tooSlow(session);
      else if (session.partialSince !== 0 && tick - session.partialSince >= transmission)
        this.broken(session, closeCodes.protocolError, tooLong(this.limits.transmissionMs));
      else if (!session.isThrottled && !session.isPaused) this.#beat(session, tick);
      if (peer.renewsAt !== 0 && tick >= peer.renewsAt && peer.session === session)
        this.#issueToken(peer, session, tick);
    }
    for (const session of this.#leaving) if (tick >= session.goodbyeAt) session.destroy();
    for (const peer of this.#kept) {
      if (tick < peer.keptUntil) continue;
      this.#end(peer);
    }
  }

  #beat(session: StreamSession, tick: number): void {
    const silentMs = (tick - session.heard) * TICK_MS;
    const { pingAfterMs, deadAfterMs } = session.peer.group;
    if (silentMs >= deadAfterMs) session.destroy();
    else if (silentMs >= pingAfterMs && !session.isPinged) {
      session.isPinged = true;
      session.ping();
    }
  }
}

const tooLong = (ms: number): Error =>
  new ProtocolError('frame-too-slow', `a transmission was not complete within ${ms / 1_000} s`);

const nameOf = (peer: Peer): string => (peer.isCentral ? 'the central' : peer.uid);

const hex = (code: number): string => code.toString(16).padStart(2, '0');
