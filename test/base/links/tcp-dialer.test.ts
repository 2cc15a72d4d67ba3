import { setMaxListeners } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { CONNECT_TIMEOUT_MS, MAX_BACKGROUND, MAX_CONNECTING, TcpDialer } from '../../../base/links/tcp-dialer.js';
import { ManualClock } from '../../support/manual-clock.js';
import { type NeverAccepting, neverAccepting } from './never-accepting.js';

let hole: NeverAccepting;
let server: Server;
let port: number;
let clock: ManualClock;
let dialer: TcpDialer;
const sockets = new Set<Socket>();
const never = new AbortController().signal;
setMaxListeners(0, never);

beforeAll(async () => {
  hole = await neverAccepting();
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as { port: number }).port;
});
afterAll(async () => {
  await hole.close();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  clock = new ManualClock();
  dialer = new TcpDialer(clock);
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});

const good = () => ({ host: '127.0.0.1', port });
const dead = () => ({ host: '127.0.0.1', port: hole.port });
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'connected',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );

test('connects, names the peer, and leaves no timer', async () => {
  const carrier = await dialer.dial(good(), never);
  expect(carrier.kind).toBe('tcp');
  expect(carrier.remote).toBe(`127.0.0.1:${port}`);
  expect(clock.waiting).toBe(0);
  carrier.destroy();
});

test('a port where nobody listens: connect-failed, with the address and the reason', async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port: free } = closed.address() as { port: number };
  await new Promise((resolve) => closed.close(resolve));
  const error = await dialer.dial({ host: '127.0.0.1', port: free }, never).catch((caught) => caught);
  expect(error).toMatchObject({ code: 'connect-failed', family: 'link' });
  expect(error.message).toBe(`127.0.0.1:${free} cannot be reached: ECONNREFUSED`);
  expect(clock.waiting).toBe(0);
});

test('an address that does not answer: connect-timeout after 5 s, not before', async () => {
  let ended: string | undefined;
  void failureOf(dialer.dial(dead(), never)).then((how) => {
    ended = how;
  });
  await clock.advance(CONNECT_TIMEOUT_MS - 1);
  expect(ended).toBeUndefined();
  await clock.advance(1);
  expect(ended).toBe('connect-timeout');
  expect(clock.waiting).toBe(0);
});

test('an abort ends it at once with the reason', async () => {
  const abort = new AbortController();
  const ended = failureOf(dialer.dial(dead(), abort.signal));
  await clock.advance(10);
  abort.abort(new Error('no more'));
  expect(await ended).toBe('no more');
  expect(clock.waiting).toBe(0);
  expect(await failureOf(dialer.dial(good(), abort.signal))).toBe('no more');
});

test('32 connect at once; the next one waits its turn, and has it when one ends', async () => {
  const hanging = Array.from({ length: MAX_CONNECTING - 1 }, () => failureOf(dialer.dial(dead(), never)));
  const first = await dialer.dial(good(), never);
  first.destroy();
  hanging.push(failureOf(dialer.dial(dead(), never)));
  const next = dialer.dial(good(), never);
  await clock.advance(CONNECT_TIMEOUT_MS - 1);
  expect(sockets.size).toBe(1);
  await clock.advance(1);
  (await next).destroy();
  expect(new Set(await Promise.all(hanging))).toEqual(new Set(['connect-timeout']));
  expect(clock.waiting).toBe(0);
});

test('dials in the background leave 8 places free: a command does not wait for unplugged read units', async () => {
  const background = { isBackground: true };
  const hanging = Array.from({ length: MAX_BACKGROUND }, () => failureOf(dialer.dial(dead(), never, background)));
  const next = dialer.dial(good(), never, background);
  const held = Array.from({ length: MAX_CONNECTING - MAX_BACKGROUND - 1 }, () => failureOf(dialer.dial(dead(), never)));
  await clock.advance(1);
  (await dialer.dial(good(), never)).destroy();
  await clock.advance(CONNECT_TIMEOUT_MS - 2);
  expect(sockets.size).toBe(1);
  await clock.advance(1);
  (await next).destroy();
  expect(new Set(await Promise.all([...hanging, ...held]))).toEqual(new Set(['connect-timeout']));
  expect(clock.waiting).toBe(0);
});

test('whoever gives up while waiting leaves the row, and takes no turn with him', async () => {
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  const hanging = Array.from({ length: MAX_CONNECTING }, () => failureOf(dialer.dial(dead(), abort.signal)));
  const impatient = new AbortController();
  const givenUp = failureOf(dialer.dial(good(), impatient.signal));
  const patient = dialer.dial(good(), never);
  await clock.advance(1);
  impatient.abort(new Error('too long'));
  expect(await givenUp).toBe('too long');
  abort.abort(new Error('enough'));
  expect(new Set(await Promise.all(hanging))).toEqual(new Set(['enough']));
  (await patient).destroy();
  const again = await Promise.all(Array.from({ length: 40 }, () => dialer.dial(good(), never)));
  expect(again).toHaveLength(40);
  for (const carrier of again) carrier.destroy();
  expect(clock.waiting).toBe(0);
});
