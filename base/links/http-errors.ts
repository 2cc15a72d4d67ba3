import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpBounds } from './http-bounds.js';

/**
 * A body that comes to a refused request is read past up to this length, keeping nothing of it: closing at once would lose
 * the answer in a reset. With more, the connection is closed; so it is, by Node, where the client waits for our leave to
 * send its body.
 */
export const REFUSED_BODY_OCTETS = 16 * 1024;

/** An error as the originals' HTTP servers answer it: `{"error": text}`. */
export function sendError(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.code(status).type('application/json').send({ error });
}

/** Refuses a request whose body was not read. */
export function refuseUnread(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  status: number,
  error: string,
): FastifyReply {
  const isLong = headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > REFUSED_BODY_OCTETS;
  if (isLong) reply.header('connection', 'close');
  return sendError(reply, status, error);
}

/** What is not even HTTP, or too much or too slow of it, is answered on its socket, which is then closed. */
export function answerClientError(
  error: Error & { code?: string },
  socket: Socket,
  bounds: HttpBounds,
  isStreaming = false,
): void {
  const code = error.code ?? '';
  // A TLS handshake that failed has nobody who could read an answer; into the middle of one nothing else can be written.
  if (!socket.writable || isStreaming || !/^(HPE_|ERR_HTTP_)/.test(code)) {
    socket.destroy();
    return;
  }
  const [status, text] = clientError(code, bounds);
  endWithError(socket, status, text);
}

/** Answers with `{"error": text}` on the socket itself, which is then closed. */
export function endWithError(
  socket: Duplex,
  status: number,
  error: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const json = JSON.stringify({ error });
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(json)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  // What the client still sends is not read.
  socket.end(`${lines.join('\r\n')}\r\n\r\n${json}`, () => socket.destroy());
}

function clientError(code: string, bounds: HttpBounds): readonly [status: number, error: string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [431, `the headers are longer than ${bounds.headerOctets} octets`];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [
        408,
        `the request did not arrive within ${bounds.requestTimeoutMs} ms, or its headers within ${bounds.headersTimeoutMs} ms`,
      ];
    default:
      return [400, 'this is not HTTP/1.1 as it should be'];
  }
}
