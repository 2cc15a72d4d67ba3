import { dirname, join } from 'node:path';
import { InternalError, TimeoutError } from '../protocol/errors.js';
import { Api } from './api/api.js';
import type { Configuration, HubConfiguration, KnownUnit, StoreConfiguration } from './config/configuration.js';
import { legacyReading } from './config/legacy-config.js';
import { messageKinds } from './core/bus.js';
import type { Clock } from './core/clock.js';
import type { CommandRequest } from './core/command-request.js';
import { deferred } from './core/deferred.js';
import type { Log } from './core/log.js';
import type { CoreMessage, Outcome } from './core/messages.js';
import { Outboxes } from './core/outboxes.js';
import type { Random } from './core/random.js';
import { Router } from './core/router.js';
import type { HistoryQuery, StoredState } from './core/store.js';
import type { ServedUnit } from './dialects/dialect.js';
import { DialectHost } from './dialects/dialect-host.js';
import { LineDialect } from './dialects/line/line-dialect.js';
import { UnitDialect } from './dialects/unit/unit-dialect.js';
import { EmbeddedEngine } from './engine/embedded/embedded-engine.js';
import type { OpenFile } from './engine/embedded/sqlite-port.js';
import { openInThread } from './engine/embedded/sqlite-thread.js';
import type { Retention } from './engine/embedded/upkeep.js';
import type { Hub } from './hub/hub.js';
import { commandWithLegacyLamps } from './legacy-lamps.js';
import { nodeCrypto } from './system.js';
import type { Uplink } from './uplinks/uplink.js';
import { WebhooksUplink } from './uplinks/webhooks/webhooks-uplink.js';

/** All parts together: who stops a base forces it after 5 s. */
const STOP_MS = 4_000;

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
  /** Hears every core message, as a terminal does that shows them. */
  readonly hear?: (message: CoreMessage) => void;
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
  /** Of the embedded hub; `undefined` without a `hub` section. */
  readonly hub: { readonly host: string; readonly port: number } | undefined;
  readonly router: Router;
  stop(): Promise<void>;
}

