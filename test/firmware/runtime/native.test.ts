import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { BaseOpening } from '../../../protocol/iotsocket/opening.js';
import { SealedStream } from '../../../protocol/iotsocket/sealed-stream.js';
import type { Transmission } from '../../../protocol/iotsocket/transmission.js';
import { fromHex, toHex } from '../../../protocol/octets.js';
import { encodeCommand } from '../../../protocol/unit/heads.js';
import { decodeHello, encodeHelloAnswer, encodeRestart } from '../../../protocol/unit/system-messages.js';
import { buildProgram, here, runtimeFolder, sourcesIn } from './cpp-program.js';
import { crypto, dataOf, trackingOf, typed, vectorKey, welcome } from './driven-unit.js';

let lamp: string;
let light: string;
const folder = mkdtempSync(join(tmpdir(), 'bu-native-'));
const started: ChildProcessWithoutNullStreams[] = [];
const sockets: Socket[] = [];

const build = (name: string, main: string): Promise<string> =>
  buildProgram(
    name,
    [...sourcesIn(runtimeFolder), ...sourcesIn(`${runtimeFolder}/port/native`), main],
    ['-funsigned-char'],
  );
beforeAll(async () => {
  lamp = await build('native-lamp', `${here}/model/main.cpp`);
  light = await build('native-light', `${here}/native/light_main.cpp`);
}, 180_000);
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const child of started.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) await ended(child, () => child.kill('SIGKILL'));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const ended = (child: ChildProcessWithoutNullStreams, act: () => void): Promise<number | null> =>
  new Promise((resolve) => {
    child.once('close', (code) => resolve(code));
    act();
  });

interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly port: number;
  /** All that it printed. */
  readonly lines: string[];
}

function start(program: string, ...more: readonly string[]): Promise<Running> {
  const child = spawn(program, ['--listen', '127.0.0.1:0', ...more]);
  started.push(child);
  const lines: string[] = [];
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      const match = /^listening 127\.0\.0\.1:(\d+)$/.exec(line);
      if (match) resolve({ child, port: Number(match[1]), lines });
    });
    child.once('close', (code) => reject(new Error(`ended with ${code}`)));
  });
}

const identity = ['--uid', 'ObjTest', '--key', toHex(vectorKey)];

