import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SerialAddress } from '../../../base/core/address.js';
import type { Carrier } from '../../../base/links/carrier.js';
import { SerialDialer } from '../../../base/links/serial/serial-dialer.js';
import { openSerialPort, type SerialPort } from '../../../base/links/serial/serial-port.js';
import { TcpDialer } from '../../../base/links/tcp-dialer.js';
import { systemClock } from '../../../base/system.js';
import { descriptorOf } from '../../../protocol/definition/index.js';
import { BaseUnitError } from '../../../protocol/errors.js';
import type { Transmission } from '../../../protocol/iotsocket/transmission.js';
import { fromHex, toHex } from '../../../protocol/octets.js';
import { encodeCommand } from '../../../protocol/unit/heads.js';
import {
  decodeDescribePiece,
  decodeHello,
  encodeDescribe,
  encodeRestart,
  MAX_DESCRIBE_OCTETS,
} from '../../../protocol/unit/system-messages.js';
import { SeededRandom } from '../../../simulator/seeded-random.js';
import { soon } from '../../simulator/support/soon.js';
import { dataOf } from '../runtime/driven-unit.js';
import { generateWide, wide } from './native/wide.js';
import { BaseSession, identity } from './support/base-session.js';
import { buildNative, type NativeProgram, NativePrograms } from './support/native-program.js';
import { layCable, type SerialCable } from './support/serial-cable.js';

let program: string;
const folder = mkdtempSync(join(tmpdir(), 'bu-contract-'));
const programs = new NativePrograms();
const carriers: Carrier[] = [];
beforeAll(async () => {
  program = await buildNative('native-wide', generateWide());
}, 180_000);
afterEach(async () => {
  for (const carrier of carriers.splice(0)) carrier.destroy();
  await programs.stopAll();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A way to a unit. */
interface Way {
  start(...args: readonly string[]): Promise<NativeProgram>;
  dial(): Promise<Carrier>;
  stop(): Promise<void>;
}

async function overTcp(): Promise<Way> {
  let port = 0;
  return {
    start: async (...args) => {
      const unit = programs.start(program, ...identity, '--listen', '127.0.0.1:0', ...args);
      port = await unit.port();
      return unit;
    },
    dial: () => new TcpDialer(systemClock).dial({ host: '127.0.0.1', port }, new AbortController().signal),
    stop: async () => {},
  };
}

async function overSerial(open?: (address: SerialAddress) => Promise<SerialPort>): Promise<Way> {
  const cable: SerialCable = await layCable();
  const dialer = new SerialDialer(systemClock, open);
  return {
    start: async (...args) => {
      const unit = programs.start(program, ...identity, '--serial', cable.unit, ...args);
      expect(await unit.line('serial')).toBe(cable.unit);
      return unit;
    },
    // The system lets go of a port a moment after it was closed.
    dial: () => soon(() => dialer.dial({ serial: cable.base, baud: 115_200 }, new AbortController().signal)),
    stop: cable.stop,
  };
}

/** The octets that a command tells, of that length. */
const octetsOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 5) % 256);
const tell = (id: number, octets: Uint8Array): Uint8Array =>
  encodeCommand({ number: 1, id, fields: Uint8Array.of(octets.length, ...octets) });
/** What the report of the `count`th command holds, behind its age. */
const told = (count: number, octets: Uint8Array): string =>
  `${toHex(Uint8Array.of(count, 0, 0, 0))}${toHex(Uint8Array.of(octets.length, ...octets)).repeat(3)}`;
const withoutAge = (data: Uint8Array): string => toHex(data.subarray(0, 5)) + toHex(data.subarray(9));

