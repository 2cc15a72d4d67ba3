import { encodeDeviceList } from '../../../protocol/elfin/answers.js';
import type { Device } from './device.js';
import type { LocalDates } from './local-date.js';

/** From so many devices on a list is worth keeping: one of a thousand takes 4 ms to make, and has 130 KB. */
export const LONG_LIST = 32;
/** A long list is made at most so often: whoever asks meanwhile gets the same octets, however many they are. */
export const LIST_EVERY_MS = 250;

const encoder = new TextEncoder();

interface Made {
  readonly octets: Uint8Array;
  /** Monotonic. */
  readonly at: number;
}

/** What `query` is answered. */
export class DeviceLists {
  readonly #dates: LocalDates;
  readonly #long = new WeakMap<ReadonlySet<Device>, Made>();

  constructor(dates: LocalDates) {
    this.#dates = dates;
  }

  /** The devices of one user, in the order in which they came. `nowMs` is monotonic. The octets are not to be changed. */
  of(devices: ReadonlySet<Device>, nowMs: number): Uint8Array {
    const made = this.#long.get(devices);
    if (made !== undefined && nowMs - made.at < LIST_EVERY_MS) return made.octets;
    const octets = encoder.encode(this.#text(devices, nowMs));
    if (devices.size >= LONG_LIST) this.#long.set(devices, { octets, at: nowMs });
    return octets;
  }

  #text(devices: ReadonlySet<Device>, nowMs: number): string {
    return encodeDeviceList(
      Array.from(devices, (device) => ({
        hostname: device.host,
        macaddress: device.mac,
        lastseendate: this.#dates.text(device.lastSeenAt),
        status: device.isOnline(nowMs) ? 'online' : 'offline',
      })),
    );
  }
}
