import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Bus, Unsubscribe } from '../core/bus.js';
import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';
import type { CoreMessage } from '../core/messages.js';
import { withoutPart } from '../core/without-part.js';
import type { ApiLimits } from './api-limits.js';
import { EventRing, type StreamEvent } from './event-ring.js';
import { type SseClient, SseClients } from './sse-clients.js';

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

interface Client extends SseClient {
  readonly request: StreamRequest;
  /** The id of the next event it has not been given. */
  next: number;
  /** It has been given all there is, and gets what comes. */
  isLive: boolean;
}

/** A longer event is told without its payload: a thousand of them are kept, and one must not cut a client off. */
export const MAX_EVENT_OCTETS = 16 * 1024;
/** How much is written at once to a client that catches up; the rest waits until that has gone out. */
const CATCH_UP_OCTETS = 64 * 1024;

/** Server-Sent Events: one ring, and for each client the place in it that it has come to. */
export class EventStream {
  readonly #options: EventStreamOptions;
  readonly #ring: EventRing;
  readonly #clients: SseClients<Client>;
  #subscriptions: Unsubscribe[] = [];

  constructor(options: EventStreamOptions) {
    this.#options = options;
    const { limits, clock, log } = options;
    this.#clients = new SseClients({ limits, clock, log, fieldsOf: ({ next }) => ({ lastId: next - 1 }) });
    // Above all ids of an earlier run, so that a client that comes back after a restart is not given a wrong place.
    this.#ring = new EventRing(limits.events, clock.now() * 1_000);
  }

  get size(): number {
    return this.#clients.size;
  }

  /** Id of the last event there was, or of none where none has come yet: what comes next is behind it. */
  get lastId(): number {
    return this.#ring.nextId - 1;
  }

  /** True for the socket of a stream. */
  has(socket: Socket): boolean {
    return this.#clients.has(socket);
  }

  start(): void {
    this.#subscriptions = streamKinds.map((kind) =>
      this.#options.bus.subscribe(kind, (message) => this.#hear(message)),
    );
    this.#clients.start();
  }

  /** Ends every stream. May be called twice. */
  stop(): void {
    for (const unsubscribe of this.#subscriptions.splice(0)) unsubscribe();
    this.#clients.stop();
  }

  /** Which bound has no room for one more client of that token. */
  bound(tokenKey: string): 'streams' | 'streamsPerToken' | undefined {
    return this.#clients.bound(tokenKey);
  }

  /** Begins to write events to a response whose headers are not sent yet, until either side ends it. */
  open(request: StreamRequest, response: ServerResponse, headers: Readonly<Record<string, string>>): void {
    const resumed = request.lastId === undefined ? undefined : this.#ring.resume(request.lastId);
    const next = resumed?.from ?? this.#ring.nextId;
    const client: Client = { tokenKey: request.tokenKey, request, response, next, isLive: false };
    response.on('drain', () => this.#catchUp(client));
    this.#clients.open(client, headers);
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
      else this.#clients.cut(client, 'it fell behind the events that are kept');
    }
  }

  #give(client: Client, event: StreamEvent): void {
    const { unit, kind } = client.request;
    client.next = event.id + 1;
    if ((unit !== undefined && unit !== event.unit) || (kind !== undefined && kind !== event.kind)) return;
    this.#clients.write(client, `event: ${event.kind}\nid: ${event.id}\ndata: ${event.data}\n\n`);
  }
}

/** An event's data, on one line. */
function dataOf({ kind: _kind, ...data }: Extract<CoreMessage, { readonly kind: StreamKind }>): string {
  const whole = JSON.stringify(data);
  if (!('payload' in data) || Buffer.byteLength(whole) <= MAX_EVENT_OCTETS) return whole;
  return JSON.stringify(withoutPart(data, 'payload', 'the payload is too long for an event and was left out'));
}
