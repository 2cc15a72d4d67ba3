import type { Configuration } from './config/configuration.js';
import { networkAddress } from './core/address.js';
import type { Clock } from './core/clock.js';
import type { CommandRequest } from './core/command-request.js';
import type { Log } from './core/log.js';
import type { Outcome } from './core/messages.js';
import type { Outboxes } from './core/outboxes.js';
import type { Random } from './core/random.js';
import type { EmbeddedEngine } from './engine/embedded/embedded-engine.js';
import type { Parts } from './parts.js';
import type { ShutdownTimes } from './shutdown-times.js';
import type { Uplink } from './uplinks/uplink.js';

/** Ways to centrals that a configuration names. What it does not name is not loaded: on a Pi, all of it takes a second. */
export async function uplinksOf({ pusher, webhooks, legacy, units }: Configuration): Promise<Uplink[]> {
  const uplinks: Uplink[] = [];
  if (webhooks.length > 0 || legacy !== undefined) {
    const addresses = new Map(
      units?.known.filter(({ isLegacy }) => isLegacy).map((unit) => [unit.uid, networkAddress(unit.address)?.host]),
    );
    const { WebhooksUplink } = await import('./uplinks/webhooks/webhooks-uplink.js');
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

export interface UplinkParts {
  readonly parts: Parts;
  readonly times: ShutdownTimes;
  readonly engine: EmbeddedEngine;
  readonly outboxes: Outboxes;
  readonly command: (request: CommandRequest) => Promise<Outcome>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Starts them, each as a part. What waits for receivers that are not configured any more is set aside before. */
export async function startUplinks(uplinks: readonly Uplink[], given: UplinkParts): Promise<void> {
  const { parts, times, engine, log, ...common } = given;
  const orphans = await engine.buryOrphans(uplinks.flatMap(({ queues }) => queues));
  if (orphans > 0)
    log.warn(
      { orphans },
      'what waited for receivers that are not configured any more is kept for 7 days, and not sent',
    );
  for (const uplink of uplinks) {
    const isOfHub = uplink.name === 'pusher';
    const context = {
      ...common,
      bus: engine.bus,
      queue: (name: string) => engine.queue(name),
      stopGraceMs: isOfHub ? times.hubGraceMs : times.graceMs,
      log: log.child({ uplink: uplink.name }),
    };
    await parts.begin(
      uplink.name,
      () => uplink.start(context),
      () => uplink.stop(),
      // The last outcomes may go through our own.
      isOfHub ? { needs: 'hub' } : {},
    );
  }
}
