import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../../../base/core/clock.js';
import type { CommandRequest } from '../../../../base/core/command-request.js';
import type { Outcome, Report } from '../../../../base/core/messages.js';
import { type OpaquePayload, payloadFrom } from '../../../../base/core/opaque-payload.js';
import type { DeliverTo, OpaqueReportInput } from '../../../../base/core/unit-events.js';
import type { HandlerContext } from '../../../../base/dialects/handler.js';
import { IotsocketDialect } from '../../../../base/dialects/iotsocket/iotsocket-dialect.js';
import { defaultIotsocketLimits, type IotsocketLimits } from '../../../../base/dialects/iotsocket/iotsocket-limits.js';
import type {
  CentralWebhookOptions,
  GroupOptions,
  IotsocketOptions,
} from '../../../../base/dialects/iotsocket/iotsocket-options.js';
import { nodeCrypto, systemRandom } from '../../../../base/system.js';
import type { UnitDefinition } from '../../../../protocol/definition/index.js';
import { StoreError } from '../../../../protocol/errors.js';
import { toHex } from '../../../../protocol/octets.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { memoryConnections } from '../../../support/memory-connections.js';
import { QuietLog } from '../../../support/quiet-log.js';
import { CENTRAL_KEY, KEY, OctetPeer, type OpenOptions } from './octet-peer.js';

export interface RigOptions {
  readonly objects?: readonly string[];
  readonly options?: Partial<Omit<IotsocketOptions, 'limits' | 'central'>>;
  readonly limits?: Partial<IotsocketLimits>;
  readonly group?: Partial<GroupOptions>;
  readonly webhooks?: Partial<CentralWebhookOptions>;
  readonly hasCentral?: boolean;
  readonly clock?: Clock;
  readonly kept?: readonly { readonly unit: string; readonly octets: Uint8Array }[];
  readonly typed?: Readonly<Record<string, UnitDefinition>>;
  readonly command?: (request: CommandRequest) => Promise<Outcome>;
  /** Instead of `acl.json` made of `objects`. */
  readonly accessList?: string;
}

const noWebhooks: CentralWebhookOptions = {
  request: undefined,
  telemetry: undefined,
  ca: undefined,
  allowPrivate: false,
  maxContentLength: 512 * 1024,
  maxWaitMs: 15_000,
};

/** The concentrator on real sockets, on a clock that is advanced by hand unless another is handed in; around it a recorder. */
export class ConcentratorRig {
  readonly manual = new ManualClock();
  readonly log = new QuietLog();
  /** What the dialect counted. */
  readonly counts = new Map<string, number>();
  readonly connections = memoryConnections({ clock: this.manual, random: systemRandom, log: this.log });
  readonly reports: { uid: string; payload: ReturnType<typeof payloadFrom> }[] = [];
  readonly requests: { id: string; uid: string; payload: ReturnType<typeof payloadFrom> }[] = [];
  readonly responses: { id: string; uid: string; code: number }[] = [];
  readonly presence: string[] = [];
  readonly refused: string[] = [];
  /** What is kept on disk, by position. */
  readonly kept = new Map<number, { unit: string; hex: string }>();
  /** Somebody wants to hear of requests and responses. */
  isHeard = true;
  isDiskFull = false;
  /** What is erased from it is gone when this resolves; `undefined`: at once. */
  erasing: Promise<void> | undefined;
  deliver: DeliverTo | undefined;
  dialect!: IotsocketDialect;
  readonly units = new Set<string>();
  folder = '';
  readonly ports = { tcp: 0, udp: 0, websocket: 0, http: 0 };
  readonly #given: RigOptions;
  readonly #stop = new AbortController();
  readonly #peers: OctetPeer[] = [];
  #hear: ((report: Report) => void) | undefined;
  #position = 0;
  #requestId = 0;
  #running: Promise<void> | undefined;

  constructor(given: RigOptions = {}) {
    this.#given = given;
  }

  static async start(given: RigOptions = {}): Promise<ConcentratorRig> {
    const rig = new ConcentratorRig(given);
    await rig.start();
    return rig;
  }

  get aclFile(): string {
    return join(this.folder, 'acl.json');
  }

