import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { LINE_END } from '../../protocol/elfin/message.js';
import { LinkError } from '../../protocol/errors.js';

export interface TunnelOptions {
  readonly socket: Socket;
  /** The head of a message with so many octets of payload. */
  readonly head: (octets: number) => Uint8Array;
  readonly remote: string;
}

/**
 * A connection as a tunnel: what is read is the other end's payload, as it came; what is written goes to the other end, each
 * write as one message. Slow down and be slowed down as with any stream. Its end and the connection's are one.
 */
export function tunnelOver({ socket, head, remote }: TunnelOptions): Duplex {
  const lost = (cause: Error): LinkError =>
    new LinkError('link-lost', `the connection to ${remote} broke: ${cause.message}`, { cause });
  const send = (parts: readonly Uint8Array[], done: (error?: Error | null) => void): void => {
    const octets = parts.reduce((sum, part) => sum + part.length, 0);
    if (octets === 0) return done();
    socket.cork();
    socket.write(head(octets));
    for (const part of parts) socket.write(part);
    socket.write(LINE_END, (error) => done(error ? lost(error) : null));
    socket.uncork();
  };
  const tunnel = new Duplex({
    // When the gateway has ended, nothing more can be told to anybody.
    allowHalfOpen: false,
    write: (chunk: Buffer, _encoding, done) => send([chunk], done),
    writev: (chunks, done) =>
      send(
        chunks.map(({ chunk }) => chunk as Buffer),
        done,
      ),
    final: (done) => {
      socket.end(() => done());
    },
    read: () => {
      socket.resume();
    },
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    if (!tunnel.push(chunk)) socket.pause();
  });
  // Whoever only writes must not end by it.
  tunnel.on('error', () => {});
  let isOver = false;
  const over = (): void => {
    if (!isOver && !tunnel.destroyed) tunnel.push(null);
    isOver = true;
  };
  socket.on('end', over);
  socket.on('close', over);
  socket.on('error', (error) => tunnel.destroy(lost(error)));
  return tunnel;
}
