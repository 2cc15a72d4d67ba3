import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../core/clock.js';
import type { Log } from '../core/log.js';

/** What clients of one event stream may take (reference/limits.md, SSE). */
export interface SseLimits {
  /** Clients in all, and of one token. */
  readonly streams: number;
  readonly streamsPerToken: number;
  /** Octets written to one client and not yet taken; past it the client is cut. */
  readonly streamBufferOctets: number;
  /** A comment goes to every client so often: it shows a lost one, and keeps proxies from closing an idle one. */
  readonly pingMs: number;
}

export interface SseClient {
  /** Names its token in the limits. */
  readonly tokenKey: string;
  readonly response: ServerResponse;
}

export interface SseClientsOptions<C extends SseClient> {
  readonly limits: SseLimits;
  readonly clock: Clock;
  readonly log: Log;
  /** What the log says of a client that is cut. */
  readonly fieldsOf?: (client: C) => object;
}

/** Tells browsers when to come back after a cut. */
const RETRY_MS = 2_000;
/** TCP finds a client that lost power. */
const TCP_KEEP_ALIVE_MS = 30_000;

/** Who listens to one stream of Server-Sent Events: how many may, comments for all, and an end for who takes too little. */
export class SseClients<C extends SseClient = SseClient> {
  readonly #options: SseClientsOptions<C>;
  readonly #clients = new Set<C>();
  #ping: Timer | undefined;

  constructor(options: SseClientsOptions<C>) {
    this.#options = options;
  }

  get size(): number {
    return this.#clients.size;
  }

  [Symbol.iterator](): Iterator<C> {
    return this.#clients.values();
  }

  /** True for the socket of a client. */
  has(socket: Socket): boolean {
    return [...this.#clients].some(({ response }) => response.socket === socket);
  }

  /** Begins to send comments. */
  start(): void {
    this.#pingLater();
  }

  /** Ends every stream. May be called twice. */
  stop(): void {
    this.#ping?.cancel();
    for (const { response } of this.#clients) response.end();
    this.#clients.clear();
  }

  /** Which bound has no room for one more client of that token. */
  bound(tokenKey: string): 'streams' | 'streamsPerToken' | undefined {
    const { streams, streamsPerToken } = this.#options.limits;
    const own = [...this.#clients].filter((client) => client.tokenKey === tokenKey).length;
    if (own >= streamsPerToken) return 'streamsPerToken';
    return this.#clients.size >= streams ? 'streams' : undefined;
  }

  /** Takes a client whose headers are not sent yet, until either side ends it. */
  open(client: C, headers: Readonly<Record<string, string>>): void {
    const { response } = client;
    this.#clients.add(client);
    response.on('close', () => this.#clients.delete(client));
    // An error is followed by close.
    response.on('error', (error) => this.#options.log.debug({ err: error }, 'event stream lost'));
    response.socket?.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    response.write(`retry: ${RETRY_MS}\n\n`);
  }

  write(client: C, text: string): void {
    const { response } = client;
    if (response.destroyed) return;
    response.write(text);
    if (response.writableLength > this.#options.limits.streamBufferOctets)
      this.cut(client, 'it takes its events too slowly');
  }

  cut(client: C, why: string): void {
    this.#clients.delete(client);
    client.response.destroy();
    this.#options.log.info(this.#options.fieldsOf?.(client) ?? {}, `event stream cut: ${why}`);
  }

  #pingLater(): void {
    this.#ping = this.#options.clock.after(this.#options.limits.pingMs, () => {
      for (const client of this.#clients) this.write(client, ': ping\n\n');
      this.#pingLater();
    });
  }
}
