import { onTestFinished } from 'vitest';
import { ConnectorApi } from '../../../../base/api/connector/connector-api.js';
import type { ConnectorApiOptions } from '../../../../base/api/connector/connector-api-options.js';
import type { StatusApiContext } from '../../../../base/api/connector/status-api.js';
import type { Connection, ConnectionInput } from '../../../../base/core/connection.js';
import { Connections } from '../../../../base/core/connections.js';
import type { Delivery, DeliveryResult } from '../../../../base/core/delivery.js';
import { MemoryStatistics } from '../../../../base/core/memory-statistics.js';
import { Outboxes } from '../../../../base/core/outboxes.js';
import { Router } from '../../../../base/core/router.js';
import type { BaseStatus } from '../../../../base/core/status.js';
import { Topics } from '../../../../base/core/topics.js';
import { MemoryBus } from '../../../../base/engine/embedded/memory-bus.js';
import type { HttpAuthentication } from '../../../../base/links/http-authentication.js';
import ledLamp from '../../../../units/led-lamp.js';
import ledLampLine from '../../../../units/led-lamp-line.js';
import rainBarrel from '../../../../units/rain-barrel.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { MemoryStore } from '../../../support/memory-store.js';
import { QuietLog } from '../../../support/quiet-log.js';
import { RawClient } from '../running-api.js';

export const secrets = {
  none: { kind: 'none' },
  basic: { kind: 'basic', user: 'home', password: 'a pass:word' },
  bearer: { kind: 'bearer', token: 'A-token_of-the-connector' },
} as const satisfies Record<string, HttpAuthentication>;

export const basicOf = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** The header that each of them asks for. */
export const rightHeader = {
  none: undefined,
  basic: basicOf('home', 'a pass:word'),
  bearer: 'Bearer A-token_of-the-connector',
} as const;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever came
  readonly body: any;
}

/** A connector's API over a real router with one unit of each kind, on a free port, stopped when the test is finished. */
export class RunningConnectorApi {
  readonly clock = new ManualClock();
  readonly log = new QuietLog();
  readonly topics = new Topics(this.log);
  /** Octets that count, so that no two ids are the same. */
  readonly random = { octets: (count: number) => this.#octets(count), fraction: () => 0.5 };
  readonly connections = new Connections({
    statistics: new MemoryStatistics(this.clock),
    topics: this.topics,
    clock: this.clock,
    random: this.random,
    log: this.log,
  });
  readonly bus = new MemoryBus(this.log);
  readonly router: Router;
  readonly delivered: (readonly [unit: string, delivery: Delivery])[] = [];
  /** What units answer; 8 s are over for whom it never resolves. */
  answer: (delivery: Delivery) => DeliveryResult | Promise<DeliveryResult> = () => ({ outcome: 'ok', code: 0 });
  /** What the base says of itself beside connections and totals. */
  status: Partial<BaseStatus> = {};
  readonly api: ConnectorApi;
  readonly context: StatusApiContext;
  readonly options: ConnectorApiOptions;
  url = '';
  #count = 0;

  constructor(options: Partial<ConnectorApiOptions> = {}) {
    const { bus, clock, random, log, connections, topics } = this;
    this.router = new Router({ bus, store: new MemoryStore(), outboxes: new Outboxes(), clock, random, log });
    this.options = {
      listen: { host: '127.0.0.1', port: 0 },
      tls: undefined,
      auth: secrets.none,
      cors: [],
      ...options,
    };
    this.api = new ConnectorApi(this.options);
    const status = { status: () => this.#status() };
    this.context = { status, connections, units: this.router, topics, clock, random, log };
  }

  static async start(options: Partial<ConnectorApiOptions> = {}): Promise<RunningConnectorApi> {
    const rig = new RunningConnectorApi(options);
    const deliver = async (unit: string, delivery: Delivery): Promise<DeliveryResult> => {
      rig.delivered.push([unit, delivery]);
      return rig.answer(delivery);
    };
    rig.router.add({ uid: 'kitchen-lamp', definition: ledLamp });
    rig.router.add({ uid: 'old-lamp', definition: ledLampLine });
    rig.router.add({ uid: 'barrel', definition: rainBarrel });
    for (const uid of ['kitchen-lamp', 'old-lamp', 'barrel'])
      rig.router.onCommand(uid, (delivery) => deliver(uid, delivery));
    rig.router.addOpaque({ uid: 'board', dialect: 'iotsocket' }, deliver);
    rig.router.addOpaque({ uid: 'device/ö 1', dialect: 'connector' }, deliver);
    rig.url = (await rig.api.start(rig.context)).url;
    onTestFinished(() => rig.api.stop());
    return rig;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  connect(unit: string, more: Partial<ConnectionInput> = {}): Connection {
    return this.connections.opened({ unit, remoteAddress: '192.168.1.20:50000', ...more }, 'connector');
  }

  async call(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, init);
    const text = await response.text();
    const isJson = text !== '' && response.headers.get('content-type')?.startsWith('application/json');
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  }

  ask(path: string, payload: string): Promise<Answer> {
    const headers = { 'content-type': 'application/json' };
    return this.call(path, { method: 'POST', headers, body: JSON.stringify({ payload }) });
  }

  /** Opens a status stream and waits for its head. */
  async stream(headers = ''): Promise<RawClient> {
    const client = new RawClient(this.port);
    client.socket.write(`GET /cloud-connector/status/stream HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
    await client.until('\r\n\r\n');
    return client;
  }

  #octets(count: number): Uint8Array {
    this.#count += 1;
    return Uint8Array.from({ length: count }, (_, index) => (index < 4 ? this.#count >> (8 * index) : index));
  }

  #status(): BaseStatus {
    return {
      name: 'test',
      version: '1.2.3',
      state: 'started',
      startedAt: Date.UTC(2026, 0, 1),
      uptimeS: Math.floor(this.clock.monotonic() / 1_000),
      connections: this.connections.size,
      totals: this.connections.totals(),
      commandsWaiting: 0,
      queriesWaiting: 0,
      activeHandles: 7,
      memory: { systemMiB: 101.4, allocatedMiB: 60.5, heapAllocatedMiB: 30.04 },
      sseSubscribers: this.api.subscribers,
      handlers: [],
      subscriberFaults: 0,
      statisticsFaults: 0,
      ...this.status,
    };
  }
}

/** The metrics that a raw connection was told, in order. */
export function toldIn({ received }: RawClient): { metric: string; value: string }[] {
  const body = received.slice(received.indexOf('\r\n\r\n') + 4).replaceAll(/(^|\r\n)[0-9a-f]+\r\n/g, '');
  return body
    .replaceAll('\r\n', '')
    .split('\n\n')
    .filter((block) => block.startsWith('event:'))
    .map((block) => {
      const match = /^event: system_status\ndata: (.*)$/.exec(block);
      return JSON.parse(match![1]!);
    });
}
