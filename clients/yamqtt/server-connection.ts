import type { Socket } from 'node:net';
import { LinkError, ProtocolError } from '../../protocol/errors.js';
import { decodeMessage, encodeMessage } from '../../protocol/yamqtt/message.js';
import { MessageReader } from '../../protocol/yamqtt/message-reader.js';
import { type Action, MESSAGE_OCTETS, NO_FLOW } from '../../protocol/yamqtt/records.js';
import { textOf } from '../../protocol/yamqtt/text.js';
import type { FlowMessage } from './client-event.js';

/** Octets that the server has not taken; past it nothing more is published. */
export const MAX_UNSENT_OCTETS = 1024 * 1024;

export interface ServerConnectionOptions {
  readonly socket: Socket;
  readonly remote: string;
  readonly message: (message: FlowMessage) => void;
  /** The server says that something went wrong. */
  readonly error: (text: string) => void;
  readonly misunderstood: (error: Error) => void;
}

const noData = new Uint8Array(0);

/** One connection to a server, from when it is open. */
export class ServerConnection {
  /** Resolves when it is over, with what went wrong. */
  readonly closed: Promise<LinkError | undefined>;
  readonly #options: ServerConnectionOptions;
  /** Publishers that wait until the server has taken more. */
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  /** We said goodbye: its end is no trouble. */
  #isLeaving = false;

  constructor(options: ServerConnectionOptions) {
    const { socket, remote } = options;
    this.#options = options;
    const reader = new MessageReader((octets, start, end) => this.#received(octets, start, end));
    socket.on('data', ({ buffer, byteOffset, length }: Buffer) =>
      // Plain octets: a Buffer's `slice` would be a view.
      reader.push(new Uint8Array(buffer, byteOffset, length)),
    );
    socket.on('drain', () => this.#settle(({ resolve }) => resolve()));
    let cause: Error | undefined;
    socket.on('error', (error) => {
      cause ??= error;
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        if (this.#isLeaving && cause === undefined) {
          // Once it is ending the socket says no more that it has drained.
          this.#settle((waiting) => waiting.resolve());
          resolve(undefined);
          return;
        }
        const error = new LinkError('link-lost', `${remote}: ${cause?.message ?? 'the server closed the connection'}`, {
          cause,
        });
        this.#settle(({ reject }) => reject(error));
        resolve(error);
      });
    });
  }

  /** For what is small and seldom. */
  ask(action: Extract<Action, 'subscribe' | 'unsubscribe'>, flow: number): void {
    const { socket } = this.#options;
    if (socket.writable) socket.write(encodeMessage(action, flow, noData));
  }

  /** Resolves when more can be published. Rejects with LinkError `link-lost` or `link-stalled`. */
  publish(flow: number, data: Uint8Array): Promise<void> {
    const { socket, remote } = this.#options;
    if (!socket.writable) return Promise.reject(new LinkError('link-lost', `${remote}: the connection is over`));
    if (socket.writableLength + MESSAGE_OCTETS > MAX_UNSENT_OCTETS)
      return Promise.reject(
        new LinkError(
          'link-stalled',
          `${remote} has not taken ${socket.writableLength} octets; await what publish gives`,
        ),
      );
    if (socket.write(encodeMessage('publish', flow, data))) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Says goodbye behind everything that was published; the server ends the connection then. May be called twice. */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#options.socket.end(encodeMessage('disconnect', NO_FLOW, noData));
  }

  destroy(cause: Error): void {
    this.#options.socket.destroy(cause);
  }

  pause(): void {
    this.#options.socket.pause();
  }

  resume(): void {
    this.#options.socket.resume();
  }

  #received(octets: Uint8Array, start: number, end: number): void {
    const { message, error, misunderstood } = this.#options;
    for (let at = start; at < end; at += MESSAGE_OCTETS) {
      const decoded = decodeMessage(octets.subarray(at, end));
      if (decoded.kind === 'bad') misunderstood(decoded.error);
      if (decoded.kind !== 'frame') continue;
      const { action, flow, data } = decoded.value;
      if (action === 'message') message({ flow, data: data.slice(), text: textOf(data) });
      else if (action === 'error') error(textOf(data));
      else misunderstood(new ProtocolError('frame-malformed', `a message: a server does not ${action}`));
    }
  }

  #settle(act: (waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }) => void): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) act(each);
  }
}
