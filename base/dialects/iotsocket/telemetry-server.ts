import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { DATAGRAM_HEAD, TOKEN_OCTETS } from '../../../protocol/iotsocket/datagram.js';
import { type Address, plainHost } from '../../core/address.js';
import type { Clock } from '../../core/clock.js';
import type { Log } from '../../core/log.js';
import { TokenBucket } from '../../core/token-bucket.js';
import { listenError } from '../../links/tcp-listener.js';
import type { IotsocketLimits } from './iotsocket-limits.js';
import type { Peer } from './peer.js';
import type { TelemetryTokens } from './telemetry-tokens.js';

/** The system's own default holds 3 ms of a busy network's datagrams (docs/performance.md). */
const RECEIVE_BUFFER_OCTETS = 4 * 1024 * 1024;

const datagramRefusals = ['length', 'unknown token', 'expired token', "another session's address", 'too many'] as const;
export type DatagramRefusal = (typeof datagramRefusals)[number];

export interface TelemetryServerOptions {
  readonly tokens: TelemetryTokens;
  readonly limits: IotsocketLimits;
  /** A payload block from `at` to the end. */
  readonly take: (peer: Peer, datagram: Buffer, at: number) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Takes telemetry: `token | payload block` in each datagram (wire/iotsocket.md, "Telemetry"). Nobody is ever answered. */
export class TelemetryServer {
  readonly counts: Record<DatagramRefusal | 'taken', number> = {
    taken: 0,
    length: 0,
    'unknown token': 0,
    'expired token': 0,
    "another session's address": 0,
    'too many': 0,
  };
  readonly #options: TelemetryServerOptions;
  readonly #all: TokenBucket;
  readonly #logged: TokenBucket;
  #socket: Socket | undefined;

  constructor(options: TelemetryServerOptions) {
    const { limits, clock } = options;
    const now = clock.monotonic();
    this.#options = options;
    this.#all = new TokenBucket({ perSecond: limits.datagramsPerS, burst: limits.datagramsPerS }, now);
    const perSecond = limits.datagramRefusalsLoggedPerS;
    this.#logged = new TokenBucket({ perSecond, burst: Math.max(1, perSecond) }, now);
  }

  /** Resolves with the address it got. ConfigurationError `port-in-use`. */
  listen(address: Address): Promise<Address> {
    const { log } = this.#options;
    const type = isIPv6(address.host) ? 'udp6' : 'udp4';
    const socket = createSocket({ type, recvBufferSize: RECEIVE_BUFFER_OCTETS }, (datagram, from) =>
      this.#take(datagram, from),
    );
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      socket.once('error', (error: NodeJS.ErrnoException) => reject(listenError(address, error)));
      socket.bind(address.port, address.host, () => {
        socket.removeAllListeners('error');
        socket.on('error', (error) => log.warn({ error: error.message }, 'a datagram could not be taken'));
        resolve({ host: address.host, port: socket.address().port });
      });
    });
  }

  /** May be called twice. */
  close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    return new Promise((resolve) => (socket === undefined ? resolve() : socket.close(() => resolve())));
  }

  #take(datagram: Buffer, from: RemoteInfo): void {
    const { tokens, limits, clock } = this.#options;
    const { length } = datagram;
    if (length < DATAGRAM_HEAD || length > limits.datagramOctets) return this.#refuse('length', from);
    const announced = (datagram[TOKEN_OCTETS + 1]! << 8) | datagram[TOKEN_OCTETS + 2]!;
    if (length !== DATAGRAM_HEAD + announced) return this.#refuse('length', from);
    const token = tokens.find(datagram);
    if (token === undefined) return this.#refuse('unknown token', from);
    const now = clock.monotonic();
    if (now >= token.expiresMs) return this.#refuse('expired token', from);
    if (token.address !== plainHost(from.address)) return this.#refuse("another session's address", from);
    if (!token.take(now, limits.datagramsPerTokenPerS) || !this.#all.take(now)) return this.#refuse('too many', from);
    this.counts.taken += 1;
    this.#options.take(token.peer, datagram, TOKEN_OCTETS);
  }

  #refuse(why: DatagramRefusal, { address }: RemoteInfo): void {
    this.counts[why] += 1;
    const { clock, log } = this.#options;
    if (!this.#logged.take(clock.monotonic())) return;
    log.debug({ address: plainHost(address), reason: why }, 'a datagram was refused');
  }
}
