import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../core/clock.js';
import type { Log } from '../../core/log.js';
import { type SseClient, SseClients, type SseLimits } from '../sse-clients.js';
import type { StatusMetrics } from './status-metrics.js';

export interface StatusStreamOptions {
  /** As they are now. */
  readonly metrics: () => StatusMetrics;
  /** How often they are compared. */
  readonly everyMs: number;
  readonly limits: SseLimits;
  readonly clock: Clock;
  readonly log: Log;
}

interface Client extends SseClient {
  /** The value of each metric that it has been told. */
  readonly told: Map<string, string>;
}

/**
 * `event: system_status`, data `{"metric","value"}`, both texts: to a new client all metrics at once, then each when it has
 * changed since that client was told of it. Nobody asks for them while nobody listens.
 */
export class StatusStream {
  readonly #options: StatusStreamOptions;
  readonly #clients: SseClients<Client>;
  #timer: Timer | undefined;

  constructor(options: StatusStreamOptions) {
    this.#options = options;
    this.#clients = new SseClients(options);
  }

  get size(): number {
    return this.#clients.size;
  }

  /** True for the socket of a stream. */
  has(socket: Socket): boolean {
    return this.#clients.has(socket);
  }

  start(): void {
    this.#clients.start();
    this.#compareLater();
  }

  /** Ends every stream. May be called twice. */
  stop(): void {
    this.#timer?.cancel();
    this.#clients.stop();
  }

  /** Which bound has no room for one more client of that token. */
  bound(tokenKey: string): 'streams' | 'streamsPerToken' | undefined {
    return this.#clients.bound(tokenKey);
  }

  /** Begins to write to a response whose headers are not sent yet, until either side ends it. */
  open(tokenKey: string, response: ServerResponse, headers: Readonly<Record<string, string>>): void {
    const client: Client = { tokenKey, response, told: new Map() };
    this.#clients.open(client, headers);
    this.#tell(client, this.#options.metrics());
  }

  #compareLater(): void {
    const { clock, everyMs, metrics } = this.#options;
    this.#timer = clock.after(everyMs, () => {
      this.#compareLater();
      if (this.#clients.size === 0) return;
      const now = metrics();
      for (const client of this.#clients) this.#tell(client, now);
    });
  }

  #tell(client: Client, metrics: StatusMetrics): void {
    let text = '';
    for (const [metric, each] of Object.entries(metrics)) {
      const value = String(each);
      if (client.told.get(metric) === value) continue;
      client.told.set(metric, value);
      text += `event: system_status\ndata: ${JSON.stringify({ metric, value })}\n\n`;
    }
    if (text !== '') this.#clients.write(client, text);
  }
}
