import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { CommandRequest } from '../../../base/core/command-request.js';
import type { Connections } from '../../../base/core/connections.js';
import type { CoreMessage, Outcome } from '../../../base/core/messages.js';
import { Outboxes } from '../../../base/core/outboxes.js';
import { Router } from '../../../base/core/router.js';
import type { HandlerStatus } from '../../../base/core/status.js';
import type { Handler, HandlerContext } from '../../../base/dialects/handler.js';
import { HandlerHost } from '../../../base/dialects/handler-host.js';
import { MemoryBus } from '../../../base/engine/embedded/memory-bus.js';
import { systemRandom } from '../../../base/system.js';
import thermometer from '../../../units/thermometer.js';
import { ManualClock } from '../../support/manual-clock.js';
import { memoryConnections } from '../../support/memory-connections.js';
import { MemoryStore } from '../../support/memory-store.js';
import { QuietLog } from '../../support/quiet-log.js';

/** A base's parts around a host of handlers: a clock advanced by hand, a store in memory, one typed unit, `hall`. */
export class HostRig {
  readonly clock = new ManualClock();
  readonly log = new QuietLog();
  readonly store = new MemoryStore();
  readonly heard: CoreMessage[] = [];
  readonly #sockets: Socket[] = [];
  router!: Router;
  connections!: Connections;
  host!: HandlerHost;

  /** All but the store anew. `command`: how a central's commands are carried out; `serve`: starts what serves units. */
  async boot(
    command?: (request: CommandRequest) => Promise<Outcome>,
    serve: () => Promise<unknown> = async () => {},
  ): Promise<void> {
    const { clock, log, store, heard } = this;
    const bus = new MemoryBus(log);
    for (const kind of ['request', 'response', 'presence', 'report', 'log'] as const)
      bus.subscribe(kind, (each) => void heard.push(each));
    const parts = { clock, random: systemRandom, log };
    this.router = new Router({ bus, store, outboxes: new Outboxes(), ...parts });
    this.router.add({ uid: 'hall', definition: thermometer });
    const stored = await store.load();
    await this.router.restore(stored);
    this.connections = memoryConnections(parts);
    this.host = new HandlerHost({ router: this.router, connections: this.connections, command, ...parts });
    await serve();
    this.router.resume(stored);
  }

  /** Listens until it is told to end. */
  async start(name = 'meters', more: Partial<Handler> = {}): Promise<HandlerContext> {
    let context!: HandlerContext;
    const listen = async (given: HandlerContext): Promise<void> => {
      context = given;
      given.ready();
      await once(given.signal, 'abort');
    };
    await this.host.start({ name, listen, ...more }, []);
    return context;
  }

  /** Stops the host, while time passes. */
  async stop(): Promise<void> {
    const stopped = this.host.stop();
    await this.clock.advance(3_000);
    await stopped;
  }

  /** To be called at the end of each test. */
  async end(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.router.stop();
    await this.stop();
  }

  statusOf(name = 'meters'): HandlerStatus {
    return this.host.status().find((each) => each.name === name)!;
  }

  /** `from`: another address of this machine, in 127.0.0.0/8. */
  async dialIn(port: number, from = '127.0.0.1'): Promise<Socket> {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from });
    this.keep(socket);
    await once(socket, 'connect');
    return socket;
  }

  /** Is destroyed at the end. */
  keep(socket: Socket): void {
    this.#sockets.push(socket);
    socket.on('error', () => {});
  }
}
