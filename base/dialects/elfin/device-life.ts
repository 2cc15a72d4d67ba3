import { TroubleLog } from '../../core/trouble-log.js';
import type { HandlerContext } from '../handler.js';
import type { Device } from './device.js';
import type { ElfinLimits } from './elfin-limits.js';
import { tunnelsText } from './tunnel.js';

/** How often silence, traffic and unwritten lives are looked at, while there are some. One timer for all devices. */
const LOOK_EVERY_MS = 1_000;
/** The unit's `lastSeenAt` is exact to this: data comes a thousand times a second. */
const TOLD_EVERY_MS = 1_000;

export const deviceKey = (uid: string): string => `device:${uid}`;

type Context = Pick<HandlerContext, 'presence' | 'seen' | 'records' | 'clock' | 'log' | 'count'>;

/**
 * Whether devices live: their presence, and what is written of that: one record of a device at most every 30 s
 * (`recordEveryMs`), and once more behind the last sign of it. Nothing is written for a message.
 */
export class DeviceLife {
  readonly #context: Context;
  readonly #limits: Pick<ElfinLimits, 'onlineMs' | 'recordEveryMs'>;
  readonly #trouble: TroubleLog;
  /** Those that are online, or have lived since they were written. */
  readonly #watched = new Set<Device>();
  #timer: { cancel(): void } | undefined;

  constructor(context: Context, limits: Pick<ElfinLimits, 'onlineMs' | 'recordEveryMs'>) {
    this.#context = context;
    this.#limits = limits;
    this.#trouble = new TroubleLog(context.log);
  }

  /** A sign of life. Cheap: every message of a tunnel may be one. */
  heard(device: Device): void {
    const { clock } = this.#context;
    const now = clock.monotonic();
    device.heardAt = now;
    if (device.isUnwritten && device.isToldOnline && now - device.seenAt < TOLD_EVERY_MS) return;
    device.seenAt = now;
    device.lastSeenAt = clock.now();
    device.isUnwritten = true;
    if (device.isToldOnline) this.#context.seen(device.uid);
    else {
      device.isToldOnline = true;
      this.tell(device);
    }
    if (now - device.writtenAt >= this.#limits.recordEveryMs) void this.#write(device, now);
    this.#watch(device);
  }

  /** A message came of it, or went to it. Cheap, too: they are told together. */
  counted(device: Device, received: 0 | 1, sent: 0 | 1): void {
    if (device.received === 0 && device.sent === 0) this.#watch(device);
    device.received += received;
    device.sent += sent;
  }

  /** Its tunnels have changed, or its connection. */
  tell(device: Device): void {
    if (!device.isToldOnline) return;
    const reason = tunnelsText(device);
    this.#context.presence(device.uid, { state: 'online', ...(reason === undefined ? {} : { reason }) });
  }

  /** It cannot be reached any more, or is silent. */
  away(device: Device, reason: string): void {
    if (!device.isToldOnline) return;
    device.isToldOnline = false;
    this.#context.presence(device.uid, { state: 'offline', reason });
  }

  /** It is not known any more: nothing of it may be written. */
  removed(device: Device): void {
    device.isRemoved = true;
    this.#watched.delete(device);
  }

  /** Writes what is not written yet. Resolves when that is on disk, or the disk does not take it. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    const now = this.#context.clock.monotonic();
    for (const device of this.#watched) this.#seenLast(device, now);
    await Promise.all([...this.#watched].filter((each) => each.isUnwritten).map((each) => this.#write(each, now)));
  }

  #watch(device: Device): void {
    if (device.isRemoved) return;
    this.#watched.add(device);
    this.#timer ??= this.#context.clock.after(LOOK_EVERY_MS, () => this.#look());
  }

  #look(): void {
    this.#timer = undefined;
    const { onlineMs, recordEveryMs } = this.#limits;
    const now = this.#context.clock.monotonic();
    for (const device of this.#watched) {
      this.#seenLast(device, now);
      device.tellTraffic();
      if (device.isToldOnline && !device.isOnline(now)) this.away(device, `not heard of for ${onlineMs / 1_000} s`);
      if (device.isUnwritten && now - device.writtenAt >= recordEveryMs) void this.#write(device, now);
      if (!device.isToldOnline && !device.isUnwritten) this.#watched.delete(device);
    }
    if (this.#watched.size > 0) this.#timer = this.#context.clock.after(LOOK_EVERY_MS, () => this.#look());
  }

  /** What came within a second of what was told before. */
  #seenLast(device: Device, now: number): void {
    if (device.heardAt > device.seenAt)
      device.lastSeenAt = this.#context.clock.now() - Math.round(now - device.heardAt);
  }

  /** Never rejects. */
  async #write(device: Device, now: number): Promise<void> {
    device.isUnwritten = false;
    device.writtenAt = now;
    try {
      await this.#context.records.put({ key: deviceKey(device.uid), unit: device.uid, value: device.record });
      this.#trouble.forget('write');
    } catch (error) {
      // Tried again, also of one that has gone away meanwhile.
      device.isUnwritten = true;
      this.#watch(device);
      this.#context.count('device-unwritten');
      this.#trouble.warn('write', { error: (error as Error).message }, 'when a device was last seen is not stored');
    }
  }
}