describe.each([
  ['TCP', overTcp],
  ['a serial line', overSerial],
] as const)('a unit over %s', (_, lay) => {
  let way: Way;
  beforeEach(async () => {
    way = await lay();
  });
  afterEach(async () => {
    for (const carrier of carriers.splice(0)) carrier.destroy();
    await programs.stopAll();
    await way.stop();
  });

  async function open(key?: Uint8Array): Promise<BaseSession> {
    const carrier = await way.dial();
    carriers.push(carrier);
    return new BaseSession(carrier, key === undefined ? {} : { key });
  }
  /** A session whose hello is answered. */
  async function serve(acknowledged = 0): Promise<BaseSession> {
    const session = await open();
    await session.greet(acknowledged);
    return session;
  }
  /** A serial port is opened again only when it is closed. */
  async function hangUp(session: BaseSession): Promise<void> {
    session.carrier.destroy();
    await session.closed;
  }
  /** What comes until the answer to a ping: nothing more is under way then. */
  async function untilPong(session: BaseSession) {
    session.send({ kind: 'ping' });
    const before = [];
    for (;;) {
      const next = await session.next();
      if (next.kind === 'pong') return before;
      before.push(next);
    }
  }

  test('proves itself, and says hello', async () => {
    await way.start();
    const hello = decodeHello(dataOf(await (await open()).next()));
    expect(hello).toMatchObject({ definition: 'wide', version: '0.0.1', boot: 1, resetReason: 0, kind: 'updatable' });
    expect(hello.freeHeap).toBeUndefined();
  });

  test('answers pings', async () => {
    await way.start();
    const session = await serve();
    expect(await untilPong(session)).toEqual([]);
    expect(await untilPong(session)).toEqual([]);
  });

  test('applies a command once, though it is sent twice, and its report is not repeated once acknowledged', async () => {
    await way.start();
    const session = await serve();
    const octets = octetsOf(3);
    const first = session.request(tell(1, octets));
    expect(await session.next()).toMatchObject({ kind: 'response', tracking: first, code: 0 });
    const report = await session.next();
    expect(withoutAge(dataOf(report))).toBe(`0201000000${told(1, octets)}`);
    session.acknowledge(report);
    const again = session.request(tell(1, octets));
    expect(await session.next()).toMatchObject({ kind: 'response', tracking: again, code: 0 });
    expect(await untilPong(session)).toEqual([]);
    await hangUp(session);
    const later = await serve(1);
    expect(await untilPong(later)).toEqual([]);
  });

  test('sends a report again that the base did not acknowledge', async () => {
    await way.start();
    const session = await serve();
    session.request(tell(1, octetsOf(2)));
    await session.next();
    const report = dataOf(await session.next());
    await hangUp(session);
    const later = await serve();
    expect(withoutAge(dataOf(await later.next()))).toBe(withoutAge(report));
  });

  test.each([0, 1, 120, 250])('a command of %i octets, and a report of three times as many', async (length) => {
    await way.start();
    const session = await serve();
    const octets = octetsOf(length);
    session.request(tell(1, octets));
    expect(await session.next()).toMatchObject({ kind: 'response', code: 0 });
    expect(withoutAge(dataOf(await session.next()))).toBe(`0201000000${told(1, octets)}`);
  });

  test('describes itself', async () => {
    await way.start();
    const session = await serve();
    let told = '';
    const lengths: number[] = [];
    while (told.length < descriptorOf(wide).length) {
      session.request(encodeDescribe(told.length));
      const { total, octets } = decodeDescribePiece(dataOf(await session.next()));
      expect(total).toBe(descriptorOf(wide).length);
      told += Buffer.from(octets).toString();
      lengths.push(octets.length);
    }
    expect(told).toBe(descriptorOf(wide));
    // However large a transmission it has room for.
    expect(lengths[0]).toBe(MAX_DESCRIBE_OCTETS);
  });

  test('has nothing to do with a base that has another key, and serves the right one after it', async () => {
    await way.start();
    const wrong = await open(fromHex('00'.repeat(16)));
    await expect(wrong.next()).rejects.toThrow();
    await hangUp(wrong);
    expect(decodeHello(dataOf(await (await open()).next())).definition).toBe('wide');
  });

  test('tells a base that a restart comes, and is there again as its next boot', async () => {
    await way.start('--state', join(folder, `state-${programs.count}`));
    for (const boot of [1, 2]) {
      const session = await open();
      expect(decodeHello(dataOf(await session.greet()))).toMatchObject({ boot, resetReason: boot === 1 ? 0 : 4 });
      session.request(encodeRestart(0));
      expect(await session.next()).toMatchObject({ kind: 'response', code: 0 });
      expect(await session.next()).toEqual({ kind: 'close', code: 0x01 });
      await hangUp(session);
    }
  });
});