/** A connection whose octets are awaited one after the other. */
class Wire {
  readonly socket: Socket;
  #arrived = Buffer.alloc(0);
  #wake: () => void = () => {};
  #isClosed = false;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    sockets.push(this.socket);
    this.socket.on('data', (chunk) => {
      this.#arrived = Buffer.concat([this.#arrived, chunk]);
      this.#wake();
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /** What `take` makes of the octets that came, as soon as it makes something. */
  async until<T>(take: (octets: Buffer) => T | undefined): Promise<T> {
    for (;;) {
      const taken = take(this.#arrived);
      this.#arrived = Buffer.alloc(0);
      if (taken !== undefined) return taken;
      if (this.#isClosed) throw new Error('the unit closed the connection');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** Opens a session as a base; gives its first transmission and a way to send and await others. */
async function openSession(port: number) {
  const wire = new Wire(port);
  const opening = new BaseOpening({ crypto, keyOf: (uid) => (uid === 'ObjTest' ? vectorKey : undefined) });
  const stream = await wire.until((octets) => {
    const step = opening.push(octets);
    if (step.kind === 'refused') throw step.error;
    if (step.send.length > 0) wire.socket.write(step.send);
    return step.kind === 'opened'
      ? new SealedStream({ crypto, sessionKey: step.opened.sessionKey, role: 'base' })
      : undefined;
  });
  const queue: Transmission[] = [];
  const next = async (): Promise<Transmission> => {
    if (queue.length === 0) {
      await wire.until((octets) => {
        for (const received of stream.open(octets)) {
          if (received.kind === 'bad') throw received.error;
          queue.push(structuredClone(received.transmission));
        }
        return queue.length > 0 ? true : undefined;
      });
    }
    return queue.shift()!;
  };
  const send = (transmission: Transmission): void => void wire.socket.write(stream.seal(transmission));
  const hello = await next();
  return { wire, next, send, hello };
}

test('a session over TCP: hello, command, report; then SIGTERM ends it with 0, having printed one line', async () => {
  const unit = await start(lamp, ...identity);
  const session = await openSession(unit.port);
  expect(decodeHello(dataOf(session.hello)).definition).toBe('led-lamp');
  session.send({
    kind: 'response',
    tracking: trackingOf(session.hello),
    code: 0,
    payload: typed(encodeHelloAnswer(welcome)),
  });
  const first = await session.next();
  expect(toHex(dataOf(first))).toMatch(/^0301000000.{8}00000064$/);
  session.send({ kind: 'response', tracking: trackingOf(first), code: 0, payload: typed(new Uint8Array(0)) });
  const data = encodeCommand({ number: 1, id: 1, fields: fromHex('ff8800') });
  session.send({ kind: 'request', tracking: 7, payload: typed(data) });
  expect(await session.next()).toMatchObject({ kind: 'response', tracking: 7, code: 0 });
  expect(toHex(dataOf(await session.next()))).toMatch(/^0302000000.{8}ff880064$/);
  expect(await ended(unit.child, () => unit.child.kill('SIGTERM'))).toBe(0);
  expect(unit.lines.length).toBe(1);
});

test('SIGINT ends it with 0 too, while a base is connected that says nothing', async () => {
  const unit = await start(lamp, ...identity);
  await new Wire(unit.port).until((octets) => (octets.length > 0 ? true : undefined));
  expect(await ended(unit.child, () => unit.child.kill('SIGINT'))).toBe(0);
});

test('the boot number is one more at each start, kept in the state file', async () => {
  const state = join(folder, 'boot');
  for (const boot of [1, 2]) {
    const unit = await start(lamp, ...identity, '--state', state);
    expect(decodeHello(dataOf((await openSession(unit.port)).hello)).boot).toBe(boot);
    expect(readFileSync(state, 'utf8')).toBe(`${boot}\n`);
    await ended(unit.child, () => unit.child.kill('SIGTERM'));
  }
  writeFileSync(state, 'rubbish');
  const unit = await start(lamp, ...identity, '--state', state);
  expect(decodeHello(dataOf((await openSession(unit.port)).hello)).boot).toBe(1);
});

test('a restart comes back as the next boot in the same process, on the same port, without a second line', async () => {
  const unit = await start(lamp, ...identity, '--state', join(folder, 'restarted'));
  for (const boot of [1, 2, 3]) {
    const session = await openSession(unit.port);
    expect(decodeHello(dataOf(session.hello)).boot).toBe(boot);
    session.send({
      kind: 'response',
      tracking: trackingOf(session.hello),
      code: 0,
      payload: typed(encodeHelloAnswer(welcome)),
    });
    session.send({ kind: 'request', tracking: 1, payload: typed(encodeRestart(0)) });
    let last: Transmission;
    do last = await session.next();
    while (last.kind !== 'close');
    expect(last.code).toBe(0x01);
  }
  expect(await ended(unit.child, () => unit.child.kill('SIGTERM'))).toBe(0);
  expect(unit.lines.length).toBe(1);
});

test('a base that goes away is no trouble: the next one is served', async () => {
  const unit = await start(lamp, ...identity);
  for (let count = 0; count < 3; count += 1) {
    const session = await openSession(unit.port);
    session.wire.socket.resetAndDestroy();
  }
  expect(decodeHello(dataOf((await openSession(unit.port)).hello)).version).toBe('1.0.0');
});

test.each([
  [[], /--uid NAME and --key HEX32/],
  [['--uid', 'x', '--key', 'abc'], /--key needs 32 hexadecimal digits/],
  [['--uid', 'seventeen-octets!', '--key', '00'.repeat(16)], /--uid needs 1 to 16 octets/],
  [['--listen', 'nowhere'], /--listen needs HOST:PORT/],
  [['--listen', '127.0.0.1:70000'], /--listen needs HOST:PORT/],
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

test('a line unit needs no key: its lines come to whoever connects, and to the next one after that', async () => {
  const unit = await start(light);
  for (let count = 0; count < 2; count += 1) {
    const wire = new Wire(unit.port);
    let text = '';
    await wire.until((octets) => {
      text += octets.toString('ascii');
      return /^(\d+\n){3,}$/.test(text) ? true : undefined;
    });
    const values = text.trim().split('\n').map(Number);
    expect(values[1]).toBe(values[0]! + 1);
    wire.socket.destroy();
  }
  expect(await ended(unit.child, () => unit.child.kill('SIGTERM'))).toBe(0);
});
