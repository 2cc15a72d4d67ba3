import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type ClientOptions, WebSocket } from 'ws';
import type { Clock } from '../../../../base/core/clock.js';
import type { CommandRequest } from '../../../../base/core/command-request.js';
import type { CoreMessage, Outcome } from '../../../../base/core/messages.js';
import { Outboxes } from '../../../../base/core/outboxes.js';
import { Router } from '../../../../base/core/router.js';
import { ConnectorDialect } from '../../../../base/dialects/connector/connector-dialect.js';
import { type ConnectorLimits, defaultConnectorLimits } from '../../../../base/dialects/connector/connector-limits.js';
import type { ConnectorDeviceOptions } from '../../../../base/dialects/connector/connector-options.js';
import type { Handler, ServedUnit } from '../../../../base/dialects/handler.js';
import { HandlerHost } from '../../../../base/dialects/handler-host.js';
import { MemoryBus } from '../../../../base/engine/embedded/memory-bus.js';
import { systemRandom } from '../../../../base/system.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';
import { memoryConnections } from '../../../support/memory-connections.js';
import { MemoryStore } from '../../../support/memory-store.js';
import { QuietLog } from '../../../support/quiet-log.js';

export interface RigOptions {
  readonly options?: Partial<Omit<ConnectorDeviceOptions, 'limits'>>;
  readonly limits?: Partial<ConnectorLimits>;
  /** Instead of the one that is advanced by hand. */
  readonly clock?: Clock;
  readonly store?: MemoryStore;
  readonly units?: readonly ServedUnit[];
  /** Served before the connector is. */
  readonly handlers?: readonly Handler[];
}

/** What came of an upgrade that was refused. */
export interface Refusal {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

/** The connector's devices on real sockets, a real router and a clock that is advanced by hand unless another is handed in. */
export class ConnectorRig {
  readonly manual = new ManualClock();
  readonly log = new QuietLog();
  readonly heard: CoreMessage[] = [];
  readonly store: MemoryStore;
  readonly router: Router;
  readonly host: HandlerHost;
  readonly connections: ReturnType<typeof memoryConnections>;
  readonly options: ConnectorDeviceOptions;
  port = 0;
  #commands = 0;
  readonly #given: RigOptions;
  readonly #ended: (() => void)[] = [];

  private constructor(given: RigOptions) {
    this.#given = given;
    const { log, heard } = this;
    const clock = given.clock ?? this.manual;
    this.store = given.store ?? new MemoryStore();
    this.options = {
      listen: { host: '127.0.0.1', port: 0 },
      tls: undefined,
      authenticate: { kind: 'none' },
      answerTimeoutMs: 8_000,
      history: true,
      ...given.options,
      limits: { ...defaultConnectorLimits, ...given.limits },
    };
    const bus = new MemoryBus(log);
    for (const kind of ['report', 'command', 'outcome', 'presence'] as const)
      bus.subscribe(kind, (message) => void heard.push(message));
    this.connections = memoryConnections({ clock, random: systemRandom, log });
    this.router = new Router({ bus, store: this.store, outboxes: new Outboxes(), clock, random: systemRandom, log });
    this.host = new HandlerHost({
      router: this.router,
      connections: this.connections,
      clock,
      random: systemRandom,
      log,
    });
  }

  static async start(given: RigOptions = {}): Promise<ConnectorRig> {
    const rig = new ConnectorRig(given);
    const stored = await rig.store.load();
    for (const unit of given.units ?? []) rig.router.add(unit);
    await rig.router.restore(stored);
    for (const handler of given.handlers ?? []) await rig.host.start(handler, []);
    await rig.host.start(new ConnectorDialect(rig.options), []);
    rig.router.resume(stored);
    const line = rig.log.lines.find(({ message }) => message === 'devices may connect (WebSocket)');
    rig.port = Number(/:(\d+)$/.exec(String(line?.fields.address))![1]);
    return rig;
  }

