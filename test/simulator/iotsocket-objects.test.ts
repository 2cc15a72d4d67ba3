import { createSocket, type Socket } from 'node:dgram';
import { expect, onTestFinished, test } from 'vitest';
import { systemRandom } from '../../base/system.js';
import { decodeDatagram } from '../../protocol/iotsocket/datagram.js';
import { fromHex } from '../../protocol/octets.js';
import type { IotsocketObjectEvent } from '../../simulator/iotsocket-object-event.js';
import { IotsocketObjects, type IotsocketObjectsOptions } from '../../simulator/iotsocket-objects.js';
import {
  CHALLENGE,
  KEY,
  OBJECT_LOGIN,
  type PeerConnection,
  ScriptedPeer,
  within,
} from '../clients/iotsocket/support/scripted-peer.js';
import { ManualClock } from '../support/manual-clock.js';

const TOKEN = '500102030405060708';

class Subject {
  readonly clock = new ManualClock();
  readonly events: IotsocketObjectEvent[] = [];
  readonly objects: IotsocketObjects;
  #look: () => void = () => {};

  constructor(options: Partial<IotsocketObjectsOptions> & Pick<IotsocketObjectsOptions, 'concentrator'>) {
    this.objects = new IotsocketObjects({
      uid: 'ObjTest',
      keyOf: () => fromHex(KEY),
      clock: this.clock,
      random: systemRandom,
      hear: (event) => {
        this.events.push(event);
        this.#look();
      },
      ...options,
    });
    onTestFinished(() => this.objects.stop());
    this.objects.start();
  }

  of<K extends IotsocketObjectEvent['kind']>(kind: K): Extract<IotsocketObjectEvent, { kind: K }>[] {
    return this.events.filter((event): event is Extract<IotsocketObjectEvent, { kind: K }> => event.kind === kind);
  }

  /** Resolves when so many of that kind were heard. */
  heard(kind: IotsocketObjectEvent['kind'], count = 1): Promise<void> {
    return within(`${count} × ${kind}`, (resolve) => {
      this.#look = () => {
        if (this.of(kind).length >= count) resolve();
      };
      this.#look();
    });
  }
}

interface Sink {
  readonly port: number;
  /** What came, as JSON, once it is so much. */
  came(count: number): Promise<unknown[]>;
}

async function sink(): Promise<Sink> {
  const socket: Socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  const values: unknown[] = [];
  let look = (): void => {};
  socket.on('message', (octets) => {
    values.push(JSON.parse(new TextDecoder().decode(decodeDatagram(octets)!.payload.data)));
    look();
  });
  const came = (count: number): Promise<unknown[]> =>
    within(`${count} datagrams`, (resolve) => {
      look = () => {
        if (values.length >= count) resolve(values);
      };
      look();
    });
  return { port: socket.address().port, came };
}

/** Answers the opening of whoever comes, without a look at the login. */
async function letIn(connection: PeerConnection, behind = ''): Promise<string> {
  await connection.expects('01000000');
  connection.send(`8000${CHALLENGE}`);
  const login = await connection.takes(48);
  connection.send(`01${behind}`);
  return login;
}

test('one object: logs in with its key, echoes requests, says goodbye', async () => {
  const peer = await ScriptedPeer.start();
  const subject = new Subject({ concentrator: { host: '127.0.0.1', port: peer.port } });
  const connection = await peer.connection();
  expect(await letIn(connection, '30000aa000027b7d')).toBe(OBJECT_LOGIN);
  await connection.expects('40000a00a000027b7d');
  await Promise.all([subject.objects.stop(), connection.expects('f0a1').then(() => connection.ended())]);
  await subject.objects.stop();
  expect(subject.events).toEqual([
    { kind: 'connected', unit: 'ObjTest', remote: `127.0.0.1:${peer.port}` },
    { kind: 'answered', unit: 'ObjTest', format: 'json', octets: 2 },
    { kind: 'disconnected', unit: 'ObjTest', code: 0xa1 },
  ]);
  expect(subject.clock.waiting).toBe(0);
});

test('draft v0.07', async () => {
  const peer = await ScriptedPeer.start();
  const subject = new Subject({ concentrator: { host: '127.0.0.1', port: peer.port, version: 0 } });
  await peer.opened(OBJECT_LOGIN, '00000000');
  await subject.heard('connected');
});

