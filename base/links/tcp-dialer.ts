import { connect } from 'node:net';
import { LinkError } from '../../protocol/errors.js';
import { type Address, addressText } from '../core/address.js';
import type { Clock } from '../core/clock.js';
import type { Carrier } from './carrier.js';
import { TcpCarrier } from './tcp-carrier.js';

/** A connect that takes longer has failed: an unplugged unit answers nothing (reference/limits.md, "Unit connect"). */
export const CONNECT_TIMEOUT_MS = 5_000;
/** Connects under way at once over the whole base. */
export const MAX_CONNECTING = 32;
/** Of these, dials that no command waits for: a house full of unplugged read units leaves room for a lamp. */
export const MAX_BACKGROUND = 24;

export interface DialOptions {
  /** Nobody waits for it: a read unit is dialled again. Default false. */
  readonly isBackground?: boolean;
  /** Over a serial port without frames: a line unit. Default false. */
  readonly isRaw?: boolean;
}

/** Opens TCP connections: each bounded in time, all of them in number. */
export class TcpDialer {
  readonly #clock: Clock;
  #connecting = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #background: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Rejects with LinkError `connect-failed` or `connect-timeout`, or with the signal's reason. */
  async dial(address: Address, signal: AbortSignal, { isBackground = false }: DialOptions = {}): Promise<Carrier> {
    signal.throwIfAborted();
    await this.#turn(signal, isBackground);
    try {
      signal.throwIfAborted();
      return await this.#connect(address, signal);
    } finally {
      this.#connecting -= 1;
      this.#letNext();
    }
  }

  #letNext(): void {
    const next = this.#waiting.shift() ?? (this.#connecting < MAX_BACKGROUND ? this.#background.shift() : undefined);
    if (next === undefined) return;
    this.#connecting += 1;
    next();
  }

  /** Resolves when one more may connect; whoever gives up leaves the row. */
  async #turn(signal: AbortSignal, isBackground: boolean): Promise<void> {
    const row = isBackground ? this.#background : this.#waiting;
    if (this.#connecting < (isBackground ? MAX_BACKGROUND : MAX_CONNECTING)) {
      this.#connecting += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const go = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        row.splice(row.indexOf(go), 1);
        reject(signal.reason);
      };
      row.push(go);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  #connect(address: Address, signal: AbortSignal): Promise<Carrier> {
    const remote = addressText(address);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: address.host, port: address.port, allowHalfOpen: true });
      const settle = (act: () => void): void => {
        timer.cancel();
        signal.removeEventListener('abort', abort);
        socket.removeListener('error', fail);
        act();
      };
      const give = (error: unknown): void =>
        settle(() => {
          socket.on('error', () => {});
          socket.destroy();
          reject(error);
        });
      const fail = (error: NodeJS.ErrnoException): void =>
        give(
          new LinkError('connect-failed', `${remote} cannot be reached: ${error.code ?? error.message}`, {
            cause: error,
          }),
        );
      const abort = (): void => give(signal.reason);
      const timer = this.#clock.after(CONNECT_TIMEOUT_MS, () =>
        give(new LinkError('connect-timeout', `${remote} did not answer within ${CONNECT_TIMEOUT_MS / 1_000} s`)),
      );
      signal.addEventListener('abort', abort, { once: true });
      socket.once('error', fail);
      socket.once('connect', () => settle(() => resolve(new TcpCarrier(socket, remote))));
    });
  }
}
