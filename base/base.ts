import { InternalError, TimeoutError } from '../protocol/errors.js';
import { Api } from './api/api.js';
import type { Configuration, KnownUnit } from './config/configuration.js';
import { legacyReading } from './config/legacy-config.js';
import { messageKinds } from './core/bus.js';
import type { Clock } from './core/clock.js';
import type { CommandRequest } from './core/command-request.js';
import { deferred } from './core/deferred.js';
import type { Log } from './core/log.js';
import type { CoreMessage, Outcome } from './core/messages.js';
import type { Random } from './core/random.js';
import { Router } from './core/router.js';
import type { ServedUnit } from './dialects/dialect.js';
import { DialectHost } from './dialects/dialect-host.js';
import { LineDialect } from './dialects/line/line-dialect.js';
import { UnitDialect } from './dialects/unit/unit-dialect.js';
import { MemoryBus } from './engine/memory-bus.js';
import { Hub } from './hub/hub.js';
import { commandWithLegacyLamps } from './legacy-lamps.js';
import { nodeCrypto } from './system.js';
import { PusherUplink } from './uplinks/pusher/pusher-uplink.js';
import type { Uplink } from './uplinks/uplink.js';
import { WebhooksUplink } from './uplinks/webhooks/webhooks-uplink.js';

/** All parts together: who stops a base forces it after 5 s. */
const STOP_MS = 4_000;

export interface BaseOptions {
  readonly configuration: Configuration;
  /** Bearer token of the HTTP API. */
  readonly token: string;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Hears every core message, as a terminal does that shows them. */
  readonly hear?: (message: CoreMessage) => void;
  /** Aborts the start between any two steps; what was begun is ended. */
  readonly signal?: AbortSignal;
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
    needs?: string,
  ): Promise<T> => {
    if (options.signal?.aborted) throw new InternalError('stopped', 'stopped while starting');
    parts.push({ name, stop: end, needs });
    return start();
  };

  try {
    const bus = new MemoryBus(log);
    if (options.hear) for (const kind of messageKinds) bus.subscribe(kind, options.hear);
    const router = new Router({ bus, clock, random, log });
    const dialects = new DialectHost({ router, clock, random, log });
    const line = new LineDialect();
    const known = configuration.units?.known ?? [];
    for (const unit of known) router.add(unit);

    const hub =
      configuration.hub && new Hub({ ...configuration.hub.listen, apps: configuration.hub.apps, clock, random, log });
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
    for (const uplink of uplinksOf(configuration)) {
      const context = { bus, clock, random, command, log: log.child({ uplink: uplink.name }) };
      await begin(
        uplink.name,
        () => uplink.start(context),
        () => uplink.stop(),
        // The last outcomes may go through our own.
        uplink.name === 'pusher' ? 'hub' : undefined,
      );
    }

    const { http, name } = configuration;
    const { token, version } = options;
    const units = {
      list: () => router.list(),
      get: (unit: string) => router.get(unit),
      definitionOf: (unit: string) => router.definitionOf(unit),
      command,
    };
    const api = http && new Api({ listen: http.listen, token, units, bus, clock, random, log, name, version });
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
        serving.resolve();
      },
      // Every command gets its outcome, while there is still somebody to tell it to.
      async () => {
        router.stop();
        await dialects.stop();
      },
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

function uplinksOf(configuration: Configuration): Uplink[] {
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
  if (pusher !== undefined) uplinks.push(new PusherUplink(pusher));
  return uplinks;
}

interface Part {
  readonly name: string;
  /** It ends before that part does. */
  readonly needs: string | undefined;
  stop(): Promise<void>;
}

/**
 * First the units, so that what their last commands came to can be told; then the rest at the same time, since each may
 * wait 2 s for a peer. What one part throws, or does not end in time, keeps no other from ending.
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
  await Promise.all(parts.filter(({ name }) => name === 'dialects').map(stop));
  await Promise.all(parts.map(stop));
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
