import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SerialDialer } from '../../../base/links/serial/serial-dialer.js';
import { openSerialPort, type SerialPort } from '../../../base/links/serial/serial-port.js';
import { TcpDialer } from '../../../base/links/tcp-dialer.js';
import { systemClock } from '../../../base/system.js';
import { fromHex, toHex } from '../../../protocol/octets.js';
import { encodeImprov, type ImprovPacket, improvRpc } from '../../../protocol/serial/improv.js';
import { ImprovReader } from '../../../protocol/serial/improv-reader.js';
import { encodeCommand } from '../../../protocol/unit/heads.js';
import { decodeHello, encodeRestart } from '../../../protocol/unit/system-messages.js';
import { soon } from '../../simulator/support/soon.js';
import { here } from '../runtime/cpp-program.js';
import { dataOf, vectorKey } from '../runtime/driven-unit.js';
import { BaseSession, UID } from './support/base-session.js';
import { buildNative, NativePrograms } from './support/native-program.js';
import { layCable, type SerialCable } from './support/serial-cable.js';

const OTHER_KEY = fromHex('00112233445566778899aabbccddeeff');
const identity = (base = '', key = vectorKey): ImprovPacket => improvRpc.identity({ uid: UID, key, base });
const device = (uid: string): ImprovPacket => ({
  kind: 'result',
  command: 3,
  texts: ['led-lamp', '1.0.0', 'native', uid],
});
const done = (command: number): ImprovPacket => ({ kind: 'result', command, texts: [] });

let lamp: string;
const folder = mkdtempSync(join(tmpdir(), 'bu-provision-'));
const programs = new NativePrograms();
let cable: SerialCable;
let state: string;
const clients: Client[] = [];

beforeAll(async () => {
  lamp = await buildNative('native-lamp', `${here}/model/main.cpp`);
}, 180_000);
beforeEach(async () => {
  cable = await layCable();
  state = join(folder, `state-${programs.count}`);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.leave()));
  await programs.stopAll();
  await cable.stop();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A program of a board that was flashed and never told anything. */
const start = async (...more: readonly string[]) => {
  const unit = programs.start(lamp, '--serial', cable.unit, '--state', state, ...more);
  await unit.line('serial');
  return unit;
};

/** What speaks Improv at the base's end of the line. */
class Client {
  readonly #port: SerialPort;
  readonly #reader = new ImprovReader();
  readonly #packets: ImprovPacket[] = [];
  #isLeft = false;
  readonly #read: Promise<void>;

  private constructor(port: SerialPort) {
    this.#port = port;
    this.#read = this.#readAll();
  }

  static async open(): Promise<Client> {
    const client = new Client(await soon(() => openSerialPort({ serial: cable.base, baud: 115_200 }, systemClock)));
    clients.push(client);
    // In a session packets are not looked for: a reset ends what somebody has left behind.
    await client.#port.write(Buffer.from('0003ffff00', 'hex'));
    return client;
  }

  async send(packet: ImprovPacket): Promise<void> {
    await this.#port.write(Buffer.from(encodeImprov(packet)));
  }

