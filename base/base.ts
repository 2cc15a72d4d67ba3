import { Api } from './api/api.js';
import type { ConnectorDocument } from './api/connector/connector-openapi.js';
import type { StatusApi } from './api/connector/status-api.js';
import { baseFigures } from './base-figures.js';
import { LiveStatus } from './base-status.js';
import { BufferedWatch } from './buffered-watch.js';
import type { Configuration, HubConfiguration } from './config/configuration.js';
import { handlersOf } from './configured-handlers.js';
import { startUplinks, uplinksOf } from './configured-uplinks.js';
import { AddressBook } from './core/address-book.js';
import { messageKinds } from './core/bus.js';
import type { Clock } from './core/clock.js';
import type { CommandRequest } from './core/command-request.js';
import type { ConnectionStatistics } from './core/connection-statistics.js';
import { Connections } from './core/connections.js';
import { deferred } from './core/deferred.js';
import type { Log } from './core/log.js';
import { MemoryStatistics } from './core/memory-statistics.js';
import type { CoreMessage, Outcome } from './core/messages.js';
import { Outboxes } from './core/outboxes.js';
import type { Random } from './core/random.js';
import { Router } from './core/router.js';
import type { BaseState, BaseStatus } from './core/status.js';
import type { HistoryQuery, StoredState } from './core/store.js';
import { thrownError } from './core/thrown-error.js';
import { Topics } from './core/topics.js';
import type { UnitsPort } from './core/units-port.js';
import type { AuthenticateDevice } from './dialects/connector/connector-options.js';
import type { ElfinDialect } from './dialects/elfin/elfin-dialect.js';
import type { Handler } from './dialects/handler.js';
import { HandlerHost } from './dialects/handler-host.js';
import { LineDialect } from './dialects/line/line-dialect.js';
import { UnitDialect } from './dialects/unit/unit-dialect.js';
import { houseUnits, loadDiscovery } from './discovered.js';
import { EmbeddedEngine } from './engine/embedded/embedded-engine.js';
import type { OpenFile } from './engine/embedded/sqlite-port.js';
import { openInThread } from './engine/embedded/sqlite-thread.js';
import type { Hub } from './hub/hub.js';
import { commandWithLegacyLamps } from './legacy-lamps.js';
import { PortWatch, serialPortsOf } from './links/serial/port-watch.js';
import { Parts } from './parts.js';
import { type ShutdownTimes, shutdownTimes } from './shutdown-times.js';
import { storageOf } from './storage.js';
import { measureProcess, NodeEventLoop, nodeCrypto } from './system.js';

export interface BaseOptions {
  readonly configuration: Configuration;
  /** Bearer token of the HTTP API. */
  readonly token: string;
  readonly version: string;
  /** Absolute path of the folder for what outlives the process (`config/state-folder.ts`). */
  readonly stateFolder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Handlers of the user's own, beside ours. */
  readonly handlers?: readonly Handler[];
  /** Where figures of connections are kept. Default: in memory. */
  readonly statistics?: ConnectionStatistics | undefined;
  /** Instead of the connector's HTTP API; served also where the configuration has no `connector.http`. */
  readonly statusApi?: StatusApi | undefined;
  /** Instead of the configuration's `connector.deviceAuth`. */
  readonly authenticate?: AuthenticateDevice | undefined;
  /** Where IoT Cloud Connector's topics are published. Default: one of its own. */
  readonly topics?: Topics | undefined;
  /** Hears every core message, as a terminal does that shows them. */
  readonly hear?: ((message: CoreMessage) => void | Promise<void>) | undefined;
  /** Aborts the start between any two steps; what was begun is ended. */
  readonly signal?: AbortSignal;
  /** Told when the base cannot go on, as without its store: end the process, so that it is started anew. */
  readonly failed?: (error: Error) => void;
  /** Which thread waits for the disk. Default: one of its own. */
  readonly openFile?: OpenFile;
}

/** A base that runs. `stop` may be called twice; it ends everything that the start began. */
export interface RunningBase {
  /** Of the HTTP API; `undefined` without an `http` section. */
  readonly apiUrl: string | undefined;
  /** Of the connector's HTTP API, or of what is there instead; `undefined` without it. */
  readonly connectorUrl: string | undefined;
  /** Of the embedded hub; `undefined` without a `hub` section. */
  readonly hub: { readonly host: string; readonly port: number } | undefined;
  readonly state: BaseState;
  readonly router: Router;
  readonly connections: Connections;
  status(): BaseStatus;
  /** Commits something to the store, and reads it again. Rejects with StoreError. */
  probeStore(): Promise<void>;
  /** Within the configuration's `shutdownTimeoutS`; `state` says how it ended. */
  stop(): Promise<void>;
}

