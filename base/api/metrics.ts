import type { Bus } from '../core/bus.js';
import type { Connections } from '../core/connections.js';
import type { OutboxPort } from '../core/outbox-port.js';
import type { StatusPort } from '../core/status.js';
import type { Figures } from './figures.js';
import { MessageCounts } from './message-counts.js';
import { metrics, type Snapshot } from './metric-list.js';

export interface MetricsOptions {
  readonly status: StatusPort;
  readonly connections: Pick<Connections, 'traffic'>;
  readonly outbox: OutboxPort;
  readonly figures: Figures;
  readonly bus: Bus;
}

/** What a scrape gives, as text of Prometheus's exposition format 0.0.4. */
export class Metrics {
  readonly #options: MetricsOptions;
  readonly #messages: MessageCounts;

  constructor(options: MetricsOptions) {
    this.#options = options;
    this.#messages = new MessageCounts(options.bus);
  }

  start(): void {
    this.#messages.start();
    this.#options.figures.eventLoop.start();
  }

  /** May be called twice. */
  stop(): void {
    this.#messages.stop();
    this.#options.figures.eventLoop.stop();
  }

  /** It looks once at each connection and at each unit, and is as long whatever their number is. */
  async text(): Promise<{ readonly type: string; readonly text: string }> {
    const { Counter, Gauge, Registry } = await import('prom-client');
    const snapshot = this.#snapshot();
    const registry = new Registry();
    for (const { name, help, kind, labels, values } of metrics) {
      const configuration = { name, help, labelNames: labels, registers: [registry] };
      if (kind === 'counter') {
        const counter = new Counter(configuration);
        // What a handler of a user's own counted may be no count.
        for (const [of, value] of values(snapshot)) if (value >= 0 && value < Infinity) counter.inc(of, value);
      } else {
        const gauge = new Gauge(configuration);
        for (const [of, value] of values(snapshot)) gauge.set(of, value);
      }
    }
    return { type: registry.contentType, text: await registry.metrics() };
  }

  #snapshot(): Snapshot {
    const { status, connections, outbox, figures } = this.#options;
    return {
      status: status.status(),
      traffic: connections.traffic(),
      receivers: outbox.list().map((each) => each.status),
      units: figures.census(),
      messages: this.#messages,
      figures,
      eventLoop: figures.eventLoop.take(),
    };
  }
}
