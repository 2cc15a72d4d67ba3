import { isSerial, type UnitAddress } from '../core/address.js';
import type { Clock } from '../core/clock.js';
import type { Carrier } from './carrier.js';
import { SerialDialer } from './serial/serial-dialer.js';
import { type DialOptions, TcpDialer } from './tcp-dialer.js';

/** Opens what leads to a unit: a TCP connection, or a serial port. */
export class UnitDialer {
  readonly #tcp: TcpDialer;
  readonly #serial: SerialDialer;

  constructor(clock: Clock) {
    this.#tcp = new TcpDialer(clock);
    this.#serial = new SerialDialer(clock);
  }

  /** Rejects with LinkError `connect-failed`, `connect-timeout` or (serial ports only) `serial-busy`, or with the signal's reason. */
  dial(address: UnitAddress, signal: AbortSignal, options: DialOptions = {}): Promise<Carrier> {
    return isSerial(address) ? this.#serial.dial(address, signal, options) : this.#tcp.dial(address, signal, options);
  }
}