describe('a unit over a noisy serial line', () => {
  let way: Way;
  afterEach(async () => {
    for (const carrier of carriers.splice(0)) carrier.destroy();
    await programs.stopAll();
    await way.stop();
  });

  /** How many are told, one after the other. */
  const COMMANDS = 80;

  /** What a line does to octets that go over it, from when it is told to. */
  class Noise {
    isOn = false;
    harmed = 0;
    readonly #random = new SeededRandom('fluorescent lamp');

    below(count: number): number {
      return Math.floor(this.#random.fraction() * count);
    }
    /** About one octet in 200 is changed, lost, doubled, or has others beside it. */
    harm(octets: Uint8Array): Buffer {
      const out: number[] = [];
      for (const octet of octets) {
        const kind = this.isOn ? this.below(800) : 4;
        if (kind < 4) this.harmed += 1;
        if (kind === 0) out.push(octet ^ (1 << this.below(8)));
        else if (kind === 1) continue;
        else if (kind === 2) out.push(octet, octet);
        else if (kind === 3) out.push(octet, ...Array.from({ length: 1 + this.below(20) }, () => this.below(256)));
        else out.push(octet);
      }
      return Buffer.from(out);
    }
  }

  test('never tells a wrong value, nor applies one, and the session comes back each time', async () => {
    const noise = new Noise();
    way = await overSerial(async (address) => {
      const port = await openSerialPort(address, systemClock);
      const read = async (buffer: Buffer, offset: number, length: number): Promise<{ bytesRead: number }> => {
        // Half the room, for what noise adds.
        const { bytesRead } = await port.read(buffer, offset, length >> 1);
        const octets = noise.harm(buffer.subarray(offset, offset + bytesRead)).subarray(0, length);
        octets.copy(buffer, offset);
        return { bytesRead: octets.length };
      };
      return { ...bound(port), read, write: (octets) => port.write(noise.harm(octets)) };
    });
    await way.start();
    let acknowledged = 0;
    let answered = 0;
    let sessions = 0;

    /**
     * A session, while the line is quiet. What the unit sent in the session before may still be on the line: a base then
     * dials again.
     */
    async function open(): Promise<BaseSession> {
      noise.isOn = false;
      for (;;) {
        const session = new BaseSession(await way.dial());
        carriers.push(session.carrier);
        try {
          await session.greet(acknowledged);
          sessions += 1;
          return session;
        } catch (error) {
          if (!(error instanceof BaseUnitError)) throw error;
          session.carrier.destroy();
          await session.closed;
        }
      }
    }
    /** What the unit says: right, whatever the line did. */
    function hear(session: BaseSession, said: Transmission): void {
      if (said.kind === 'pong') return;
      if (said.kind === 'response') {
        expect(said.code).toBe(0);
        answered += 1;
        return;
      }
      // Every command is applied once and in order: the report of the third is the third, and tells what it told.
      const sequence = Buffer.from(dataOf(said)).readUInt32LE(1);
      expect(withoutAge(dataOf(said)).slice(10)).toBe(told(sequence, octetsOf(sequence)));
      session.acknowledge(said);
      acknowledged = sequence;
    }
    const deaths: string[] = [];
    while (answered < COMMANDS) {
      const session = await open();
      noise.isOn = true;
      // A frame that lost its end is pushed out by the next one.
      const nudge = setInterval(() => session.send({ kind: 'ping' }), 100);
      try {
        for (let waiting = answered; answered < COMMANDS; waiting = answered) {
          session.request(tell(answered + 1, octetsOf(answered + 1)));
          while (answered === waiting) hear(session, await session.next());
        }
      } catch (error) {
        if (!(error instanceof BaseUnitError)) throw error;
        deaths.push(error.code);
      }
      clearInterval(nudge);
      session.carrier.destroy();
      await session.closed;
    }
    const session = await open();
    while (acknowledged < COMMANDS) hear(session, await session.next());
    expect(noise.harmed).toBeGreaterThan(20);
    expect(deaths.length).toBeGreaterThan(10);
    expect(sessions).toBe(deaths.length + 2);
  }, 60_000);
});

/** A port's own methods, so that one can be put in the place of another. */
const bound = (port: Awaited<ReturnType<typeof openSerialPort>>): typeof port => ({
  read: (...args) => port.read(...args),
  write: (octets) => port.write(octets),
  drain: () => port.drain(),
  flush: () => port.flush(),
  set: (lines) => port.set(lines),
  close: () => port.close(),
});
