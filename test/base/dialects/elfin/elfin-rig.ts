import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '../../../../base/core/clock.js';
import type { CoreMessage } from '../../../../base/core/messages.js';
import { Outboxes } from '../../../../base/core/outboxes.js';
import { Router } from '../../../../base/core/router.js';
import { ElfinDialect } from '../../../../base/dialects/elfin/elfin-dialect.js';
import { defaultElfinLimits, type ElfinLimits } from '../../../../base/dialects/elfin/elfin-limits.js';
import type { ElfinOptions } from '../../../../base/dialects/elfin/elfin-options.js';
import type { Handler } from '../../../../base/dialects/handler.js';
import { HandlerHost } from '../../../../base/dialects/handler-host.js';
import { MemoryBus } from '../../../../base/engine/embedded/memory-bus.js';
import type { TlsFiles } from '../../../../base/links/certificates.js';
import { systemRandom } from '../../../../base/system.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';
import { memoryConnections } from '../../../support/memory-connections.js';
import { MemoryStore } from '../../../support/memory-store.js';
import { QuietLog } from '../../../support/quiet-log.js';

export interface RigOptions {
  readonly options?: Partial<Omit<ElfinOptions, 'limits' | 'listeners'>>;
  readonly limits?: Partial<ElfinLimits>;
  readonly tls?: TlsFiles;
  readonly store?: MemoryStore;
  /** Added before anything comes, without a secret. */
  readonly users?: readonly string[];
  /** Instead of the one that is advanced by hand. */
  readonly clock?: Clock;
  /** Served before the gateway is. */
  readonly handlers?: readonly Handler[];
}

export const MAC_A = 'F0:FE:6B:00:00:0A';
export const MAC_B = 'F0:FE:6B:00:00:0B';
export const MAC_C = 'F0:FE:6B:00:00:0C';
export const SUCCESS = '{"status":"success"}\n';
export const FAILED = '{"status":"failed"}\n';

/**
 * The gateway on real sockets, one port of segments and one of lines (and one of TLS, in segments), with a real router and a
 * clock that is advanced by hand unless another is handed in.
 */
export class ElfinRig {
  readonly manual = new ManualClock();
  readonly log = new QuietLog();
  readonly heard: CoreMessage[] = [];
  readonly store: MemoryStore;
  readonly router: Router;
  readonly host: HandlerHost;
  readonly connections: ReturnType<typeof memoryConnections>;
  readonly elfin: ElfinDialect;
  readonly ports: number[] = [];
  readonly #peers: ElfinPeer[] = [];

  private constructor(given: RigOptions) {
    const { log, heard } = this;
    const clock = given.clock ?? this.manual;
    const listen = { host: '127.0.0.1', port: 0 };
    this.store = given.store ?? new MemoryStore();
    this.elfin = new ElfinDialect({
      listeners: [
        { listen, framing: 'segment', tls: undefined },
        { listen, framing: 'line', tls: undefined },
        ...(given.tls === undefined ? [] : [{ listen, framing: 'segment' as const, tls: given.tls }]),
      ],
      requireKnownUser: true,
      timeZone: 'Europe/Budapest',
      dateFormat: 'YYYY. MM. DD. HH:mm:ss',
      ...given.options,
      limits: { ...defaultElfinLimits, ...given.limits },
    });
    const bus = new MemoryBus(log);
    for (const kind of ['report', 'command', 'outcome', 'presence'] as const)
      bus.subscribe(kind, (message) => void heard.push(message));
    const parts = { clock, random: systemRandom, log };
    this.connections = memoryConnections(parts);
    this.router = new Router({ bus, store: this.store, outboxes: new Outboxes(), ...parts });
    this.host = new HandlerHost({ router: this.router, connections: this.connections, ...parts });
  }

  static async start(given: RigOptions = {}): Promise<ElfinRig> {
    const rig = new ElfinRig(given);
    const stored = await rig.store.load();
    await rig.router.restore(stored);
    for (const handler of given.handlers ?? []) await rig.host.start(handler, []);
    await rig.host.start(rig.elfin, []);
    rig.router.resume(stored);
    for (const { message, fields } of rig.log.lines)
      if (message === 'Elfin devices may connect') rig.ports.push(Number(/:(\d+)$/.exec(String(fields.address))![1]));
    for (const uuid of given.users ?? []) await rig.elfin.putUser({ uuid });
    return rig;
  }

