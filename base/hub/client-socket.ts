import { WebSocket } from 'ws';
import type { Log } from '../core/log.js';
import type { ClientSocket } from './connection.js';

/** RFC 6455 5.5: a control frame carries 125 octets, two of which are the close code. */
const MAX_REASON_OCTETS = 123;

/** A WebSocket whose peer cannot make us keep more than `maxBuffered` octets (and one frame) for it. */
export function clientSocket(socket: WebSocket, maxBuffered: number, log: Log): ClientSocket {
  return {
    send(frame) {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (socket.bufferedAmount > maxBuffered) {
        log.warn({ buffered: socket.bufferedAmount }, 'client does not read: cut off');
        return socket.terminate();
      }
      socket.send(frame);
    },
    ping() {
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    },
    close(code, reason) {
      socket.close(code, shortened(reason));
    },
  };
}

function shortened(reason: string): string {
  let end = reason.length;
  while (Buffer.byteLength(reason.slice(0, end)) > MAX_REASON_OCTETS) end -= 1;
  return reason.slice(0, end);
}
