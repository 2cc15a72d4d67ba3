import type { EventEmitter } from 'node:events';
import { LinkError } from '../../protocol/errors.js';
import type { ClientClock } from './client-clock.js';

export interface ConnectOptions {
  readonly clock: ClientClock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A connection that has begun. */
interface Begun<T> {
  readonly socket: EventEmitter;
  readonly remote: string;
  readonly openEvent: 'connect' | 'secureConnect' | 'open';
  destroy(): void;
  /** It is open: what it is used as. */
  opened(): T;
}

/** Waits for a connection. Rejects with LinkError `connect-failed` or `connect-timeout`, or with the signal's reason. */
export function connecting<T>({ clock, timeoutMs, signal }: ConnectOptions, begin: () => Begun<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const { socket, remote, openEvent, destroy, opened } = begin();
    const settle = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', abort);
      socket.removeListener('error', fail);
    };
    const giveUp = (error: unknown): void => {
      settle();
      socket.on('error', () => {});
      destroy();
      reject(error);
    };
    const fail = (error: NodeJS.ErrnoException): void => giveUp(connectFailed(remote, error));
    const abort = (): void => giveUp(signal.reason);
    const timer = clock.after(timeoutMs, () => giveUp(connectTimeout(remote, timeoutMs)));
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', fail);
    socket.once(openEvent, () => {
      settle();
      resolve(opened());
    });
  });
}

/** As people write it: `192.168.1.20:1884`, `[::1]:1884`. */
export const placeText = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

const connectFailed = (remote: string, cause: NodeJS.ErrnoException): LinkError =>
  new LinkError('connect-failed', `${remote} cannot be reached: ${cause.code ?? cause.message}`, { cause });
const connectTimeout = (remote: string, timeoutMs: number): LinkError =>
  new LinkError('connect-timeout', `${remote} did not answer within ${timeoutMs / 1_000} s`);