  async stop(): Promise<void> {
    for (const peer of this.#peers) peer.socket.destroy();
    const stopping = this.host.stop();
    await this.manual.advance(3_000);
    await stopping;
    this.router.stop();
    await this.router.settled();
  }

  /** One that speaks in segments. */
  segments(): Promise<ElfinPeer> {
    return this.#connected(connect({ host: '127.0.0.1', port: this.ports[0]!, allowHalfOpen: true }));
  }

  /** One that speaks in lines. */
  lines(options: { readonly highWaterMark?: number } = {}): Promise<ElfinPeer> {
    return this.#connected(connect({ host: '127.0.0.1', port: this.ports[1]!, allowHalfOpen: true, ...options }));
  }

  secure(ca: string): Promise<ElfinPeer> {
    const socket = connectTls({ host: '127.0.0.1', port: this.ports[2]!, ca, servername: 'localhost' });
    return this.#connected(socket, 'secureConnect');
  }

  /** An adapter whose beat is taken. */
  async device(uuid: string, mac: string, peer?: ElfinPeer): Promise<ElfinPeer> {
    const device = peer ?? (await this.segments());
    const before = this.count('control-messages');
    device.say(`beat;${uuid};${mac};adapter;0`);
    await this.until(`the beat of ${mac}`, () => this.count('control-messages') > before);
    return device;
  }

  /** Two adapters of user `u`, in a tunnel. */
  async tunnel(): Promise<readonly [ElfinPeer, ElfinPeer]> {
    const [a, b] = [await this.device('u', MAC_A), await this.device('u', MAC_B)];
    await this.ask(a, `connme;u;${MAC_B}`, SUCCESS);
    return [a, b];
  }

  /** Says it, and expects that answer. */
  async ask(peer: ElfinPeer, message: string, answer: string): Promise<void> {
    peer.say(message);
    const got = await peer.line();
    if (got !== answer) throw new Error(`${message} was answered ${got}`);
  }

  presence(): string[] {
    return this.heard.flatMap((message) =>
      message.kind === 'presence'
        ? [`${message.unit} ${message.state}${message.reason === undefined ? '' : `: ${message.reason}`}`]
        : [],
    );
  }

  /** Records of devices that were written, by UID. */
  written(uid: string): number {
    return this.store.of('record').filter(({ record }) => record.unit === uid).length;
  }

  /** What the gateway counts, or has at this moment. */
  count(what: string): number {
    const { counts, gauges } = this.host.status().find(({ name }) => name === 'elfin')!;
    return counts[what] ?? gauges?.[what] ?? 0;
  }

  faults(): number {
    return this.host.status().find(({ name }) => name === 'elfin')!.faults;
  }

  /** Turns of the event loop until it is so. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    const late = performance.now() + 10_000;
    while (!isSo()) {
      if (performance.now() > late) throw new Error(`never: ${what}`);
      await settle(1);
    }
  }

  async #connected(socket: Socket, event = 'connect'): Promise<ElfinPeer> {
    const peer = new ElfinPeer(socket);
    this.#peers.push(peer);
    await once(socket, event);
    return peer;
  }
}

/** The other side of a connection. */
export class ElfinPeer {
  readonly socket: Socket;
  /** The base sends no more, or the connection is gone. */
  readonly closed: Promise<void>;
  isClosed = false;
  #got: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.#got = Buffer.concat([this.#got, chunk]);
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      const over = (): void => {
        this.isClosed = true;
        this.#wake();
        resolve();
      };
      socket.on('end', over);
      socket.on('close', over);
    });
  }

  /** In UTF-8; a Buffer as it is. */
  say(message: string | Uint8Array): void {
    this.socket.write(message);
  }

  /** What has come and was not read. */
  get unread(): Buffer {
    return this.#got;
  }

  /** The next octets. */
  async read(count: number): Promise<Buffer> {
    while (this.#got.length < count) await this.#more();
    const octets = this.#got.subarray(0, count);
    this.#got = this.#got.subarray(count);
    return octets;
  }

  /** The next line, with its end. */
  async line(): Promise<string> {
    while (!this.#got.includes(0x0a)) await this.#more();
    return (await this.read(this.#got.indexOf(0x0a) + 1)).toString();
  }

  async #more(): Promise<void> {
    if (this.isClosed) throw new Error(`the connection is closed; ${this.#got.length} octets had come`);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}
