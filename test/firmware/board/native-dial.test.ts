import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { TcpCarrier } from '../../../base/links/tcp-carrier.js';
import { encodeCommand } from '../../../protocol/unit/heads.js';
import { decodeHello } from '../../../protocol/unit/system-messages.js';
import { here } from '../runtime/cpp-program.js';
import { dataOf } from '../runtime/driven-unit.js';
import { BaseSession, identity } from './support/base-session.js';
import { buildNative, NativePrograms } from './support/native-program.js';

let lamp: string;
const programs = new NativePrograms();
let server: Server;
let address: string;
const waiting: Socket[] = [];
const all: Socket[] = [];
let wake = (): void => {};

beforeAll(async () => {
  lamp = await buildNative('native-lamp', `${here}/model/main.cpp`);
}, 180_000);
beforeEach(async () => {
  server = await listen(0);
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await programs.stopAll();
  waiting.length = 0;
  for (const socket of all.splice(0)) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

function listen(port: number): Promise<Server> {
  const made = createServer((socket) => {
    socket.on('error', () => {});
    waiting.push(socket);
    all.push(socket);
    wake();
  });
  return new Promise((resolve) => made.listen(port, '127.0.0.1', () => resolve(made)));
}
/** The next connection that a unit makes. */
async function connection(): Promise<Socket> {
  while (waiting.length === 0) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  return waiting.shift()!;
}
const session = async (): Promise<BaseSession> => new BaseSession(new TcpCarrier(await connection(), 'unit'));

test('a unit that is to dial its base dials, says hello and does what it is told; it does not listen', async () => {
  const unit = programs.start(lamp, ...identity, '--dial', address);
  expect(await unit.line('dialling')).toBe(address);
  const base = await session();
  expect(decodeHello(dataOf(await base.greet())).definition).toBe('led-lamp');
  base.acknowledge(await base.next());
  base.request(encodeCommand({ number: 1, id: 1, fields: Uint8Array.of(1, 2, 3) }));
  expect(await base.next()).toMatchObject({ kind: 'response', code: 0 });
  expect(unit.lines.length).toBe(1);
});

test('it dials again when the base goes away, as the next one when it was welcome', async () => {
  programs.start(lamp, ...identity, '--dial', address);
  for (let count = 0; count < 3; count += 1) {
    const base = await session();
    await base.greet();
    base.carrier.destroy();
  }
});

test('it dials again when nobody was there', async () => {
  const port = (server.address() as AddressInfo).port;
  await new Promise((resolve) => server.close(resolve));
  const unit = programs.start(lamp, ...identity, '--dial', address);
  await unit.line('dialling');
  server = await listen(port);
  await (await session()).greet();
});

test('it both listens and dials when it is told to', async () => {
  const unit = programs.start(lamp, ...identity, '--dial', address, '--listen', '127.0.0.1:0');
  await connection();
  expect(await unit.port()).toBeGreaterThan(0);
});
