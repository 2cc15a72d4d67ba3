import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { Api, type ApiOptions } from '../../../base/api/api.js';
import { ManualClock } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';
import { TestBus } from '../../support/test-bus.js';
import { KnownFigures } from './known-figures.js';
import { KnownOutboxes } from './known-outboxes.js';
import { KnownUnits } from './known-units.js';

export const TOKEN = 'A-token_of-43-characters-as-the-base-makes-it';

export interface RunningApi {
  readonly api: Api;
  readonly url: string;
  readonly port: number;
  readonly units: KnownUnits;
  readonly outbox: KnownOutboxes;
  readonly figures: KnownFigures;
  readonly bus: TestBus;
  readonly clock: ManualClock;
  readonly log: QuietLog;
  /** With the token, as JSON; another type of answer is given as text. */
  call(path: string, init?: RequestInit): Promise<Answer>;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever came
  readonly body: any;
}

/** Random octets that count, so that a test knows them. */
export const countingRandom = {
  octets: (count: number) => Uint8Array.from({ length: count }, (_, index) => index),
  fraction: () => 0.5,
};

/** An API on a free port, stopped when the test is finished. */
export async function startApi(options: Partial<ApiOptions> = {}): Promise<RunningApi> {
  const [units, bus, clock, log] = [new KnownUnits(), new TestBus(), new ManualClock(), new QuietLog()];
  const outbox = new KnownOutboxes();
  const figures = new KnownFigures(clock);
  const api = new Api({
    listen: { host: '127.0.0.1', port: 0 },
    token: TOKEN,
    units,
    outbox,
    backup: async () => '/var/lib/baseunit/backups/baseunit-2026-01-01.db',
    status: figures.status,
    connections: figures.connections,
    figures,
    bus,
    clock,
    random: countingRandom,
    log,
    name: 'test',
    version: '1.2.3',
    ...options,
  });
  const { url } = await api.start();
  onTestFinished(() => api.stop());
  const call = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const headers = { authorization: `Bearer ${TOKEN}`, ...(init.headers as Record<string, string> | undefined) };
    const response = await fetch(`${url}${path}`, { ...init, headers });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    const body = text === '' ? undefined : isJson ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, body };
  };
  return { api, url, port: Number(new URL(url).port), units, outbox, figures, bus, clock, log, call };
}

export function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: 'POST',
    body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  };
}

/** A connection that says exactly what a test wants. */
export class RawClient {
  readonly socket: Socket;
  received = '';
  isClosed = false;

  #wake: (() => void)[] = [];

  constructor(port: number, localAddress = '127.0.0.1') {
    this.socket = connect({ port, host: '127.0.0.1', localAddress });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text) => {
      this.received += text;
      this.#wakeAll();
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.isClosed = true;
      this.#wakeAll();
    });
    onTestFinished(() => void this.socket.destroy());
  }

  async connected(): Promise<this> {
    if (this.socket.connecting) await once(this.socket, 'connect');
    return this;
  }

  /** Resolves when that has arrived; the test's own deadline ends a wait for what never comes. */
  async until(text: string | RegExp): Promise<string> {
    const has = (): boolean => (typeof text === 'string' ? this.received.includes(text) : text.test(this.received));
    while (!has()) {
      if (this.isClosed) throw new Error(`closed before ${text} came: ${this.received.slice(0, 500)}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
    return this.received;
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  async closed(): Promise<string> {
    if (!this.isClosed) await once(this.socket, 'close');
    return this.received;
  }
}

/** Opens an event stream and waits for its head. */
export async function openStream(
  port: number,
  { path = '/api/v1/events', headers = '' }: { readonly path?: string; readonly headers?: string } = {},
): Promise<RawClient> {
  const client = new RawClient(port);
  client.socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n${headers}\r\n`);
  await client.until('\r\n\r\n');
  return client;
}

/** Tries again until the server has learnt that an earlier client is gone. */
export async function openStreamWhenFree(port: number): Promise<RawClient> {
  for (;;) {
    const client = await openStream(port);
    if (client.received.startsWith('HTTP/1.1 200')) return client;
    client.socket.destroy();
  }
}
