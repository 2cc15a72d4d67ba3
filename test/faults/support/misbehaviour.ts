import type { ServerResponse } from 'node:http';
import type { Clock } from '../../../base/core/clock.js';
import type { Respond } from '../../base/uplinks/http-receiver.js';

/** Takes the request and never answers. */
export const silent: Respond = () => {};

/** Takes the request whole, and breaks the connection. */
export const killer: Respond = (_, response) => void response.socket!.destroy();

/** Answers what is no HTTP. */
export const babbler: Respond = (_, response) => void response.socket!.end('+OK ready\r\n');

/** One octet a second of an answer that is right so far. */
export function dripping(clock: Clock, what: 'headers' | 'body', hear: () => void = () => {}): Respond {
  const begin = what === 'headers' ? '' : 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n';
  const rest = what === 'headers' ? `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(1_000)}` : 'x'.repeat(1_000);
  return (_, response) => {
    const socket = response.socket!;
    socket.write(begin);
    const drip = (at: number): void => {
      if (socket.destroyed) return;
      socket.write(rest[at % rest.length]!);
      hear();
      clock.after(1_000, () => drip(at + 1));
    };
    drip(0);
  };
}

/** 200, and then octets as fast as they are taken. `ended` hears when the connection is let go. */
export function endless(ended: () => void = () => {}): Respond {
  const chunk = Buffer.alloc(16_384, 'x');
  return (_, response: ServerResponse) => {
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', more);
    response.on('close', ended);
    more();
  };
}
