import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { Connection } from '../../../../base/core/connection.js';
import { defaultConnectorLimits } from '../../../../base/dialects/connector/connector-limits.js';
import { DeviceSession } from '../../../../base/dialects/connector/device-session.js';
import type { DeviceSocket } from '../../../../base/dialects/connector/device-socket.js';
import { toHex } from '../../../../protocol/octets.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';

/** A WebSocket and its stream, whose figures a test sets. */
class FakeSocket {
  readyState = 1;
  bufferedAmount = 0;
  bytesRead = 0;
  bytesWritten = 0;
  writableLength = 0;
  readonly sent: { text: string; taken: () => void }[] = [];
  readonly did: string[] = [];

  send(text: string, taken: () => void): void {
    this.sent.push({ text, taken });
  }
  write(octets: Uint8Array): void {
    this.did.push(toHex(octets) === '8900' ? 'ping' : 'write');
  }
  pause(): void {
    this.did.push('pause');
  }
  resume(): void {
    this.did.push('resume');
  }
  close(code: number, reason: string): void {
    this.readyState = 2;
    this.did.push(`close ${code} ${reason}`);
  }
  terminate(): void {
    this.readyState = 3;
    this.did.push('terminate');
  }
}

function start() {
  const clock = new ManualClock();
  const socket = new FakeSocket();
  const ended: string[] = [];
  const counts: string[] = [];
  const waiting: (() => void)[] = [];
  const session = new DeviceSession({
    host: {
      limits: defaultConnectorLimits,
      clock,
      report: () => new Promise<void>((resolve) => void waiting.push(resolve)),
      ended: (_session, reason) => void ended.push(reason),
      gone: () => void ended.push('gone'),
      refused: () => void counts.push('refused'),
      count: (event) => void counts.push(event),
    },
    socket: socket as unknown as DeviceSocket,
    stream: socket as unknown as Socket,
    generation: 7,
    device: { deviceId: 'lamp', name: undefined, type: undefined, userAgent: undefined },
  });
  const connection = { received: () => {}, sent: () => {}, closed: () => void ended.push('closed') };
  session.open(connection as unknown as Connection);
  /** A check at that moment of the clock. */
  const checkAt = async (ms: number): Promise<void> => {
    await clock.advance(ms - clock.monotonic());
    session.check(ms);
  };
  return { clock, socket, session, ended, counts, waiting, checkAt };
}

test('silence: a ping after 15 s and again after 30 s, the end after 45 s; any octet begins anew', async () => {
  const { socket, ended, counts, checkAt } = start();
  await checkAt(14_999);
  expect(socket.did).toEqual([]);
  await checkAt(15_000);
  expect(socket.did).toEqual(['ping']);
  await checkAt(29_999);
  await checkAt(30_000);
  expect(socket.did).toEqual(['ping', 'ping']);
  socket.bytesRead += 1;
  await checkAt(44_000);
  await checkAt(88_999);
  expect(ended).toEqual([]);
  await checkAt(89_000);
  expect(socket.did).toEqual(['ping', 'ping', 'ping', 'terminate']);
  expect(ended).toEqual(['closed', 'it was silent for 45 s']);
  expect(counts).toEqual(['silent']);
  await checkAt(200_000);
  expect(socket.did).toHaveLength(4);
});

test('whom we do not read is not silent', async () => {
  const { clock, socket, session, ended, waiting } = start();
  for (let count = 0; count < defaultConnectorLimits.reportsAtOnce; count += 1)
    session.message(Buffer.from('x'), false);
  expect(socket.did).toEqual(['pause']);
  session.check(clock.monotonic() + 100_000);
  expect(ended).toEqual([]);
  for (const end of waiting.splice(0)) end();
  await settle();
  expect(socket.did.at(-1)).toBe('resume');
  session.check(clock.monotonic() + 144_999);
  expect(ended).toEqual([]);
  session.check(clock.monotonic() + 145_000);
  expect(ended).toEqual(['closed', 'it was silent for 45 s']);
});