/** Configuration in, running base out. Rejects, everything undone, when a part cannot start. */
export async function startBase(options: BaseOptions): Promise<RunningBase> {
  const { configuration, clock, random, log } = options;
  const times = shutdownTimes(configuration.shutdownTimeoutMs);
  const parts = new Parts({ times, clock, log, signal: options.signal });
  let state: BaseState = 'created';
  /** Handlers that did not end at the stop. */
  let leftBehind = 0;
  // What asks for commands starts before what carries them out, so that nothing a unit says is missed: commands wait.
  const serving = deferred<void>();
  const stop = async (): Promise<void> => {
    serving.resolve();
    const late = await parts.stop();
    state = late.length + leftBehind === 0 ? 'gracefully_stopped' : 'stopped';
  };

  try {
    const engine = await openEngine(options, parts);
    const { bus, store } = engine;
    const outboxes = new Outboxes();
    if (options.hear) for (const kind of messageKinds) bus.subscribe(kind, contained(options.hear, log));
    const router = new Router({ bus, store, outboxes, clock, random, log });
    const crypto = nodeCrypto(random);
    const line = new LineDialect();
    const unit = new UnitDialect({ crypto, listen: configuration.units?.listen });
    const addresses = new AddressBook();
    // With what is kept for peers it may be large: not to be held as long as what follows, which is to the end.
    let stored: StoredState | undefined = await store.load();
    const house = await houseUnits(configuration, stored.records, log);
    for (const each of house.served) router.add(each);
    await router.restore(stored);

    const hub = configuration.hub && (await loadHub(configuration.hub, times, options));
    const hubAddress =
      hub &&
      (await parts.begin(
        'hub',
        () => hub.start(),
        () => hub.stop(),
      ));

    const carryOut = configuration.legacy
      ? commandWithLegacyLamps(router, line, log)
      : (request: CommandRequest) => router.command(request);
    const command = async (request: CommandRequest): Promise<Outcome> => {
      await serving.promise;
      return carryOut(request);
    };
    const topics = options.topics ?? new Topics(log.child({ part: 'topics' }));
    const statistics = options.statistics ?? new MemoryStatistics(clock);
    const connections = new Connections({ statistics, topics, clock, random, log });
    const stopMs = times.handlersMs;
    const host = new HandlerHost({ router, addresses, connections, command, stopMs, clock, random, log });

    const uplinks = await uplinksOf(configuration);
    await startUplinks(uplinks, { parts, times, engine, outboxes, command, clock, random, log });

    const { http, name } = configuration;
    const { token, version } = options;
    const units = unitsPort(router, command);
    const statusApi = options.statusApi ?? (await loadStatusApi(configuration, times));
    let api: Api | undefined;
    const status = new LiveStatus({
      name,
      version,
      state: () => state,
      connections,
      topics,
      handlers: () => host.status(),
      waiting: () => router.waiting(),
      sseSubscribers: () => (api?.subscribers ?? 0) + subscribersOf(statusApi),
      measure: measureProcess,
      clock,
    });
    const watch = new BufferedWatch({ connections, clock, log });
    await parts.begin(
      'status',
      async () => {
        status.start();
        watch.start();
      },
      async () => {
        watch.stop();
        status.stop();
      },
    );
    const outbox = { list: () => uplinks.flatMap((uplink) => uplink.outboxes) };
    const backup = (): Promise<string> => store.backup();
    const limits = { stopGraceMs: times.graceMs };
    const figures = baseFigures({ router, engine, topics, eventLoop: new NodeEventLoop() });
    const elfin = await loadElfin(configuration);
    const looking = { configuration, version, router, addresses, line, unit, crypto, clock, random, log };
    const discovery = await loadDiscovery(house, looking, () => served && Number(new URL(served.url).port));
    const shownBy = { units, outbox, elfin, discovery, backup, status, connections, figures, bus, clock, random, log };
    const connector = () =>
      connectorDocumentOf(configuration, options.statusApi === undefined ? shown?.url : undefined);
    api = http && new Api({ listen: http.listen, token, ...shownBy, connector, name, version, limits });
    const served =
      api &&
      (await parts.begin(
        'api',
        () => api!.start(),
        async () => api?.stop(),
      ));
    const shown =
      statusApi &&
      (await parts.begin(
        'status API',
        () => statusApi.start({ status, connections, units, topics, clock, random, log }),
        async () => statusApi.stop(),
      ));

    await parts.begin(
      'handlers',
      async () => {
        const ours = await handlersOf(configuration, house.served, line, unit, elfin, crypto, options.authenticate);
        for (const [handler, servedUnits] of ours) await host.start(handler, servedUnits);
        for (const handler of options.handlers ?? []) await host.start(handler, []);
        router.resume(stored!);
        stored = undefined;
        state = 'started';
        serving.resolve();
      },
      // Every command gets its outcome, while there is still somebody to tell it to.
      async () => {
        router.stop();
        await host.stop();
        await router.settled();
        leftBehind = host.status().filter(({ state }) => state === 'starting' || state === 'running').length;
      },
      { endsIn: 'first' },
    );
    const ports = serialPortsOf(configuration.units?.known ?? []);
    if (ports.size > 0) {
      const portWatch = new PortWatch({ ports, appeared: (uid, address) => addresses.found(uid, address), clock });
      await parts.begin(
        'serial ports',
        async () => portWatch.start(),
        async () => portWatch.stop(),
      );
    }
    if (discovery !== undefined)
      await parts.begin(
        'discovery',
        () => discovery.start(),
        () => discovery.stop(),
      );
    return {
      apiUrl: served?.url,
      connectorUrl: shown?.url,
      hub: hubAddress,
      get state() {
        return state;
      },
      router,
      connections,
      status: () => status.status(),
      probeStore: () => engine.probe(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What it throws the bus contains; it may be asynchronous, too. */
function contained(hear: NonNullable<BaseOptions['hear']>, log: Log): (message: CoreMessage) => void {
  const failed = (thrown: unknown): void =>
    log.error({ error: thrownError(thrown).message }, 'who hears of messages failed');
  return (message) => void Promise.resolve(hear(message)).catch(failed);
}

async function openEngine(options: BaseOptions, parts: Parts): Promise<EmbeddedEngine> {
  const { configuration, stateFolder, clock, log, openFile: open = openInThread } = options;
  const storage = storageOf(configuration.store, stateFolder);
  let engine: EmbeddedEngine | undefined;
  const opened = await parts.begin(
    'store',
    async () => {
      engine = await EmbeddedEngine.open({ ...storage, clock, log: log.child({ part: 'store' }), open });
      return engine;
    },
    async () => engine?.close(),
    { endsIn: 'last' },
  );
  void opened.died.then((error) => {
    log.error({ error: error.message }, 'the thread of the store has ended: the base cannot go on');
    options.failed?.(error);
  });
  return opened;
}

/** Parts that are not configured are not loaded: on a Pi, all of them take a second. */
async function loadHub(
  { listen, apps }: HubConfiguration,
  { hubGraceMs: closeAnswerMs }: ShutdownTimes,
  { clock, random, log }: Pick<BaseOptions, 'clock' | 'random' | 'log'>,
): Promise<Hub> {
  const { Hub } = await import('./hub/hub.js');
  return new Hub({ ...listen, apps, closeAnswerMs, clock, random, log });
}

async function loadElfin({ elfin }: Configuration): Promise<ElfinDialect | undefined> {
  if (elfin === undefined) return undefined;
  const { ElfinDialect } = await import('./dialects/elfin/elfin-dialect.js');
  return new ElfinDialect(elfin);
}

async function loadStatusApi(
  { connector }: Configuration,
  { graceMs: stopGraceMs }: ShutdownTimes,
): Promise<StatusApi | undefined> {
  if (connector?.api === undefined) return undefined;
  const { ConnectorApi } = await import('./api/connector/connector-api.js');
  return new ConnectorApi({ ...connector.api, limits: { ...connector.api.limits, stopGraceMs } });
}

/** Of our own API, where that is. */
async function connectorDocumentOf(
  { connector }: Configuration,
  url: string | undefined,
): Promise<ConnectorDocument | undefined> {
  if (connector?.api === undefined || url === undefined) return undefined;
  const { connectorDocument } = await import('./api/connector/connector-openapi.js');
  return connectorDocument(url, connector.api.auth.kind);
}

/** It may be a user's. */
function subscribersOf(statusApi: StatusApi | undefined): number {
  try {
    return statusApi?.subscribers ?? 0;
  } catch {
    return 0;
  }
}

const unitsPort = (router: Router, command: UnitsPort['command']): UnitsPort => ({
  list: () => router.list(),
  uids: () => router.uids(),
  online: () => router.online(),
  get: (unit) => router.get(unit),
  definitionOf: (unit) => router.definitionOf(unit),
  command,
  commandStatus: (unit, id) => router.commandStatus(unit, id),
  logs: (unit) => router.logs(unit),
  history: (query: HistoryQuery) => router.history(query),
  forget: (unit) => router.forget(unit),
});