test('telemetry: as often as was said, the same with the same seed, another with another', async () => {
  const run = async (seed: string): Promise<{ values: unknown[]; firstMs: number }> => {
    const [peer, udp] = [await ScriptedPeer.start(), await sink()];
    const concentrator = { host: '127.0.0.1', port: peer.port, udp: { port: udp.port } };
    const subject = new Subject({ concentrator, seed, everyMs: 5_000 });
    await letIn(await peer.connection(), TOKEN);
    await subject.heard('token');
    const begunAt = subject.clock.monotonic();
    while (subject.of('telemetry').length === 0) await subject.clock.advance(25);
    const firstMs = subject.clock.monotonic() - begunAt;
    for (let count = 2; count <= 5; count += 1) {
      await subject.clock.advance(4_950);
      expect(subject.of('telemetry')).toHaveLength(count - 1);
      await subject.clock.advance(50);
      expect(subject.of('telemetry')).toHaveLength(count);
    }
    const values = await udp.came(5);
    expect(values).toEqual(subject.of('telemetry').map(({ temperature }) => ({ temperature })));
    expect(subject.of('telemetry').every(({ sent }) => sent)).toBe(true);
    await subject.objects.stop();
    return { values: values.slice(0, 5), firstMs };
  };
  const [first, same, other] = [await run('one'), await run('one'), await run('two')];
  expect(same).toEqual(first);
  expect(other.values).not.toEqual(first.values);
  expect(other.firstMs).not.toBe(first.firstMs);
});

test('several have names and keys of their own; eight log in at a time', async () => {
  const peer = await ScriptedPeer.start();
  const concentrator = { host: '127.0.0.1', port: peer.port };
  const subject = new Subject({ concentrator, uid: 'lamp', count: 10, keyOf: undefined, group: 'Lamps' });
  const list = subject.objects.accessList();
  expect(Object.keys(list)).toEqual(Array.from({ length: 10 }, (_, index) => `lamp-${index + 1}`));
  expect(new Set(Object.values(list).map(({ AuthKey }) => AuthKey)).size).toBe(10);
  expect(list['lamp-3']).toEqual({ GroupName: 'Lamps', AuthKey: expect.stringMatching(/^[0-9a-f]{32}$/) });
  const first = await Promise.all(Array.from({ length: 8 }, () => peer.connection()));
  let isNinth = false;
  const ninth = peer.connection().then((connection) => {
    isNinth = true;
    return connection;
  });
  for (const connection of first.slice(1)) await connection.expects('01000000');
  expect(isNinth).toBe(false);
  const logins = [await letIn(first[0]!), await letIn(await ninth)];
  expect(new Set(logins).size).toBe(2);
  await subject.heard('connected', 2);
});

test('comes back after a drop; after a refusal in 5 min', async () => {
  const peer = await ScriptedPeer.start();
  const subject = new Subject({ concentrator: { host: '127.0.0.1', port: peer.port } });
  const first = await peer.connection();
  await letIn(first);
  await subject.heard('connected');
  first.socket.destroy();
  await subject.heard('disconnected');
  const [second] = await Promise.all([peer.connection(), subject.clock.advance(1_025)]);
  await second.expects('01000000');
  second.send('0000');
  await subject.heard('refusedConnection');
  let third: PeerConnection | undefined;
  const coming = peer.connection().then((connection) => {
    third = connection;
  });
  await subject.clock.advance(299_000);
  expect(third).toBeUndefined();
  await Promise.all([coming, subject.clock.advance(1_025)]);
  expect(subject.events.map(({ kind }) => kind)).toEqual(['connected', 'disconnected', 'refusedConnection']);
});

test('stopped while it logs in, or waits for its turn: nothing is left', async () => {
  const peer = await ScriptedPeer.start();
  const subject = new Subject({ concentrator: { host: '127.0.0.1', port: peer.port }, uid: 'o', count: 9 });
  await Promise.all(Array.from({ length: 8 }, () => peer.connection()));
  await subject.objects.stop();
  expect(subject.events).toEqual([]);
  expect(subject.clock.waiting).toBe(0);
});

test.each<[string, Partial<IotsocketObjectsOptions>]>([
  ['none', { count: 0 }],
  ['more than one process has descriptors for', { count: 16_385 }],
  ['a name too long for its number', { uid: 'x'.repeat(15), count: 10 }],
  ['no time between two datagrams', { everyMs: 0 }],
  ['a key of 15 octets', { keyOf: () => new Uint8Array(15) }],
])('%s is refused', (_, wrong) => {
  const make = () =>
    new IotsocketObjects({
      concentrator: { host: '127.0.0.1' },
      uid: 'o',
      clock: new ManualClock(),
      random: systemRandom,
      ...wrong,
    });
  expect(make).toThrow(expect.objectContaining({ code: 'config-invalid' }));
});
