import { accessSync, constants, lstatSync, statSync } from 'node:fs';
import { isSerial, type SerialAddress, type Whereabouts } from '../../core/address.js';
import type { Clock, Timer } from '../../core/clock.js';

/**
 * So often it is looked whether a port is there. Looked at, not watched: the folder `/dev/serial/by-id` itself comes and goes
 * with the boards, and a watch of `/dev` wakes at writes to any device of the machine.
 */
export const LOOK_EVERY_MS = 1_000;

export interface PortWatchOptions {
  /** Serial ports of units, by UID. */
  readonly ports: ReadonlyMap<string, SerialAddress>;
  /** The port was plugged in, or may be used only now: whoever wants it can open it. */
  readonly appeared: (uid: string, address: SerialAddress) => void;
  readonly clock: Clock;
}

/** The serial ports that the configuration names, by UID. */
export function serialPortsOf(
  units: readonly { readonly uid: string; readonly address?: Whereabouts | undefined }[],
): ReadonlyMap<string, SerialAddress> {
  return new Map(
    units.flatMap(({ uid, address }): [string, SerialAddress][] =>
      address !== undefined && isSerial(address) ? [[uid, address]] : [],
    ),
  );
}

/** Tells when the serial ports of configured units appear, so that nobody waits for them. `start` once. */
export class PortWatch {
  readonly #options: PortWatchOptions;
  /** What is at each unit's port; `undefined`: nothing that may be used. */
  readonly #seen = new Map<string, string | undefined>();
  #timer: Timer | undefined;

  constructor(options: PortWatchOptions) {
    this.#options = options;
  }

  /** What is plugged in already is not told. */
  start(): void {
    for (const [uid, { serial }] of this.#options.ports) this.#seen.set(uid, deviceAt(serial));
    this.#again();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #again(): void {
    this.#timer = this.#options.clock.after(LOOK_EVERY_MS, () => {
      this.#again();
      this.#look();
    });
  }

  #look(): void {
    for (const [uid, address] of this.#options.ports) {
      const device = deviceAt(address.serial);
      const before = this.#seen.get(uid);
      this.#seen.set(uid, device);
      if (device !== undefined && device !== before) this.#options.appeared(uid, address);
    }
  }
}

/**
 * Which device is there: another one each time it is plugged in. A few µs, from memory. `undefined` while it may not be used:
 * udev gives a new port to its group only after it has made it.
 */
function deviceAt(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    const [link, device] = [lstatSync(path), statSync(path)];
    return [link.ino, link.ctimeMs, device.rdev, device.ino].join(' ');
  } catch {
    return undefined;
  }
}