/** Configuration in, running base out. Rejects, everything undone, when a part cannot start. */
export async function startBase(options: BaseOptions): Promise<RunningBase> {
  const { configuration, clock, random, log } = options;
  const parts: Part[] = [];
  let stopping: Promise<void> | undefined;
  // What asks for commands starts before what carries them out, so that nothing a unit says is missed: commands wait.
  const serving = deferred<void>();
  const stop = (): Promise<void> => {
    serving.resolve();
    stopping ??= stopAll(parts, clock, log);
    return stopping;
  };
  const begin = async <T>(
    name: string,
    start: () => Promise<T>,
    end: () => Promise<void>,
    { endsIn = 'middle', needs }: Partial<Pick<Part, 'endsIn' | 'needs'>> = {},
  ): Promise<T> => {
    if (options.signal?.aborted) throw new InternalError('stopped', 'stopped while starting');
    const starting = start();
    parts.push({ name, endsIn, needs, stop: end });
    return starting;
  };

  try {
    const storage = storageOf(configuration.store, options.stateFolder);
    let engine!: EmbeddedEngine;
    await begin(
      'store',
      async () => {
        const { openFile: open = openInThread } = options;
        engine = await EmbeddedEngine.open({ ...storage, clock, log: log.child({ part: 'store' }), open });
      },
      () => engine?.close(),
      { endsIn: 'last' },
    );
    void engine.died.then((error) => {
      log.error({ error: error.message }, 'the thread of the store has ended: the base cannot go on');
      options.failed?.(error);
    });
    const { bus, store } = engine;
    const outboxes = new Outboxes();
    if (options.hear) for (const kind of messageKinds) bus.subscribe(kind, options.hear);
    const router = new Router({ bus, store, outboxes, clock, random, log });
    const line = new LineDialect();
    const known = configuration.units?.known ?? [];
    for (const unit of known) router.add(unit);
    // With what is kept for peers it may be large: not to be held as long as what follows, which is to the end.
    let stored: StoredState | undefined = await store.load();
    await router.restore(stored);

    const hub = configuration.hub && (await loadHub(configuration.hub, { clock, random, log }));
    const hubAddress =
      hub &&
      (await begin(
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
    const dialects = new DialectHost({ router, command, clock, random, log });
    const uplinks = await uplinksOf(configuration);
    const orphans = await engine.buryOrphans(uplinks.flatMap(({ queues }) => queues));
    if (orphans > 0)
      log.warn(
        { orphans },
        'what waited for receivers that are not configured any more is kept for 7 days, and not sent',
      );
    const queue = (name: string) => engine.queue(name);
    for (const uplink of uplinks) {
      const context = { bus, outboxes, queue, clock, random, command, log: log.child({ uplink: uplink.name }) };
      await begin(
        uplink.name,
        () => uplink.start(context),
        () => uplink.stop(),
        // The last outcomes may go through our own.
        uplink.name === 'pusher' ? { needs: 'hub' } : {},
      );
    }

    const { http, name } = configuration;
    const { token, version } = options;
    const units = {
      list: () => router.list(),
      uids: () => router.uids(),
      get: (unit: string) => router.get(unit),
      definitionOf: (unit: string) => router.definitionOf(unit),
      command,
      commandStatus: (unit: string, id: string) => router.commandStatus(unit, id),
      history: (query: HistoryQuery) => router.history(query),
      forget: (unit: string) => router.forget(unit),
    };
    const outbox = { list: () => uplinks.flatMap((uplink) => uplink.outboxes) };
    const backup = (): Promise<string> => store.backup();
    const api =
      http && new Api({ listen: http.listen, token, units, outbox, backup, bus, clock, random, log, name, version });
    const served =
      api &&
      (await begin(
        'api',
        () => api.start(),
        () => api.stop(),
      ));

    await begin(
      'dialects',
      async () => {
        const crypto = nodeCrypto(random);
        const all = known.map(servedUnit);
        await dialects.start(
          line,
          all.filter(({ definition }) => definition.wire === 'line'),
        );
        await dialects.start(
          new UnitDialect({ crypto, listen: configuration.units?.listen }),
          all.filter(({ definition }) => definition.wire === 'session'),
        );
        if (configuration.iotsocket !== undefined) {
          const { IotsocketDialect } = await import('./dialects/iotsocket/iotsocket-dialect.js');
          await dialects.start(new IotsocketDialect(configuration.iotsocket, crypto), []);
        }
        router.resume(stored!);
        stored = undefined;
        serving.resolve();
      },
      // Every command gets its outcome, while there is still somebody to tell it to.
      async () => {
        router.stop();
        await dialects.stop();
        await router.settled();
      },
      { endsIn: 'first' },
    );
    return { apiUrl: served?.url, hub: hubAddress, router, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function servedUnit({ uid, definition, address, key, isLegacy }: KnownUnit): ServedUnit {
  return { uid, definition, address, key, isReading: isLegacy ? legacyReading : undefined };
}

/** Parts that are not configured are not loaded: on a Pi, all of them take a second. */
async function loadHub(
  { listen, apps }: HubConfiguration,
  parts: Pick<BaseOptions, 'clock' | 'random' | 'log'>,
): Promise<Hub> {
  const { Hub } = await import('./hub/hub.js');
  return new Hub({ ...listen, apps, ...parts });
}

async function uplinksOf(configuration: Configuration): Promise<Uplink[]> {
  const uplinks: Uplink[] = [];
  const { pusher, webhooks, legacy, units } = configuration;
  if (webhooks.length > 0 || legacy !== undefined) {
    const addresses = new Map(
      units?.known.filter(({ isLegacy }) => isLegacy).map((unit) => [unit.uid, unit.address?.host]),
    );
    uplinks.push(
      new WebhooksUplink({
        webhooks,
        legacy: legacy && { url: legacy.apiUrl, token: legacy.apiToken, addressOf: (unit) => addresses.get(unit) },
      }),
    );
  }
  if (pusher !== undefined) {
    const { PusherUplink } = await import('./uplinks/pusher/pusher-uplink.js');
    uplinks.push(new PusherUplink(pusher));
  }
  return uplinks;
}

/** The store's file and its backups, and how much it keeps. */
export function storageOf(
  { file, rawDays, rawPerUnit, minuteDays, hourDays, maxMiB }: StoreConfiguration,
  stateFolder: string,
): { readonly file: string; readonly backups: string; readonly retention: Retention } {
  const path = file ?? join(stateFolder, 'baseunit.db');
  const retention = { rawDays, rawPerUnit, minuteDays, hourDays, maxOctets: maxMiB * 1_024 * 1_024 };
  return { file: path, backups: join(dirname(path), 'backups'), retention };
}

/** The order in which parts end. */
const phases = ['first', 'middle', 'last'] as const;

interface Part {
  readonly name: string;
  readonly endsIn: (typeof phases)[number];
  /** It ends before that part does. */
  readonly needs: string | undefined;
  stop(): Promise<void>;
}

/**
 * First the units, so that what their last commands came to can be told; then the rest at the same time, since each may
 * wait 2 s for a peer; last the store. What one part throws, or does not end in time, keeps no other from ending.
 */
async function stopAll(parts: readonly Part[], clock: Clock, log: Log): Promise<void> {
  const late = deferred<void>();
  const timer = clock.after(STOP_MS, () => late.resolve());
  const stopped = new Map<string, Promise<void>>();
  const stop = (part: Part): Promise<void> => {
    const before = parts.filter(({ needs }) => needs === part.name).map(stop);
    const ending = stopped.get(part.name) ?? Promise.all(before).then(() => endPart(part, late.promise, log));
    stopped.set(part.name, ending);
    return ending;
  };
  for (const phase of phases) await Promise.all(parts.filter(({ endsIn }) => endsIn === phase).map(stop));
  timer.cancel();
}

async function endPart(part: Part, late: Promise<void>, log: Log): Promise<void> {
  const isLate = late.then(() => {
    throw new TimeoutError('stop-timeout', `it did not end within ${STOP_MS / 1_000} s`);
  });
  try {
    await Promise.race([part.stop(), isLate]);
  } catch (error) {
    log.error({ part: part.name, error: (error as Error).message }, 'a part did not stop cleanly');
  }
}
