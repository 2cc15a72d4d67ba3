import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Carrier } from '../../../base/links/carrier.js';
import { TcpListener, type TcpListenerOptions } from '../../../base/links/tcp-listener.js';
import { MAX_UNPROVED, MAX_UNPROVED_PER_ADDRESS } from '../../../base/links/unproved.js';
import { QuietLog } from '../../support/quiet-log.js';

interface Taken {
  readonly carrier: Carrier;
  proved(): void;
}

let listener: TcpListener | undefined;
const clients: Socket[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await listener?.close();
});

async function listening(options: TcpListenerOptions = {}): Promise<{ port: number; taken: Taken[] }> {
  const taken: Taken[] = [];
  const take = (pending: Taken): void => {
    pending.carrier.attach({ octets: () => {}, drained: () => {}, ended: () => {}, closed: () => {} });
    taken.push(pending);
  };
  listener = new TcpListener(new QuietLog(), take, options);
  const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
  return { port, taken };
}

async function connect(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const client = createConnection({ host: '127.0.0.1', port, localAddress });
  client.on('error', () => {});
  clients.push(client);
  await once(client, 'connect');
  return client;
}

/** Resolves when the other side has closed it. */
const gone = (client: Socket): Promise<unknown> => (client.closed ? Promise.resolve() : once(client, 'close'));

async function taking(taken: Taken[], count: number): Promise<void> {
  while (taken.length < count) await new Promise((resolve) => setImmediate(resolve));
}

test('the bounds of reference/limits.md', () => {
  expect(MAX_UNPROVED_PER_ADDRESS).toBe(16);
  expect(MAX_UNPROVED).toBe(256);
});

test('sixteen unproved connections of one address stay; the seventeenth ends the oldest of that address', async () => {
  const { port, taken } = await listening();
  const neighbour = await connect(port, '127.0.0.9');
  for (let index = 0; index < MAX_UNPROVED_PER_ADDRESS; index += 1) await connect(port);
  await taking(taken, 17);
  expect(clients.filter((client) => client.closed)).toEqual([]);
  const newcomer = await connect(port);
  await gone(clients[1]!);
  expect(clients.filter((client) => client.closed)).toEqual([clients[1]]);
  expect(neighbour.closed).toBe(false);
  expect(newcomer.closed).toBe(false);
});

test('a connection that has proved itself counts no more', async () => {
  const { port, taken } = await listening();
  for (let index = 0; index < MAX_UNPROVED_PER_ADDRESS; index += 1) await connect(port);
  await taking(taken, 16);
  taken[0]!.proved();
  await connect(port);
  await taking(taken, 17);
  await connect(port);
  await gone(clients[1]!);
  expect(clients.filter((client) => client.closed)).toEqual([clients[1]]);
});

test('256 over all stay; the next ends the oldest of the busiest address, a newcomer is never refused', async () => {
  const { port, taken } = await listening();
  for (let host = 1; host <= 15; host += 1)
    for (let index = 0; index < MAX_UNPROVED_PER_ADDRESS; index += 1) await connect(port, `127.0.1.${host}`);
  for (let index = 0; index < 15; index += 1) await connect(port, '127.0.2.1');
  const alone = await connect(port, '127.0.3.1');
  await taking(taken, MAX_UNPROVED);
  expect(clients.filter((client) => client.closed)).toEqual([]);
  const newcomer = await connect(port, '127.0.3.2');
  await gone(clients[0]!);
  expect(clients.filter((client) => client.closed)).toEqual([clients[0]]);
  expect(alone.closed || newcomer.closed).toBe(false);
});

test('past the bound of all a newcomer is closed, also when the others are proved; when one goes there is room', async () => {
  const { port, taken } = await listening({ maxAccepted: 2 });
  const first = await connect(port);
  await connect(port);
  await taking(taken, 2);
  for (const { proved } of taken) proved();
  await gone(await connect(port));
  expect([taken.length, first.closed]).toEqual([2, false]);
  first.resetAndDestroy();
  // The listener hears of that a turn later.
  for (;;) {
    const next = await connect(port);
    await Promise.race([gone(next), taking(taken, 3)]);
    if (taken.length === 3) break;
  }
});

test('close ends what it took and may be called twice', async () => {
  const { port } = await listening();
  const client = await connect(port);
  await Promise.all([listener!.close(), listener!.close()]);
  await gone(client);
  await listener!.close();
});

test('a port that is taken: port-in-use, naming it', async () => {
  const { port } = await listening();
  const second = new TcpListener(new QuietLog(), () => {});
  await expect(second.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({
    code: 'port-in-use',
    message: `127.0.0.1:${port} is in use by another program; stop that or configure another port`,
  });
});
