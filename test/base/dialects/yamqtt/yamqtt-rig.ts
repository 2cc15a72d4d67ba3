import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Outboxes } from '../../../../base/core/outboxes.js';
import { Router } from '../../../../base/core/router.js';
import { HandlerHost } from '../../../../base/dialects/handler-host.js';
import { YamqttDialect } from '../../../../base/dialects/yamqtt/yamqtt-dialect.js';
import { defaultYamqttLimits, type YamqttLimits } from '../../../../base/dialects/yamqtt/yamqtt-limits.js';
import type { FlowRule } from '../../../../base/dialects/yamqtt/yamqtt-options.js';
import { MemoryBus } from '../../../../base/engine/embedded/memory-bus.js';
import { systemRandom } from '../../../../base/system.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';
import { memoryConnections } from '../../../support/memory-connections.js';
import { MemoryStore } from '../../../support/memory-store.js';
import { QuietLog } from '../../../support/quiet-log.js';

export interface RigOptions {
  readonly limits?: Partial<YamqttLimits>;
  readonly flows?: ReadonlyMap<number, FlowRule>;
}

const LATE_MS = 10_000;
/** A flow that no test uses for itself. */
const BARRIER_FLOW = '65535';

/** YAMQTT on real sockets, with a real router and a clock that is advanced by hand. */
export class YamqttRig {
  readonly clock = new ManualClock();
  readonly log = new QuietLog();
  readonly host: HandlerHost;
  port = 0;
  readonly #router: Router;
  readonly #clients: YamqttPeer[] = [];

  private constructor() {
    const { clock, log } = this;
    const parts = { clock, random: systemRandom, log };
    this.#router = new Router({
      bus: new MemoryBus(log),
      store: new MemoryStore(),
      outboxes: new Outboxes(),
      ...parts,
    });
    this.host = new HandlerHost({ router: this.#router, connections: memoryConnections(parts), ...parts });
  }

  static async start({ limits, flows = new Map() }: RigOptions = {}): Promise<YamqttRig> {
    const rig = new YamqttRig();
    const listen = { host: '127.0.0.1', port: 0 };
    await rig.host.start(new YamqttDialect({ listen, flows, limits: { ...defaultYamqttLimits, ...limits } }), []);
    const line = rig.log.lines.find(({ message }) => message.endsWith('(YAMQTT)'));
    rig.port = Number(/:(\d+)$/.exec(String(line?.fields.address))![1]);
    return rig;
  }

  /** What they hear is read while the base says goodbye. */
  async stop(): Promise<void> {
    const stopping = this.host.stop();
    this.#router.stop();
    for (const client of this.#clients.splice(0)) client.socket.destroy();
    await stopping;
  }

  async client(localAddress = '127.0.0.1'): Promise<YamqttPeer> {
    const client = await YamqttPeer.connect(this.port, localAddress);
    this.#clients.push(client);
    return client;
  }

  /** A client that is subscribed. */
  async subscriber(...flows: readonly number[]): Promise<YamqttPeer> {
    const client = await this.client();
    for (const flow of flows) client.send(message('s', flow));
    await client.isRead();
    return client;
  }

  /** And what it has at this moment. */
  counts(): Readonly<Record<string, number>> {
    const { counts, gauges } = this.host.status().find(({ name }) => name === 'yamqtt')!;
    return { ...counts, ...gauges };
  }

  get faults(): number {
    return this.host.status().find(({ name }) => name === 'yamqtt')!.faults;
  }

  /** Turns of the event loop until it is so. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    const late = performance.now() + LATE_MS;
    while (!isSo()) {
      if (performance.now() > late) throw new Error(`never: ${what}`);
      await settle(1);
    }
  }
}

const RECORD = 1024;
export const MESSAGE = 3 * RECORD;

/** What a message is made of, as octets: behind what counts stands `fill`. Apart from the code that is tested. */
export function message(action: string, flow: number | string, data: string | Buffer = '', fill = 0): Buffer {
  const octets = Buffer.alloc(MESSAGE, fill);
  octets.write(action, 0, 'latin1');
  octets.write(`${flow}\0`, RECORD, 'latin1');
  if (typeof data === 'string') octets.write(`${data}\0`, 2 * RECORD, 'latin1');
  else data.copy(octets, 2 * RECORD);
  return octets;
}

/** A message as `m 42 text`. */
export function shown(octets: Buffer): string {
  const text = (from: number): string => {
    const record = octets.subarray(from, from + RECORD);
    const end = record.indexOf(0);
    return record.toString('latin1', 0, end === -1 ? RECORD : end);
  };
  return `${octets.toString('latin1', 0, 1)} ${text(RECORD)} ${text(2 * RECORD)}`.trimEnd();
}

/** A client, in octets: what a program of anybody's making would send. */
export class YamqttPeer {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
  /** The base has closed its side, or all of it. */
  isEnded = false;
  readonly #messages: Buffer[] = [];
  #rest = Buffer.alloc(0);
  #wake: () => void = () => {};
  #barriers = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      while (this.#rest.length >= MESSAGE) {
        this.#messages.push(this.#rest.subarray(0, MESSAGE));
        this.#rest = this.#rest.subarray(MESSAGE);
      }
      this.#wake();
    });
    socket.on('end', () => {
      this.isEnded = true;
      this.#wake();
    });
    this.closed = new Promise((resolve) =>
      socket.on('close', () => {
        this.isEnded = true;
        this.#wake();
        resolve(undefined);
      }),
    );
  }

  static async connect(port: number, localAddress: string): Promise<YamqttPeer> {
    const socket = connect({ host: '127.0.0.1', port, localAddress, noDelay: true, allowHalfOpen: true });
    const peer = new YamqttPeer(socket);
    await once(socket, 'connect');
    return peer;
  }

  send(...octets: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(octets));
  }

  /** Octets of a message of which not all have come. */
  get part(): number {
    return this.#rest.length;
  }

  /** The next message. Rejects when the connection ends before. */
  async next(): Promise<Buffer> {
    while (this.#messages.length === 0) {
      if (this.isEnded) throw new Error('the connection ended');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#messages.shift()!;
  }

  async nextShown(): Promise<string> {
    return shown(await this.next());
  }

  /** What has come and was not looked at. */
  come(): string[] {
    return this.#messages.splice(0).map(shown);
  }

  /** All until the base closes. */
  async rest(): Promise<string[]> {
    const all: string[] = [];
    while (this.#messages.length > 0 || !this.isEnded) {
      const next = await this.next().catch(() => undefined);
      if (next !== undefined) all.push(shown(next));
    }
    return all;
  }

  /**
   * Resolves when the base has done everything that was sent before, with what has come until then: it hears itself on a flow
   * of its own.
   */
  async isRead(): Promise<string[]> {
    this.#barriers += 1;
    const { localPort } = this.socket;
    const text = `barrier ${localPort} ${this.#barriers}`;
    this.send(message('s', BARRIER_FLOW), message('p', BARRIER_FLOW, text), message('u', BARRIER_FLOW));
    const before: string[] = [];
    for (;;) {
      const each = await this.nextShown();
      if (each === `m ${BARRIER_FLOW} ${text}`) return before;
      if (!each.startsWith(`m ${BARRIER_FLOW} barrier`)) before.push(each);
    }
  }
}
