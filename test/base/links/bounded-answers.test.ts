import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { boundedAnswers } from '../../../base/links/bounded-answers.js';
import { defaultHttpBounds } from '../../../base/links/http-bounds.js';
import { soon } from '../uplinks/soon.js';

const request = (path = '/'): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

async function serve(handler: RequestListener, bounds: Partial<typeof defaultHttpBounds> = {}) {
  const server = createServer(boundedAnswers(handler, { ...defaultHttpBounds, ...bounds }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return (text: string): { socket: Socket; received: () => string } => {
    const socket = connect({ port, host: '127.0.0.1' });
    let received = '';
    socket.on('error', () => {});
    socket.on('data', (data) => {
      received += data;
    });
    socket.write(text);
    onTestFinished(() => void socket.destroy());
    return { socket, received: () => received };
  };
}

test('as many requests at once as are allowed are all answered; one more ends the connection', async () => {
  const waiting: ServerResponse[] = [];
  const call = await serve((_request, response) => waiting.push(response), { pipelined: 3 });
  const allowed = call(request().repeat(3));
  await soon(() => expect(waiting).toHaveLength(3));
  for (const response of waiting.splice(0)) response.end('answered');
  await soon(() => expect(allowed.received().match(/answered/g)).toHaveLength(3));
  allowed.socket.write(request().repeat(3));
  await soon(() => expect(waiting).toHaveLength(3));
  const tooMany = call(request().repeat(4));
  await once(tooMany.socket, 'close');
  expect(tooMany.received()).toBe('');
});

test('an answer that is not taken is given up; one that is not there yet is waited for', async () => {
  const late: ServerResponse[] = [];
  let begun = 0;
  const call = await serve(
    ({ url }, response) => {
      if (url === '/late') late.push(response);
      else if (url === '/now') response.end('now');
      else {
        begun += 1;
        response.once('close', () => (begun -= 1));
        response.end(Buffer.alloc(32 * 1024 * 1024));
      }
    },
    { stalledMs: 150 },
  );
  const patient = call(request('/now') + request('/late'));
  await soon(() => expect(late).toHaveLength(1));
  const { socket } = call(request('/much'));
  socket.pause();
  await soon(() => expect(begun).toBe(1));
  await soon(() => expect(begun).toBe(0));
  late[0]!.end('at last');
  await soon(() => expect(patient.received()).toContain('at last'));
});

test('a client that hangs up ends every answer of its connection, once', async () => {
  const closed: number[] = [];
  const answers: ServerResponse[] = [];
  const call = await serve((_request, response) => {
    const number = closed.push(0) - 1;
    answers.push(response);
    response.on('close', () => {
      closed[number]! += 1;
    });
  });
  const { socket, received } = call(request().repeat(5));
  await soon(() => expect(closed).toHaveLength(5));
  answers[0]!.end('first');
  await soon(() => expect(received()).toContain('first'));
  expect(closed).toEqual([1, 0, 0, 0, 0]);
  socket.destroy();
  await soon(() => expect(closed).toEqual([1, 1, 1, 1, 1]));
});
