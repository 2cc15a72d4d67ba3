import { Duplex } from 'node:stream';
import type { AccessEntry } from '../../../../base/dialects/iotsocket/access-entry.js';
import { defaultIotsocketLimits, type IotsocketLimits } from '../../../../base/dialects/iotsocket/iotsocket-limits.js';
import { Peer } from '../../../../base/dialects/iotsocket/peer.js';
import type { Relay } from '../../../../base/dialects/iotsocket/relay.js';
import type { SessionHost } from '../../../../base/dialects/iotsocket/session-host.js';
import { StreamSession } from '../../../../base/dialects/iotsocket/stream-session.js';
import type { BaseUnitError } from '../../../../protocol/errors.js';

/** Nobody is slowed down who is not to be. */
const unhurried: IotsocketLimits = { ...defaultIotsocketLimits, transmissionBurst: Number.MAX_SAFE_INTEGER };
const GROUP = { telemetry: true, telemetryTokenLifeMs: 900_000, pingAfterMs: 15_000, deadAfterMs: 45_000 };

/** A peer of a session that nobody has to look up. */
export const peerOf = (uid: string): Peer => new Peer(uid, new Uint8Array(16), GROUP);

/**
 * How a stream takes what is written. `at once`: as a socket does whose buffers have room. `later`: as TLS and WebSockets
 * do, when {@link MemoryStream.accept} is called. `never`: as a reader that has stopped reading.
 */
export type Taking = 'at once' | 'later' | 'never';

/** A stream whose other end is the test. */
export class MemoryStream extends Duplex {
  taking: Taking = 'at once';
  /** Each write that was taken, in hexadecimal digits. */
  readonly writes: string[] = [];
  #accept: (() => void) | undefined;

  constructor() {
    super();
    // As a socket's: what its peer does is no error of the test.
    this.on('error', () => {});
  }

  get written(): string {
    return this.writes.join('');
  }

  /** Octets from the peer. They are read in this very call, unless the session has paused. */
  send(octets: Uint8Array | string): void {
    this.push(typeof octets === 'string' ? Buffer.from(octets, 'hex') : octets);
  }

  /** Takes what was written first of what waits. */
  accept(): void {
    const accept = this.#accept;
    this.#accept = undefined;
    accept?.();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const accept = (): void => {
      this.writes.push(chunk.toString('hex'));
      done();
    };
    if (this.taking === 'at once') accept();
    else this.#accept = accept;
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#accept = undefined;
    done(error);
  }
}

/** What sessions hand on, and what they are told: a line each. */
export class StubHost implements SessionHost {
  readonly limits: IotsocketLimits;
  readonly relay: Relay;
  /** Transmissions for the relay. */
  readonly relayed: string[] = [];
  readonly said: string[] = [];
  readonly lists: (readonly AccessEntry[])[] = [];
  /** Settles what the list that is being put in force has become of. */
  settleList: (error?: Error) => void = () => {};
  now = 1;
  readonly #dirty: StreamSession[] = [];

  constructor(limits: Partial<IotsocketLimits> = {}) {
    this.limits = { ...unhurried, ...limits };
    const take = (octets: Buffer, at: number, length: number): void =>
      void this.relayed.push(octets.toString('hex', at, at + length));
    const relay = {
      objectRequest: (_: StreamSession, octets: Buffer, at: number, length: number) => take(octets, at, length),
      objectResponse: (_: StreamSession, octets: Buffer, at: number, length: number) => take(octets, at, length),
      centralRequest: take,
      centralResponse: take,
      centralRequestWithoutUid: (octets: Buffer, at: number) =>
        void this.relayed.push(`no UID ${octets.toString('hex', at, at + 3)}`),
      dropped: (what: string) => void this.relayed.push(`dropped: ${what}`),
    };
    // Of the relay a session uses these alone.
    this.relay = relay as unknown as Relay;
  }

  tick(): number {
    return this.now;
  }

  goodbyeTick(): number {
    return this.now + 20;
  }

  flushLater(session: StreamSession): void {
    this.#dirty.push(session);
  }

  /** The end of the turn. */
  readDone(): void {}

  flush(): void {
    for (const session of this.#dirty.splice(0)) session.flush();
  }

  closedByPeer(_session: StreamSession, code: number): void {
    this.said.push(`closed by peer ${code.toString(16)}`);
  }

  closed(): void {
    this.said.push('closed');
  }

  broken(session: StreamSession, code: number, error: Error): void {
    this.said.push(`broken ${code}: ${(error as BaseUnitError).code}`);
    session.close(code);
  }

  tooSlow(session: StreamSession): void {
    this.said.push('too slow');
    session.close(2);
    session.destroy();
  }

  throttled(_session: StreamSession, until: number): void {
    this.said.push(`throttled until ${until}`);
  }

  replaceAccessList(entries: readonly AccessEntry[]): Promise<void> {
    this.lists.push(entries);
    return new Promise((resolve, reject) => {
      this.settleList = (error) => (error === undefined ? resolve() : reject(error));
    });
  }
}

export interface OpenSession {
  readonly session: StreamSession;
  readonly stream: MemoryStream;
}

/** A session that has just been opened. An empty UID: the central's. */
export function openSession(
  host: SessionHost,
  uid: string,
  given: { readonly max?: number; readonly rest?: string; readonly taking?: Taking } = {},
): OpenSession {
  const stream = new MemoryStream();
  stream.taking = given.taking ?? 'at once';
  // As the opening leaves it.
  stream.pause();
  const client = { address: '127.0.0.1', maxTransmission: given.max ?? 0 };
  const session = new StreamSession(host, peerOf(uid), stream, client, host.tick());
  session.start(Buffer.from(given.rest ?? '', 'hex'));
  // What is pushed from now on is handed on in the same call.
  stream.read(0);
  return { session, stream };
}
