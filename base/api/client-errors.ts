import type { Socket } from 'node:net';
import type { ConnectionError, FastifyError } from 'fastify';
import type { ApiLimits } from './api-limits.js';
import { PROBLEM_TYPE, type Problem, problem } from './problem.js';

/** What a request that Fastify or one of its parsers refused is answered with; `undefined`: it is our own fault. */
export function problemOfError(error: FastifyError, limits: ApiLimits): Problem | undefined {
  const { statusCode = 500 } = error;
  if (statusCode === 413)
    return problem(413, 'too-large', `The body is longer than ${limits.bodyOctets} octets; send less.`);
  if (statusCode === 415)
    return problem(415, 'not-json', 'Send the body as JSON, with the header "Content-Type: application/json".');
  if (statusCode >= 500) return undefined;
  return problem(400, 'bad-request', `${error.message.slice(0, 200)}.`.replace(/\.\.$/, '.'));
}

/** What is not even HTTP, or too much or too slow of it, is answered on its socket, which is then closed. */
export function answerClientError(
  error: ConnectionError,
  socket: Socket,
  limits: ApiLimits,
  isStreaming: boolean,
): void {
  // Into the middle of an answer nothing else can be written.
  if (!socket.writable || isStreaming || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const body = problemOfConnection(error, limits);
  const json = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${body.status} ${body.title}\r\nConnection: close\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`,
    // What the client still sends is not read: without this its octets would keep the socket for as long as it likes.
    () => socket.destroy(),
  );
}

function problemOfConnection(error: ConnectionError, limits: ApiLimits): Problem {
  switch (error.code as string) {
    case 'HPE_HEADER_OVERFLOW':
      return problem(431, 'headers-too-large', `The headers are longer than ${limits.headerOctets} octets; send less.`);
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return problem(
        408,
        'timeout',
        `The request did not arrive within ${limits.requestTimeoutMs} ms; send it faster.`,
      );
    default:
      return problem(400, 'bad-request', 'This is not HTTP/1.1 as it should be.');
  }
}