test('it is read on only when there is room for what comes, however much of it is here already', async () => {
  const { socket, session, waiting } = start();
  const { reportsAtOnce } = defaultConnectorLimits;
  for (let count = 0; count < reportsAtOnce + 2; count += 1) session.message(Buffer.from('x'), false);
  expect(waiting).toHaveLength(reportsAtOnce);
  waiting[0]!();
  await settle();
  expect(waiting).toHaveLength(reportsAtOnce + 1);
  waiting[1]!();
  await settle();
  expect(waiting).toHaveLength(reportsAtOnce + 2);
  expect(socket.did).not.toContain('resume');
  waiting[2]!();
  await settle();
  expect(socket.did.at(-1)).toBe('resume');
});

test('room to write: up to 64 KiB unread; the next may go when something was taken', async () => {
  const { clock, socket, session } = start();
  socket.bufferedAmount = 64 * 1024;
  expect(session.hasRoom).toBe(true);
  void session.ask('a', 'text', 8_000);
  socket.bufferedAmount = 64 * 1024 + 1;
  expect(session.hasRoom).toBe(false);
  const order: string[] = [];
  const [first, second] = ['first', 'second'].map((name) => session.room(60_000).then(() => order.push(name)));
  socket.sent[0]!.taken();
  await settle();
  expect(order).toEqual([]);
  socket.bufferedAmount = 0;
  socket.sent[0]!.taken();
  await settle();
  expect(order).toEqual(['first']);
  await clock.advance(60_000);
  await Promise.all([first, second]);
  expect(clock.waiting).toBe(0);
});

test('what is not taken: 256 KiB may wait, one octet more cuts', async () => {
  const { socket, ended, counts, checkAt } = start();
  socket.bufferedAmount = 256 * 1024;
  socket.bytesRead = 1;
  await checkAt(1_000);
  expect(ended).toEqual([]);
  socket.bufferedAmount += 1;
  await checkAt(2_000);
  expect(ended).toEqual(['closed', 'it does not take what is sent to it']);
  expect(counts).toEqual(['too-slow']);
  expect(socket.did).toEqual(['terminate']);
});

test('a flood of pings is cut at the same bound, without waiting for a check', () => {
  const { socket, session, ended } = start();
  socket.bufferedAmount = 256 * 1024;
  session.pinged();
  expect(ended).toEqual([]);
  socket.bufferedAmount += 1;
  session.pinged();
  expect(ended).toEqual(['closed', 'it does not take what is sent to it']);
});

test('what is not taken: nothing for 30 s cuts, a little now and then does not', async () => {
  const { socket, ended, checkAt } = start();
  socket.bufferedAmount = 1_000;
  socket.bytesWritten = 1_000;
  socket.writableLength = 1_000;
  for (let second = 1; second <= 120; second += 1) {
    socket.bytesRead += 1;
    if (second % 30 === 0) socket.writableLength -= 1;
    await checkAt(second * 1_000);
  }
  expect(ended).toEqual([]);
  for (let second = 121; second < 150; second += 1) {
    socket.bytesRead += 1;
    await checkAt(second * 1_000);
  }
  expect(ended).toEqual([]);
  await checkAt(150_000);
  expect(ended).toEqual(['closed', 'it does not take what is sent to it']);
});

test('its end is told once, whoever says it first, and nothing of it goes on', async () => {
  const { clock, socket, session, ended } = start();
  const asked = session.ask('a', 'text', 8_000);
  const room = session.room(60_000);
  session.close(4000, 'replaced', 'it was replaced');
  expect(await asked).toEqual({ kind: 'lost' });
  await room;
  session.cut('again');
  session.failed('WS_ERR_INVALID_OPCODE');
  session.closed(1006);
  session.message(Buffer.from('late'), false);
  session.pinged();
  session.ponged();
  expect(ended).toEqual(['closed', 'it was replaced', 'gone']);
  expect(socket.did).toEqual(['close 4000 replaced', 'terminate']);
  expect(clock.waiting).toBe(0);
});

test('the answer to a ping of ours costs nothing, other pongs as much as messages', async () => {
  const { socket, session, counts, checkAt } = start();
  await checkAt(15_000);
  session.ponged();
  for (let count = 0; count < 200; count += 1) session.ponged();
  expect(socket.did).toEqual(['ping']);
  session.ponged();
  expect(socket.did).toEqual(['ping', 'pause']);
  expect(counts).toEqual(['slowed-down']);
});
