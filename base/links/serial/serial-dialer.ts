import { realpathSync } from 'node:fs';
import { LinkError } from '../../../protocol/errors.js';
import { addressText, type SerialAddress } from '../../core/address.js';
import type { Clock } from '../../core/clock.js';
import type { Carrier } from '../carrier.js';
import { FramedCarrier } from './framed-carrier.js';
import { RawCarrier } from './raw-carrier.js';
import { openSerialPort, type SerialPort } from './serial-port.js';

/** Opening takes some ms; one that takes longer hangs in the driver. */
export const OPEN_TIMEOUT_MS = 5_000;

/** Opens serial ports: each once at a time, each bounded in time. */
export class SerialDialer {
  readonly #clock: Clock;
  readonly #open: (address: SerialAddress) => Promise<SerialPort>;
  /** By the port's true path: for which address it is open. */
  readonly #taken = new Map<string, string>();

  constructor(clock: Clock, open = (address: SerialAddress) => openSerialPort(address, clock)) {
    this.#clock = clock;
    this.#open = open;
  }

  /**
   * `isRaw`: without frames. Rejects with LinkError `connect-failed`, `connect-timeout`, or `serial-busy` when somebody else
   * has the port, or with the signal's reason.
   */
  async dial(address: SerialAddress, signal: AbortSignal, { isRaw = false } = {}): Promise<Carrier> {
    signal.throwIfAborted();
    const remote = addressText(address);
    const path = truePath(address.serial);
    const holder = this.#taken.get(path);
    if (holder !== undefined) throw new LinkError('serial-busy', takenText(address.serial, holder));
    this.#taken.set(path, remote);
    const closed = (): void => void this.#taken.delete(path);
    const opening = this.#open(address);
    try {
      const port = await this.#inTime(opening, address, signal);
      return isRaw ? new RawCarrier({ port, remote, closed }) : new FramedCarrier({ port, remote, closed });
    } catch (error) {
      // One that opens too late is closed again, and only then free.
      void opening
        .then((port) => port.close())
        .catch(() => {})
        .then(closed);
      throw error;
    }
  }

  /** As `opening` does, or rejects before it. */
  #inTime(opening: Promise<SerialPort>, { serial }: SerialAddress, signal: AbortSignal): Promise<SerialPort> {
    return new Promise<SerialPort>((resolve, reject) => {
      const settle = (act: () => void): void => {
        timer.cancel();
        signal.removeEventListener('abort', abort);
        act();
      };
      const abort = (): void => settle(() => reject(signal.reason));
      const late = new LinkError('connect-timeout', `${serial} did not open within ${OPEN_TIMEOUT_MS / 1_000} s`);
      const timer = this.#clock.after(OPEN_TIMEOUT_MS, () => settle(() => reject(late)));
      signal.addEventListener('abort', abort, { once: true });
      opening.then(
        (port) => settle(() => resolve(port)),
        (error: Error) => settle(() => reject(error)),
      );
    });
  }
}

const takenText = (serial: string, holder: string): string =>
  `${serial} is open already, in this base, for the unit at ${holder}: two units cannot share a port; where one alone is configured, the driver hangs: unplug the board, and plug it in again`;

/** A port may be known by several names, as `/dev/serial/by-id/…`. */
function truePath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
