import { networkInterfaces } from 'node:os';
import { InternalError } from '../protocol/errors.js';
import { Api } from './api/api.js';
import type { Configuration, KnownUnit } from './config/configuration.js';
import { isOnLink, legacyReading, legacyUpdatableUnit } from './config/legacy-config.js';
import { messageKinds } from './core/bus.js';
import type { Clock } from './core/clock.js';
import type { CommandRequest } from './core/command-request.js';
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
import { nodeCrypto } from './system.js';
import { PusherUplink } from './uplinks/pusher/pusher-uplink.js';
import type { Uplink } from './uplinks/uplink.js';
import { WebhooksUplink } from './uplinks/webhooks/webhooks-uplink.js';

/** Lamps that an original's dashboard may name beside the configured units; their number is bounded like everything else. */
export const MAX_LEGACY_UPDATABLE = 256;

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

/** A base that runs. `stop` may be called twice; it ends everything that the start began, in reverse order. */
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
  const parts: { readonly name: string; stop(): Promise<void> }[] = [];
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= stopAll(parts, log);
    return stopping;
  };
  const begin = async <T>(name: string, start: () => Promise<T>, end: () => Promise<void>): Promise<T> => {
    if (options.signal?.aborted) throw new InternalError('stopped', 'stopped while starting');
    parts.push({ name, stop: end });
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

    const command = commandWithLegacyLamps(configuration, router, line);
    for (const uplink of uplinksOf(configuration)) {
      const context = { bus, clock, random, command, log: log.child({ uplink: uplink.name }) };
      await begin(
        uplink.name,
        () => uplink.start(context),
        () => uplink.stop(),
      );
    }

    await begin(
      'dialects',
      async () => {
        const crypto = nodeCrypto(random);
        const served = known.map(servedUnit);
        await dialects.start(
          line,
          served.filter(({ definition }) => definition.wire === 'line'),
        );
        await dialects.start(
          new UnitDialect({ crypto, listen: configuration.units?.listen }),
          served.filter(({ definition }) => definition.wire === 'session'),
        );
      },
      async () => {
        router.stop();
        await dialects.stop();
      },
    );

    const { http, name } = configuration;
    const { token, version } = options;
    const api = http && new Api({ listen: http.listen, token, units: router, bus, clock, random, log, name, version });
    const served =
      api &&
      (await begin(
        'api',
        () => api.start(),
        () => api.stop(),
      ));
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

/**
 * The original's file names its read units only: its base dials whatever address a message names. Ours takes up a lamp that
 * such a message names when it is on a network this machine is attached to itself, and no other.
 */
function commandWithLegacyLamps(
  configuration: Configuration,
  router: Router,
  line: LineDialect,
): (request: CommandRequest) => Promise<Outcome> {
  if (configuration.legacy === undefined) return (request) => router.command(request);
  let taken = 0;
  return (request) => {
    const isStranger = request.line !== undefined && !router.knows(request);
    if (isStranger && taken < MAX_LEGACY_UPDATABLE && isOnLink(request.unit, networkInterfaces())) {
      const unit = {
        uid: request.unit,
        definition: legacyUpdatableUnit,
        address: { host: request.unit, port: 8888 },
        key: undefined,
      };
      taken += 1;
      router.add(unit);
      line.serve(unit);
    }
    return router.command(request);
  };
}

/** In reverse order; what one part throws keeps no other from ending. */
async function stopAll(parts: { readonly name: string; stop(): Promise<void> }[], log: Log): Promise<void> {
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    try {
      await part.stop();
    } catch (error) {
      log.error({ part: part.name, error: (error as Error).message }, 'a part did not stop cleanly');
    }
  }
}
