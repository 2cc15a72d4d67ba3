import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { SerialDialer } from '../../../base/links/serial/serial-dialer.js';
import { TcpDialer } from '../../../base/links/tcp-dialer.js';
import { systemClock } from '../../../base/system.js';
import { fromHex, toHex } from '../../../protocol/octets.js';
import { encodeCommand } from '../../../protocol/unit/heads.js';
import { decodeHello, encodeRestart } from '../../../protocol/unit/system-messages.js';
import { soon } from '../../simulator/support/soon.js';
import { here } from '../runtime/cpp-program.js';
import { dataOf } from '../runtime/driven-unit.js';
import { BaseSession, identity } from './support/base-session.js';
import { buildNative, type NativeProgram, NativePrograms } from './support/native-program.js';
import { layCable } from './support/serial-cable.js';

const STATE_OCTETS = 8_192;

let lamp: string;
let light: string;
let napping: string;
const folder = mkdtempSync(join(tmpdir(), 'bu-native-'));
const programs = new NativePrograms();
const sessions: BaseSession[] = [];

beforeAll(async () => {
  lamp = await buildNative('native-lamp', `${here}/model/main.cpp`);
  light = await buildNative('native-light', 'test/firmware/board/native/light_main.cpp');
  napping = await buildNative('native-napping', 'test/firmware/board/native/napping_main.cpp');
}, 180_000);
afterEach(async () => {
  for (const { carrier } of sessions.splice(0)) carrier.destroy();
  await programs.stopAll();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Started where it finds a free port. */
const start = (program: string, ...more: readonly string[]): NativeProgram =>
  programs.start(program, '--listen', '127.0.0.1:0', ...more);

async function openSession(unit: NativeProgram): Promise<BaseSession> {
  const address = { host: '127.0.0.1', port: await unit.port() };
  const session = new BaseSession(await new TcpDialer(systemClock).dial(address, new AbortController().signal));
  sessions.push(session);
  return session;
}
const helloOf = async (unit: NativeProgram) => decodeHello(dataOf(await (await openSession(unit)).greet()));

test('a session over TCP: hello, command, report; then SIGTERM ends it with 0, having printed one line', async () => {
  const unit = start(lamp, ...identity);
  const session = await openSession(unit);
  expect(decodeHello(dataOf(await session.greet())).definition).toBe('led-lamp');
  const first = await session.next();
  expect(toHex(dataOf(first))).toMatch(/^0301000000.{8}00000064$/);
  session.acknowledge(first);
  const tracking = session.request(encodeCommand({ number: 1, id: 1, fields: fromHex('ff8800') }));
  expect(await session.next()).toMatchObject({ kind: 'response', tracking, code: 0 });
  expect(toHex(dataOf(await session.next()))).toMatch(/^0302000000.{8}ff880064$/);
  expect(await unit.end()).toBe(0);
  expect(unit.lines.length).toBe(1);
});

test('SIGINT ends it with 0 too, while a base is connected that says nothing', async () => {
  const unit = start(lamp, ...identity);
  const silent = connect(await unit.port(), '127.0.0.1');
  await new Promise((resolve) => silent.once('data', resolve));
  silent.on('error', () => {});
  expect(await unit.end('SIGINT')).toBe(0);
  silent.destroy();
});

test('the boot number is one more at each start, kept in the state file, which only its owner may read', async () => {
  const state = join(folder, 'boot');
  for (const boot of [1, 2]) {
    const unit = start(lamp, ...identity, '--state', state);
    expect((await helloOf(unit)).boot).toBe(boot);
    await unit.end();
    expect(readFileSync(state).length).toBe(STATE_OCTETS);
    expect(statSync(state).mode & 0o777).toBe(0o600);
  }
  writeFileSync(state, 'rubbish');
  expect((await helloOf(start(lamp, ...identity, '--state', state))).boot).toBe(1);
});

test('a state file that cannot be is told', async () => {
  const unit = start(lamp, ...identity, '--state', join(folder, 'nowhere', 'state'));
  expect(await unit.ended()).toBe(1);
  expect(unit.complaints).toMatch(/nowhere\/state: No such file/);
});

test('a restart comes back as the next boot in the same process, on the same port, without a second line', async () => {
  const unit = start(lamp, ...identity, '--state', join(folder, 'restarted'));
  for (const boot of [1, 2, 3]) {
    const session = await openSession(unit);
    const hello = decodeHello(dataOf(await session.greet()));
    expect(hello).toMatchObject({ boot, resetReason: boot === 1 ? 0 : 4 });
    session.request(encodeRestart(0));
    let last = await session.next();
    while (last.kind !== 'close') last = await session.next();
    expect(last.code).toBe(0x01);
  }
  expect(await unit.end()).toBe(0);
  expect(unit.lines.length).toBe(1);
});

/** Sends it to sleep for so long; resolves when it sleeps. */
async function sendToSleep(unit: NativeProgram, durationMs: number): Promise<void> {
  const session = await openSession(unit);
  await session.greet();
  const fields = Uint8Array.of(0, 0, 0, durationMs & 0xff, durationMs >> 8);
  session.request(encodeCommand({ number: 2, id: 1, fields }));
  expect(await session.next()).toMatchObject({ kind: 'response', code: 0 });
  await session.closed;
}

test('a sleep is a wait without connections, and a start as the next boot that says why', async () => {
  const unit = start(napping, ...identity, '--state', join(folder, 'slept'));
  const before = Date.now();
  await sendToSleep(unit, 500);
  expect(await helloOf(unit)).toMatchObject({ boot: 2, resetReason: 5 });
  expect(Date.now() - before).toBeGreaterThanOrEqual(500);
  expect(unit.lines.length).toBe(1);
});

test('SIGTERM ends a program that sleeps', async () => {
  const unit = start(napping, ...identity);
  await sendToSleep(unit, 60_000);
  expect(await unit.end()).toBe(0);
});

test('a program that sleeps ends when its parent is another', async () => {
  // A shell has started it; what it prints is at an end when it has ended itself.
  const shell = ['-c', '"$0" "$@" --with-parent $$ & wait', napping];
  const unit = programs.start('/bin/sh', ...shell, ...identity, '--listen', '127.0.0.1:0');
  await sendToSleep(unit, 60_000);
  await unit.end('SIGKILL');
  expect(unit.child.signalCode).toBe('SIGKILL');
});

test('a base that goes away is no trouble: the next one is served', async () => {
  const unit = start(lamp, ...identity);
  for (let count = 0; count < 3; count += 1) {
    const socket = connect(await unit.port(), '127.0.0.1');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.resetAndDestroy();
  }
  expect((await helloOf(unit)).version).toBe('1.0.0');
});

test.each([
  [[], /--uid NAME and --key HEX32/],
  [['--uid', 'x', '--key', 'abc'], /--key needs 32 hexadecimal digits/],
  [['--uid', 'seventeen-octets!', '--key', '00'.repeat(16)], /--uid needs 1 to 16 octets/],
  [['--listen', 'nowhere'], /--listen needs HOST:PORT/],
  [['--listen', '127.0.0.1:70000'], /--listen needs HOST:PORT/],
  [['--dial', 'base:0'], /--dial needs HOST:PORT/],
  [['--serial', 'x'.repeat(256)], /--serial: this path is too long/],
  [['--frobnicate', '1'], /unknown argument/],
  [['--uid'], /lacks its value/],
])('arguments that cannot be end with 2 and say why: %j', async (given, why) => {
  const result = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(lamp, given, (error, _, stderr) => resolve({ code: error?.code, stderr }));
  });
  expect(result.code).toBe(2);
  expect(result.stderr).toMatch(why);
  expect(result.stderr).not.toContain('abc');
});

