import { macOf } from '../../../protocol/elfin/mac.js';
import { peerText } from '../../core/log.js';
import { TroubleLog } from '../../core/trouble-log.js';
import type { DeliverTo } from '../../core/unit-events.js';
import type { HandlerContext } from '../handler.js';
import { Device, type DeviceRecord } from './device.js';
import { type DeviceLife, deviceKey } from './device-life.js';
import type { ElfinLimits } from './elfin-limits.js';
import type { ElfinSession } from './elfin-session.js';

/** A disk that did not erase a device is asked again. */
const ERASE_AGAIN_MS = 30_000;

type Context = Pick<
  HandlerContext,
  'addUnit' | 'removeUnit' | 'connected' | 'onForgotten' | 'records' | 'clock' | 'log' | 'count'
>;

export interface DevicesOptions {
  readonly context: Context;
  readonly limits: ElfinLimits;
  readonly life: DeviceLife;
  /** Whether there is such a user: devices of others are forgotten. */
  readonly isUser: (uuid: string) => boolean;
  /** A device of a user with a secret cannot be taken by another. */
  readonly hasSecret: (uuid: string) => boolean;
}

/** What a beat says, or data that counts as one. */
export interface Beat {
  readonly user: string;
  /** One that `macOf` understands. */
  readonly mac: string;
  readonly host: string;
}

/** All devices, those that are away too: whose they are, and where. */
export class Devices {
  readonly #options: DevicesOptions;
  readonly #trouble: TroubleLog;
  readonly #devices = new Map<string, Device>();
  readonly #ofUser = new Map<string, Set<Device>>();

  constructor(options: DevicesOptions) {
    this.#options = options;
    this.#trouble = new TroubleLog(options.context.log);
  }

  /** Those of earlier runs are units again, and away. */
  start(): void {
    const { context, limits, isUser } = this.#options;
    const { records, clock } = context;
    const [now, monotonic] = [clock.now(), clock.monotonic()];
    const stored: { readonly uid: string; readonly record: DeviceRecord }[] = [];
    for (const { key, unit = '', value } of records.all()) {
      if (key !== deviceKey(unit)) continue;
      const record = recordOf(value);
      if (macOf(unit) !== unit || record === undefined || !isUser(record.user)) this.#erase(unit);
      else stored.push({ uid: unit, record });
    }
    const isKept = seenLast(stored, limits.devices);
    for (const { uid, record } of stored) {
      // There were more with the limits of an earlier run: their records would take the room of others.
      if (!isKept(uid)) this.#erase(uid);
      else if (context.addUnit({ uid }, deliver)) {
        // A time that is still to come says nothing.
        const heardAt = record.at <= now ? monotonic - (now - record.at) : Number.NEGATIVE_INFINITY;
        this.#enter(new Device(uid, record, heardAt, limits.onlineMs));
      }
    }
    context.onForgotten((uid) => this.#forgotten(uid));
  }

  get size(): number {
    return this.#devices.size;
  }

  all(): Iterable<Device> {
    return this.#devices.values();
  }

  /** In the order in which they came. */
  of(user: string): ReadonlySet<Device> {
    return this.#ofUser.get(user) ?? none;
  }

  /** By its MAC, however that is spelt. */
  find(mac: string): Device | undefined {
    return this.#devices.get(macOf(mac)!);
  }

  /** A device says that it is on this connection. `undefined`: it is another user's, or its unit another handler's. */
  beat(session: ElfinSession, { user, mac, host }: Beat): Device | undefined {
    const { limits, life } = this.#options;
    const known = this.find(mac);
    const device = known === undefined ? this.#add(macOf(mac)!, { user, mac, host, at: 0 }) : this.#moved(known, user);
    if (device === undefined) return undefined;
    device.mac = mac;
    device.host = host.slice(0, limits.hostCharacters);
    session.device = device;
    if (device.session !== session) this.#attach(device, session);
    life.heard(device);
    return device;
  }

  /** The connection is gone: none of its devices can be reached. */
  left(session: ElfinSession, reason: string): void {
    for (const device of session.devices ?? []) this.#detach(device, reason);
  }

  /** What was said without the new secret is void. */
  detachOf(user: string, reason: string): void {
    for (const device of this.of(user)) this.#detach(device, reason);
  }

  /** Resolves when none of the user's devices is on disk. Rejects with StoreError. */
  async removeOf(user: string): Promise<void> {
    const devices = [...this.of(user)];
    for (const device of devices) this.#remove(device, 'its user was removed');
    await Promise.all(devices.map(({ uid }) => this.#options.context.records.erase(deviceKey(uid))));
  }

  #add(uid: string, record: DeviceRecord): Device | undefined {
    const { context, limits } = this.#options;
    if (!context.addUnit({ uid }, deliver)) {
      context.count('refused-units');
      return undefined;
    }
    const device = new Device(uid, record, Number.NEGATIVE_INFINITY, limits.onlineMs);
    const [own, max] = [this.of(record.user), limits.devicesPerUser];
    if (own.size >= max) this.#forgetUnseenLongest(own, `its user has more than ${max} devices`);
    if (this.#devices.size >= limits.devices)
      this.#forgetUnseenLongest(this.#yielding(), `more than ${limits.devices} devices are known`);
    this.#enter(device);
    return device;
  }

  /** It belongs to that user now; `undefined`: it does not. */
  #moved(device: Device, user: string): Device | undefined {
    if (device.user === user) return device;
    const { context, limits, hasSecret } = this.#options;
    if (hasSecret(device.user)) {
      context.count('refused-takeovers');
      this.#trouble.warn(
        'takeover',
        { unit: device.uid },
        'a beat for another user than its own was refused: that one has a secret',
      );
      return undefined;
    }
    const [own, max] = [this.of(user), limits.devicesPerUser];
    if (own.size >= max) this.#forgetUnseenLongest(own, `its user has more than ${max} devices`);
    this.#leave(device);
    device.user = user;
    this.#enter(device);
    return device;
  }

  #attach(device: Device, session: ElfinSession): void {
    const { context, life } = this.#options;
    const { carrier } = session;
    this.#release(device);
    device.session = session;
    session.devices ??= new Set();
    session.devices.add(device);
    device.connection = context.connected({
      unit: device.uid,
      remoteAddress: carrier.remote,
      ...(device.host === '' ? {} : { name: device.host }),
      source: carrier,
    });
    life.tell(device);
  }