  /** The next packets of the unit. */
  async answers(count: number): Promise<readonly ImprovPacket[]> {
    await soon(() => expect(this.#packets.length).toBeGreaterThanOrEqual(count));
    return this.#packets.splice(0, count);
  }

  async leave(): Promise<void> {
    if (this.#isLeft) return;
    this.#isLeft = true;
    await this.#port.close();
    await this.#read;
  }

  async #readAll(): Promise<void> {
    const buffer = Buffer.alloc(256);
    while (!this.#isLeft) {
      try {
        const { bytesRead } = await this.#port.read(buffer, 0, buffer.length);
        this.#packets.push(...this.#reader.push(buffer.subarray(0, bytesRead)));
      } catch (error) {
        if (!this.#isLeft) throw error;
      }
    }
  }
}

/** A session over the line, of a base with that key. */
async function sessionOverLine(key = vectorKey): Promise<BaseSession> {
  const dialer = new SerialDialer(systemClock);
  const address = { serial: cable.base, baud: 115_200 };
  const session = new BaseSession(await soon(() => dialer.dial(address, new AbortController().signal)), { key });
  await session.greet();
  return session;
}
/** The unit says goodbye first. */
async function restart(session: BaseSession): Promise<void> {
  session.request(encodeRestart(0));
  let last = await session.next();
  while (last.kind !== 'close') last = await session.next();
  await hangUp(session);
}
async function hangUp(session: BaseSession): Promise<void> {
  session.carrier.destroy();
  await session.closed;
}

describe('a unit that was flashed and told nothing', () => {
  test('says what it is, takes Wi-Fi and identity, and serves the base that has its key, after a restart too', async () => {
    const unit = await start();
    const client = await Client.open();
    await client.send(improvRpc.device);
    expect(await client.answers(1)).toEqual([device('')]);
    await client.send(improvRpc.state);
    expect(await client.answers(1)).toEqual([{ kind: 'state', state: 'ready' }]);
    await client.send(improvRpc.wifi('house', 'correct horse'));
    const states = ['provisioning', 'provisioned'] as const;
    expect(await client.answers(3)).toEqual([...states.map((state) => ({ kind: 'state', state })), done(1)]);
    await client.send(identity());
    expect(await client.answers(1)).toEqual([done(0xb0)]);
    await client.leave();

    const session = await sessionOverLine();
    await restart(session);
    await hangUp(await sessionOverLine());
    expect(unit.lines.length).toBe(1);
    await unit.end();

    await start();
    const again = await sessionOverLine();
    await hangUp(again);
    const second = await Client.open();
    await second.send(improvRpc.device);
    expect(await second.answers(1)).toEqual([device(UID)]);
    await second.send(improvRpc.state);
    expect(await second.answers(2)).toEqual([{ kind: 'state', state: 'provisioned' }, done(2)]);
  });

  test('serves nobody before it has a key', async () => {
    await start('--listen', '127.0.0.1:0');
    const port = await soon(() => openSerialPort({ serial: cable.base, baud: 115_200 }, systemClock));
    // A reset asks for a session; what is answered is the packet behind it alone.
    await port.write(Buffer.concat([Buffer.from('0003ffff00', 'hex'), Buffer.from(encodeImprov(improvRpc.state))]));
    const expected = Buffer.from(encodeImprov({ kind: 'state', state: 'ready' }));
    let got = Buffer.alloc(0);
    while (got.length < expected.length) {
      const buffer = Buffer.alloc(256);
      const { bytesRead } = await port.read(buffer, 0, buffer.length);
      got = Buffer.concat([got, buffer.subarray(0, bytesRead)]);
    }
    expect(got).toEqual(expected);
    await port.close();
  });

  test('says so when it cannot join, and keeps nothing of it', async () => {
    const unit = await start();
    const client = await Client.open();
    await client.send(improvRpc.wifi('nowhere', 'x'));
    expect(await client.answers(3)).toEqual([
      { kind: 'state', state: 'provisioning' },
      { kind: 'error', error: 'unableToConnect' },
      { kind: 'state', state: 'ready' },
    ]);
    await client.leave();
    await unit.end();
    await start();
    const later = await Client.open();
    await later.send(improvRpc.state);
    expect(await later.answers(1)).toEqual([{ kind: 'state', state: 'ready' }]);
  });

  test('begins to listen when it has an identity, if it is to listen', async () => {
    const unit = await start('--listen', '127.0.0.1:0');
    const client = await Client.open();
    await client.send(identity());
    expect(await client.answers(1)).toEqual([done(0xb0)]);
    const address = { host: '127.0.0.1', port: await unit.port() };
    const session = new BaseSession(await new TcpDialer(systemClock).dial(address, new AbortController().signal));
    await session.greet();
    session.carrier.destroy();
  });

  test('dials the base whose address comes with the identity', async () => {
    const server = createServer();
    const dialled = new Promise<void>((resolve) => {
      server.on('connection', (socket) => {
        socket.on('error', () => {});
        socket.destroy();
        resolve();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const unit = await start();
    const client = await Client.open();
    await client.send(identity(`127.0.0.1:${port}`));
    expect(await client.answers(1)).toEqual([done(0xb0)]);
    expect(await unit.line('dialling')).toBe(`127.0.0.1:${port}`);
    await dialled;
    await new Promise((resolve) => server.close(resolve));
  });
});

test('another identity within 60 s of power-up ends the session that is served with the one before', async () => {
  const unit = await start('--listen', '127.0.0.1:0');
  const client = await Client.open();
  await client.send(identity());
  expect(await client.answers(1)).toEqual([done(0xb0)]);
  const address = { host: '127.0.0.1', port: await unit.port() };
  const dial = () => new TcpDialer(systemClock).dial(address, new AbortController().signal);
  const session = new BaseSession(await dial());
  await session.greet();
  await client.send(identity('', OTHER_KEY));
  expect(await client.answers(1)).toEqual([done(0xb0)]);
  await session.closed;
  const next = new BaseSession(await dial(), { key: OTHER_KEY });
  expect(decodeHello(dataOf(await next.greet())).definition).toBe('led-lamp');
  next.carrier.destroy();
  expect(unit.complaints).not.toContain(Buffer.from(OTHER_KEY).toString('hex'));
});

test('a command of the base of another key is applied, though one of the base before had its id', async () => {
  await start();
  const client = await Client.open();
  await client.send(identity());
  await client.answers(1);
  await client.leave();
  for (const [key, color] of [
    [vectorKey, '0a0b0c'],
    [OTHER_KEY, '0d0e0f'],
  ] as const) {
    const session = await sessionOverLine(key);
    session.request(encodeCommand({ number: 1, id: 1, fields: fromHex(color) }));
    let last = await session.next();
    // What it reports is what it shows; of the one before it may have something to say.
    while (!(last.kind === 'request' && toHex(dataOf(last)).slice(18, 24) === color)) {
      if (last.kind === 'request') session.acknowledge(last);
      last = await session.next();
    }
    session.acknowledge(last);
    await hangUp(session);
    if (key === OTHER_KEY) return;
    const again = await Client.open();
    await again.send(identity('', OTHER_KEY));
    await again.answers(1);
    await again.leave();
  }
});

test('a unit that restarted by itself has had its 60 s: its identity stays', async () => {
  await start();
  const client = await Client.open();
  await client.send(identity());
  await client.answers(1);
  await client.leave();
  const session = await sessionOverLine();
  await restart(session);
  // Only its next boot is the unit that restarted.
  await hangUp(await sessionOverLine());
  const later = await Client.open();
  await later.send(identity('', OTHER_KEY));
  expect(await later.answers(1)).toEqual([{ kind: 'error', error: 'notAuthorised' }]);
  await later.leave();
  await hangUp(await sessionOverLine());
});