  async start(): Promise<void> {
    const {
      objects = ['ObjTest'],
      options = {},
      limits = {},
      group = {},
      webhooks = {},
      hasCentral = true,
    } = this.#given;
    this.folder = await mkdtemp(join(tmpdir(), 'baseunit-iotsocket-'));
    const list = Object.fromEntries(objects.map((uid) => [uid, { GroupName: 'Devices', AuthKey: toHex(KEY) }]));
    await writeFile(this.aclFile, this.#given.accessList ?? JSON.stringify(list));
    for (const { unit, octets } of this.#given.kept ?? []) {
      this.#position += 1;
      this.kept.set(this.#position, { unit, hex: toHex(octets) });
    }
    const local = { host: '127.0.0.1', port: 0 };
    this.dialect = new IotsocketDialect(
      {
        tcp: local,
        websocket: undefined,
        udp: undefined,
        http: undefined,
        tls: undefined,
        keepSessionMs: 60_000,
        requestTimeoutMs: 10_000,
        central: hasCentral ? { key: CENTRAL_KEY, webhooks: { ...noWebhooks, ...webhooks } } : undefined,
        groups: new Map([
          [
            'Devices',
            { telemetry: true, telemetryTokenLifeMs: 900_000, pingAfterMs: 15_000, deadAfterMs: 45_000, ...group },
          ],
        ]),
        accessList: this.aclFile,
        redirect: undefined,
        allowPlaintext: false,
        history: true,
        ...options,
        limits: { ...defaultIotsocketLimits, unprovedPerAddress: 256, loginsPerMinute: 1_000, ...limits },
      },
      nodeCrypto(systemRandom),
    );
    await new Promise<void>((ready, failed) => {
      this.#running = this.dialect.listen(this.#context(ready));
      this.#running.catch(failed);
    });
    for (const { fields, message } of this.log.lines) {
      const text = String(fields.address ?? fields.url ?? '');
      const port = Number(/:(\d+)\/?$/.exec(text)?.[1] ?? 0);
      if (message.includes('(TCP)')) this.ports.tcp = port;
      else if (message.includes('(UDP)')) this.ports.udp = port;
      else if (message.includes('(WebSocket)')) this.ports.websocket = port;
      else if (/http/i.test(message) || text.startsWith('http')) this.ports.http = port;
    }
  }

  async stop(): Promise<void> {
    for (const peer of this.#peers) peer.socket.destroy();
    this.#stop.abort();
    await this.#running;
    await rm(this.folder, { recursive: true, force: true });
  }

  async connect(localAddress?: string): Promise<OctetPeer> {
    const peer = await OctetPeer.connect(this.ports.tcp, localAddress);
    this.#peers.push(peer);
    return peer;
  }

  /** An object's session, or with an empty UID the central's. Its telemetry token has been read. */
  async open(uid: string, options: Partial<OpenOptions> & { readonly from?: string } = {}): Promise<OctetPeer> {
    const peer = await this.connect(options.from);
    await peer.open({ uid, ...options });
    return peer;
  }

  central(options: Partial<OpenOptions> = {}): Promise<OctetPeer> {
    return this.open('', options);
  }

  /** A typed unit reports. */
  report(report: Report): void {
    this.#hear?.(report);
  }

  warnings(): string[] {
    return this.log.lines
      .filter(({ level }) => level === 'warn' || level === 'error')
      .map(({ message, fields }) => `${message} ${fields.reason ?? fields.error ?? ''}`.trim());
  }

  #context(ready: () => void): HandlerContext {
    const { log } = this;
    const unused = (): never => {
      throw new Error('not for this dialect');
    };
    return {
      units: [],
      clock: this.#given.clock ?? this.manual,
      random: systemRandom,
      log,
      signal: this.#stop.signal,
      ready,
      dial: unused,
      placesOf: unused,
      met: unused,
      onFound: unused,
      accept: unused,
      claimLink: unused,
      connected: (connection) => this.connections.opened(connection, 'iotsocket'),
      knownUnits: unused,
      hello: unused,
      logLine: unused,
      seen: unused,
      onForgotten: unused,
      records: { all: unused, put: unused, erase: unused },
      onCommand: unused,
      report: (input) => {
        const { uid, payload } = input as OpaqueReportInput;
        this.reports.push({ uid, payload: payloadFrom(payload) });
        return Promise.resolve('stored');
      },
      presence: (uid, { state, reason }) =>
        void this.presence.push(reason === undefined ? `${uid} ${state}` : `${uid} ${state}: ${reason}`),
      refused: (uid) => void this.refused.push(uid),
      count: (event, by = 1) => void this.counts.set(event, (this.counts.get(event) ?? 0) + by),
      addUnit: ({ uid }, deliver) => {
        this.units.add(uid);
        this.deliver = deliver;
        return true;
      },
      removeUnit: (uid) => void this.units.delete(uid),
      request: (uid: string, payload: OpaquePayload) => {
        this.#requestId += 1;
        const id = `${uid}/r/${this.#requestId}`;
        this.requests.push({ id, uid, payload: payloadFrom(payload) });
        return id;
      },
      response: (id, uid, code) => void this.responses.push({ id, uid, code }),
      wants: () => this.isHeard,
      command: this.#given.command ?? unused,
      typedUnit: (uid) => this.#given.typed?.[uid],
      hear: (_kind, hear) => {
        this.#hear = hear;
        return () => {};
      },
      keep: (items) => {
        if (this.isDiskFull) {
          const stored = Promise.reject(new StoreError('store-failed', 'the disk is full'));
          stored.catch(() => {});
          return { positions: items.map(() => (this.#position += 1)), stored };
        }
        const positions = items.map(({ unit, octets }) => {
          this.#position += 1;
          this.kept.set(this.#position, { unit, hex: toHex(octets) });
          return this.#position;
        });
        return { positions, stored: Promise.resolve() };
      },
      unkeep: async (positions) => {
        if (this.erasing !== undefined) await this.erasing;
        for (const position of positions) this.kept.delete(position);
      },
      kept: () =>
        [...this.kept].map(([position, { unit, hex }]) => ({ position, unit, octets: Buffer.from(hex, 'hex'), at: 0 })),
    };
  }
}