test('a serial line that is not there ends it with 1, and says so', async () => {
  const unit = programs.start(lamp, ...identity, '--serial', join(folder, 'no-line'));
  expect(await unit.ended()).toBe(1);
  expect(unit.complaints).toMatch(/no-line: No such file/);
});

/** Lines of a light sensor, each one more than the one before. */
const isCounting = (text: string): boolean => {
  const values = text.split('\n').slice(1, 4).map(Number);
  return values.length === 3 && values[1] === values[0]! + 1 && values[2] === values[1]! + 1;
};

test('a line unit needs no key: its lines come to whoever connects, and to the next one after that', async () => {
  const unit = start(light);
  for (let count = 0; count < 2; count += 1) {
    const socket = connect(await unit.port(), '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('ascii');
    });
    await soon(() => expect(isCounting(text)).toBe(true));
    socket.destroy();
  }
  expect(await unit.end()).toBe(0);
});

test('a line unit over a serial line: its lines, as they are', async () => {
  const cable = await layCable();
  const unit = programs.start(light, '--serial', cable.unit);
  expect(await unit.line('serial')).toBe(cable.unit);
  const address = { serial: cable.base, baud: 115_200 };
  const carrier = await new SerialDialer(systemClock).dial(address, new AbortController().signal, { isRaw: true });
  let text = '';
  const closed = new Promise<void>((resolve) => {
    const ignore = (): void => {};
    const octets = (chunk: Uint8Array): void => {
      text += Buffer.from(chunk).toString('ascii');
    };
    carrier.attach({ octets, drained: ignore, ended: ignore, closed: () => resolve() });
  });
  await soon(() => expect(isCounting(text)).toBe(true));
  carrier.destroy();
  await closed;
  expect(await unit.end()).toBe(0);
  await cable.stop();
});
