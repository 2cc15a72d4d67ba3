import { setImmediate as turnOver } from 'node:timers/promises';
import { addressText } from '../../core/address.js';
import { aborted } from '../aborted.js';
import type { Handler, HandlerContext } from '../handler.js';
import { Clients } from './clients.js';
import { FlowRules } from './flow-rules.js';
import type { YamqttOptions } from './yamqtt-options.js';

/** YAMQTT (wire/yamqtt.md): clients that publish on flows and subscribe to them. They are no units of the base. */
export class YamqttDialect implements Handler {
  readonly name = 'yamqtt';
  readonly #options: YamqttOptions;
  #clients: Clients | undefined;
  #rules: FlowRules | undefined;

  constructor(options: YamqttOptions) {
    this.#options = options;
  }

  counts(): Readonly<Record<string, number>> {
    const clients = this.#clients;
    if (clients === undefined) return {};
    const { publications, deliveries, dropped, refusals, clientErrors, stalled, unfinished } = clients.counts;
    return {
      publications,
      deliveries,
      dropped,
      refusals,
      'client-errors': clientErrors,
      'cut-stalled': stalled,
      'cut-unfinished': unfinished,
      ...this.#rules?.counts(),
    };
  }

  gauges(): Readonly<Record<string, number>> {
    const clients = this.#clients;
    return clients === undefined ? {} : { clients: clients.size, subscriptions: clients.flows.subscriptions };
  }

  async listen(context: HandlerContext): Promise<void> {
    const { clock, log, signal } = context;
    const { listen, flows, limits } = this.#options;
    const clients = new Clients({ limits, clock, log });
    const rules = new FlowRules({
      context,
      flows,
      limits,
      publish: (flow, data) => clients.flows.publish(flow, data),
    });
    clients.rules = rules;
    this.#clients = clients;
    this.#rules = rules;
    const { address } = await context.accept(listen, (pending) => clients.take(pending), {
      bounds: {
        connections: limits.clients,
        unproved: limits.silentClients,
        unprovedPerAddress: limits.silentClientsPerAddress,
        proveMs: Number.POSITIVE_INFINITY,
        stalledMs: limits.stalledMs,
      },
    });
    rules.start();
    log.info({ address: addressText(address), rules: flows.size }, 'clients may publish and subscribe (YAMQTT)');
    context.ready();
    await aborted(signal);
    // What clients have sent by now is read first: behind the end of this turn, and of the next.
    await turnOver();
    await turnOver();
    rules.stop();
    await clients.stop();
  }
}
