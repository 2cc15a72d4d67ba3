import type { Address } from '../../../base/core/address.js';
import type { Clock } from '../../../base/core/clock.js';
import type { LogLine, Outcome, Presence, Report } from '../../../base/core/messages.js';
import { Outboxes } from '../../../base/core/outboxes.js';
import type { Random } from '../../../base/core/random.js';
import { Router } from '../../../base/core/router.js';
import type { Handler } from '../../../base/dialects/handler.js';
import { HandlerHost } from '../../../base/dialects/handler-host.js';
import { LineDialect } from '../../../base/dialects/line/line-dialect.js';
import { UnitDialect } from '../../../base/dialects/unit/unit-dialect.js';
import { MemoryBus } from '../../../base/engine/embedded/memory-bus.js';
import { nodeCrypto, systemClock, systemRandom } from '../../../base/system.js';
import type { UnitDefinition, Values } from '../../../protocol/definition/index.js';
import { memoryConnections } from '../../support/memory-connections.js';
import { MemoryStore } from '../../support/memory-store.js';
import { QuietLog } from '../../support/quiet-log.js';

/** A unit as the base believes it is. */
export interface Believed {
  readonly uid: string;
  readonly definition: UnitDefinition;
  readonly address?: Address | undefined;
  readonly key?: Uint8Array | undefined;
}

/** A base of real parts (router, links, dialects, TCP) that remembers everything it is told. */
export class BaseUnderTest {
  readonly log = new QuietLog();
  readonly reports: Report[] = [];
  readonly presences: Presence[] = [];
  readonly lines: LogLine[] = [];
  readonly router: Router;
  readonly #host: HandlerHost;
  #commands = 0;

  private constructor(clock: Clock, random: Random) {
    const bus = new MemoryBus(this.log);
    bus.subscribe('report', (report) => this.reports.push(report));
    bus.subscribe('presence', (presence) => this.presences.push(presence));
    bus.subscribe('log', (line) => this.lines.push(line));
    const parts = { clock, random, log: this.log };
    this.router = new Router({ bus, store: new MemoryStore(), outboxes: new Outboxes(), ...parts });
    this.#host = new HandlerHost({ router: this.router, connections: memoryConnections(parts), ...parts });
  }

  static async start(
    units: readonly Believed[],
    options: { readonly clock?: Clock; readonly random?: Random; readonly listens?: boolean } = {},
  ): Promise<BaseUnderTest> {
    const base = new BaseUnderTest(options.clock ?? systemClock, options.random ?? systemRandom);
    for (const { uid, definition, address } of units) base.router.add({ uid, definition, address });
    const listen = options.listens === true ? { host: '127.0.0.1', port: 0 } : undefined;
    await base.#serve(new LineDialect(), units, 'line');
    await base.#serve(new UnitDialect({ crypto: nodeCrypto(systemRandom), listen }), units, 'session');
    return base;
  }

  /** Where units may dial in, when the base listens. */
  get address(): Address {
    const line = this.log.lines.find(({ message }) => message === 'units may dial in');
    const [host = '', port] = String(line?.fields.address).split(':');
    return { host, port: Number(port) };
  }

  command(
    unit: string,
    command: string,
    fields: Values = {},
    more: { readonly line?: string; readonly ttlMs?: number } = {},
  ): Promise<Outcome> {
    this.#commands += 1;
    return this.router.command({ id: `c${this.#commands}`, unit, command, fields, source: 'api', ...more });
  }

  state(unit: string): Presence['state'] | undefined {
    return this.router.get(unit)?.state;
  }

  /** Warnings, as text. */
  warnings(): string[] {
    return this.log.lines
      .filter(({ level }) => level === 'warn')
      .map(({ message, fields }) => `${message} ${JSON.stringify(fields)}`);
  }

  async stop(): Promise<void> {
    this.router.stop();
    await this.#host.stop();
  }

  #serve(dialect: Handler, units: readonly Believed[], wire: UnitDefinition['wire']): Promise<void> {
    const served = units.filter(({ definition }) => definition.wire === wire);
    return this.#host.start(
      dialect,
      served.map(({ uid, definition, address, key }) => ({ uid, definition, address, key })),
    );
  }
}
