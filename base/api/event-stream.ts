import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Bus, Unsubscribe } from '../core/bus.js';
import type { Clock, Timer } from '../core/clock.js';
import type { Log } from '../core/log.js';
import type { CoreMessage } from '../core/messages.js';
import { withoutPart } from '../core/without-part.js';
import type { ApiLimits } from './api-limits.js';
import { EventRing, type StreamEvent } from './event-ring.js';

/** The core messages that are told to clients. */
export const streamKinds = ['report', 'outcome', 'request', 'response', 'presence', 'log'] as const;
export type StreamKind = (typeof streamKinds)[number];

export interface EventStreamOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: ApiLimits;
}

/** What a client wants to hear; what is absent is not looked at. */
export interface StreamRequest {
  /** Names its token in the limits. */
  readonly tokenKey: string;
  readonly unit?: string | undefined;
  readonly kind?: StreamKind | undefined;
  /** Of the last event it had. */
  readonly lastId?: number | undefined;
}

interface Client {
  readonly request: StreamRequest;
  readonly response: ServerResponse;
  /** The id of the next event it has not been given. */
  next: number;
  /** It has been given all there is, and gets what comes. */
  isLive: boolean;
}

/** A longer event is told without its payload: a thousand of them are kept, and one must not cut a client off. */
export const MAX_EVENT_OCTETS = 16 * 1024;
/** How much is written at once to a client that catches up; the rest waits until that has gone out. */
const CATCH_UP_OCTETS = 64 * 1024;
/** Tells browsers when to come back after a cut. */
const RETRY_MS = 2_000;
/** TCP finds a client that lost power. */
const TCP_KEEP_ALIVE_MS = 30_000;

/** Server-Sent Events: one ring, and for each client the place in it that it has come to. */
export class EventStream {
  readonly #options: EventStreamOptions;
  readonly #ring: EventRing;
  readonly #clients = new Set<Client>();
  #subscriptions: Unsubscribe[] = [];
  #ping: Timer | undefined;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    // Above all ids of an earlier run, so that a client that comes back after a restart is not given a wrong place.
    this.#ring = new EventRing(options.limits.events, options.clock.now() * 1_000);
  }

  get size(): number {
    return this.#clients.size;
  }

  /** True for the socket of a stream. */
  has(socket: Socket): boolean {
    return [...this.#clients].some(({ response }) => response.socket === socket);
  }

  start(): void {
    this.#subscriptions = streamKinds.map((kind) =>
      this.#options.bus.subscribe(kind, (message) => this.#hear(message)),
    );
    this.#pingLater();
  }

  /** Ends every stream. May be called twice. */
  stop(): void {
    for (const unsubscribe of this.#subscriptions.splice(0)) unsubscribe();
    this.#ping?.cancel();
    for (const client of this.#clients) client.response.end();
    this.#clients.clear();
  }

  /** Which bound has no room for one more client of that token. */
  bound(tokenKey: string): 'streams' | 'streamsPerToken' | undefined {
    const { streams, streamsPerToken } = this.#options.limits;
    const own = [...this.#clients].filter(({ request }) => request.tokenKey === tokenKey).length;
    if (own >= streamsPerToken) return 'streamsPerToken';
    return this.#clients.size >= streams ? 'streams' : undefined;
  }

  /** Begins to write events to a response whose headers are not sent yet, until either side ends it. */
  open(request: StreamRequest, response: ServerResponse, headers: Readonly<Record<string, string>>): void {
    const resumed = request.lastId === undefined ? undefined : this.#ring.resume(request.lastId);
    const client: Client = { request, response, next: resumed?.from ?? this.#ring.nextId, isLive: false };
    this.#clients.add(client);
    response.on('close', () => this.#clients.delete(client));
    // An error is followed by close.
    response.on('error', (error) => this.#options.log.debug({ err: error }, 'event stream lost'));
    response.on('drain', () => this.#catchUp(client));
    response.socket?.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    response.write(`retry: ${RETRY_MS}\n\n`);
    if (resumed !== undefined && resumed.missed !== 0) {
      response.write(`event: gap\ndata: ${JSON.stringify({ missed: resumed.missed ?? null })}\n\n`);
    }
    this.#catchUp(client);
  }

  #hear(message: Extract<CoreMessage, { readonly kind: StreamKind }>): void {
    const event = this.#ring.add(message.kind, message.unit, dataOf(message));
    for (const client of this.#clients) if (client.isLive) this.#give(client, event);
  }

  /** From the ring, as fast as the client takes it. */
  #catchUp(client: Client): void {
    while (!client.isLive && !client.response.destroyed && client.response.writableLength < CATCH_UP_OCTETS) {
      const event = this.#ring.at(client.next);
      if (event !== undefined) this.#give(client, event);
      else if (client.next === this.#ring.nextId) client.isLive = true;
      else this.#cut(client, 'it fell behind the events that are kept');
    }
  }

  #give(client: Client, event: StreamEvent): void {
    const { unit, kind } = client.request;
    client.next = event.id + 1;
    if ((unit !== undefined && unit !== event.unit) || (kind !== undefined && kind !== event.kind)) return;
    this.#write(client, `event: ${event.kind}\nid: ${event.id}\ndata: ${event.data}\n\n`);
  }

  #write(client: Client, text: string): void {
    if (client.response.destroyed) return;
    client.response.write(text);
    if (client.response.writableLength > this.#options.limits.streamBufferOctets) {
      this.#cut(client, 'it takes its events too slowly');
    }
  }

  #cut(client: Client, why: string): void {
    this.#clients.delete(client);
    client.response.destroy();
    this.#options.log.info({ lastId: client.next - 1 }, `event stream cut: ${why}`);
  }

  #pingLater(): void {
    this.#ping = this.#options.clock.after(this.#options.limits.pingMs, () => {
      for (const client of this.#clients) this.#write(client, ': ping\n\n');
      this.#pingLater();
    });
  }
}

/** An event's data, on one line. */
function dataOf({ kind: _kind, ...data }: Extract<CoreMessage, { readonly kind: StreamKind }>): string {
  const whole = JSON.stringify(data);
  if (!('payload' in data) || Buffer.byteLength(whole) <= MAX_EVENT_OCTETS) return whole;
  return JSON.stringify(withoutPart(data, 'payload', 'the payload is too long for an event and was left out'));
}