  async stop(): Promise<void> {
    const stopping = this.host.stop();
    this.router.stop();
    // Who was left unread does not answer a goodbye.
    for (let turn = 0; turn < 5 && this.#given.clock === undefined; turn += 1) {
      await settle(20);
      for (const end of this.#ended) end();
      await this.manual.advance(500);
    }
    await stopping;
    for (const end of this.#ended.splice(0)) end();
    await this.router.settled();
  }

  url(path = '/connect', scheme = 'ws'): string {
    return `${scheme}://127.0.0.1:${this.port}${path}`;
  }

  socket(headers: Record<string, string>, options: ClientOptions = {}, url = this.url()): WebSocket {
    const socket = new WebSocket(url, { headers, perMessageDeflate: false, ...options });
    socket.on('error', () => {});
    this.#ended.push(() => socket.terminate());
    return socket;
  }

  /** A device that is connected. */
  async device(id: string, headers: Record<string, string> = {}, options: ClientOptions = {}): Promise<DevicePeer> {
    const scheme = this.options.tls === undefined ? 'ws' : 'wss';
    const peer = new DevicePeer(this.socket({ device_id: id, ...headers }, options, this.url('/connect', scheme)));
    await peer.opened;
    return peer;
  }

  /** An upgrade that is refused. */
  async refusal(headers: Record<string, string>, options: ClientOptions = {}, path?: string): Promise<Refusal> {
    const socket = this.socket(headers, options, this.url(path));
    socket.on('open', () => socket.emit('error', new Error('it was not refused')));
    const [request, response] = await Promise.race([
      once(socket, 'unexpected-response'),
      once(socket, 'open').then(() => Promise.reject(new Error('it was not refused'))),
    ]);
    let body = '';
    for await (const chunk of response as IncomingMessage) body += chunk;
    request.destroy();
    return { status: response.statusCode, headers: response.headers, body: JSON.parse(body) };
  }

  /** A connection that speaks no WebSocket, or not yet. */
  async raw(): Promise<{ readonly socket: Socket; readonly rest: Promise<string> }> {
    const socket = connect({ host: '127.0.0.1', port: this.port });
    this.#ended.push(() => socket.destroy());
    socket.on('error', () => {});
    let got = '';
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1');
    });
    const rest = new Promise<string>((resolve) => socket.on('close', () => resolve(got)));
    await once(socket, 'connect');
    return { socket, rest };
  }

  command(unit: string, payload: unknown, request: Partial<CommandRequest> = {}): Promise<Outcome> {
    this.#commands += 1;
    return this.router.command({
      id: `c${this.#commands}`,
      unit,
      command: 'request',
      payload,
      source: 'test',
      ...request,
    });
  }

  presence(): string[] {
    return this.#of('presence').map(({ unit, state, reason }) => `${unit} ${state}${reason ? `: ${reason}` : ''}`);
  }

  /** What devices said. */
  reports(): unknown[] {
    return this.#of('report').map(({ unit, payload }) => [unit, payload?.format, payload?.value]);
  }

  counts(): Readonly<Record<string, number>> {
    return this.host.status().find(({ name }) => name === 'connector')!.counts;
  }

  /** Turns of the event loop until it is so. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    const late = performance.now() + 10_000;
    while (!isSo()) {
      if (performance.now() > late) throw new Error(`never: ${what}`);
      await settle(1);
    }
  }

  #of<K extends CoreMessage['kind']>(kind: K): Extract<CoreMessage, { kind: K }>[] {
    return this.heard.filter((message): message is Extract<CoreMessage, { kind: K }> => message.kind === kind);
  }
}

export interface Told {
  readonly id: string;
  readonly payload: string;
  readonly origin_remote_address: string;
  readonly message_type: string;
  readonly timestamp: number;
}

/** A device's side of a connection. */
export class DevicePeer {
  readonly socket: WebSocket;
  readonly opened: Promise<unknown>;
  /** Status code and reason of the end. */
  readonly closed: Promise<string>;
  readonly told: Told[] = [];
  pings = 0;
  #wake: () => void = () => {};

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.opened = once(socket, 'open');
    this.closed = new Promise((resolve) =>
      socket.on('close', (code, reason) => resolve(reason.length > 0 ? `${code} ${reason}` : String(code))),
    );
    socket.on('message', (data: Buffer) => {
      this.told.push(JSON.parse(data.toString()) as Told);
      this.#wake();
    });
    socket.on('ping', () => {
      this.pings += 1;
    });
  }

  /** The next thing that it was told. */
  async next(): Promise<Told> {
    while (this.told.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.told.shift()!;
  }

  say(message: unknown): void {
    this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  answer({ id }: Told, payload: unknown): void {
    this.say({ id, payload });
  }

  /** Resolves when the base has read everything that was sent before. */
  async isRead(): Promise<void> {
    this.socket.ping();
    await once(this.socket, 'pong');
  }
}