  #detach(device: Device, reason: string): void {
    this.#release(device);
    this.#options.life.away(device, reason);
  }

  /** Its connection, if it has one, speaks for it no more. */
  #release(device: Device): void {
    const { session, connection } = device;
    session?.devices?.delete(device);
    if (session?.device === device) session.device = undefined;
    device.tellTraffic();
    connection?.closed();
    device.session = undefined;
    device.connection = undefined;
  }

  #enter(device: Device): void {
    const own = this.#ofUser.get(device.user);
    this.#devices.set(device.uid, device);
    if (own === undefined) this.#ofUser.set(device.user, new Set([device]));
    else own.add(device);
  }

  #leave(device: Device): void {
    const own = this.#ofUser.get(device.user);
    own?.delete(device);
    if (own?.size === 0) this.#ofUser.delete(device.user);
  }

  #remove(device: Device, reason: string): void {
    this.#devices.delete(device.uid);
    this.#leave(device);
    this.#detach(device, reason);
    this.#options.life.removed(device);
    this.#options.context.removeUnit(device.uid, reason);
  }

  /** Those that may have to go for another user's: of users without a secret, whom anybody may be, while there are some. */
  #yielding(): Iterable<Device> {
    const { hasSecret } = this.#options;
    const open = [...this.#ofUser].filter(([user]) => !hasSecret(user));
    return open.length === 0 ? this.#devices.values() : open.flatMap(([, own]) => [...own]);
  }

  #forgetUnseenLongest(devices: Iterable<Device>, why: string): void {
    let oldest: Device | undefined;
    for (const device of devices) if (oldest === undefined || device.lastSeenAt < oldest.lastSeenAt) oldest = device;
    if (oldest === undefined) return;
    this.#options.context.count('forgotten-devices');
    this.#trouble.warn('forgotten', { unit: oldest.uid }, `a device was forgotten: ${why}, and it was unseen longest`);
    this.#remove(oldest, `${why}, and it was unseen longest`);
    this.#erase(oldest.uid);
  }

  /** Somebody has everything about the unit erased. One that is here comes again, with what it says next. */
  #forgotten(uid: string): void {
    const device = this.#devices.get(uid);
    if (device === undefined) return;
    device.writtenAt = Number.NEGATIVE_INFINITY;
    device.isUnwritten = false;
    if (device.session === undefined) this.#remove(device, 'it was forgotten');
  }

  #erase(uid: string): void {
    const { records, count, clock } = this.#options.context;
    records.erase(deviceKey(uid)).catch((error: Error) => {
      count('device-unerased');
      this.#trouble.warn(
        'erase',
        { error: peerText(error.message) },
        'a device that is not known any more is still stored',
      );
      // As long as it is there, it takes the room of another's.
      clock.after(ERASE_AGAIN_MS, () => {
        if (!this.#devices.has(uid)) this.#erase(uid);
      });
    });
  }
}

const none: ReadonlySet<Device> = new Set();

/** An adapter has no commands: what is said to it goes through a tunnel. */
const deliver: DeliverTo = async () => ({
  outcome: 'refused',
  reason: 'an Elfin device takes no commands: data goes to it through a tunnel',
});

/** Which of them are the `max` that were seen last. */
function seenLast(
  stored: readonly { readonly uid: string; readonly record: DeviceRecord }[],
  max: number,
): (uid: string) => boolean {
  if (stored.length <= max) return () => true;
  const latest = stored.toSorted((a, b) => b.record.at - a.record.at).slice(0, max);
  const uids = new Set(latest.map(({ uid }) => uid));
  return (uid) => uids.has(uid);
}

/** `undefined`: it was never stored so. */
function recordOf(value: unknown): DeviceRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { user, mac, host, at } = value as { readonly [Key in keyof DeviceRecord]?: unknown };
  const isRecord =
    typeof user === 'string' && typeof mac === 'string' && typeof host === 'string' && Number.isSafeInteger(at);
  return isRecord ? ({ user, mac, host, at } as DeviceRecord) : undefined;
}
