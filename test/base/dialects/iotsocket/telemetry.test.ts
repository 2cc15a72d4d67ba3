import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { defaultIotsocketLimits, type IotsocketLimits } from '../../../../base/dialects/iotsocket/iotsocket-limits.js';
import type { GroupOptions } from '../../../../base/dialects/iotsocket/iotsocket-options.js';
import type { Peer } from '../../../../base/dialects/iotsocket/peer.js';
import { TelemetryServer } from '../../../../base/dialects/iotsocket/telemetry-server.js';
import { TelemetryTokens } from '../../../../base/dialects/iotsocket/telemetry-tokens.js';
import { TICK_MS, tickOf } from '../../../../base/dialects/iotsocket/ticks.js';
import { systemRandom } from '../../../../base/system.js';
import { encodeAccessList } from '../../../../protocol/iotsocket/access-list.js';
import { fromHex, toHex } from '../../../../protocol/octets.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';
import { QuietLog } from '../../../support/quiet-log.js';
import { HttpReceiver } from '../../uplinks/http-receiver.js';
import { soon } from '../../uplinks/soon.js';
import { ConcentratorRig, type RigOptions } from './concentrator-rig.js';
import { KEY, type OctetPeer, uidHex } from './octet-peer.js';
import { peerOf } from './session-rig.js';

const OBJ = uidHex('ObjTest');
const KIB = 1_024;
/** ASCII `21.5`, of the vectors. */
const BLOCK = '10000432312e35';
const u16 = (number: number): string => number.toString(16).padStart(4, '0');
const blockOf = (octets: number): string => `00${u16(octets)}${'5a'.repeat(octets)}`;
const asciiBlock = (text: string): string => `10${u16(text.length)}${Buffer.from(text, 'latin1').toString('hex')}`;

/** What sends datagrams, and is never answered. */
class Sensor {
  sent = 0;
  answered = 0;
  readonly #socket: Socket;
  readonly #port: number;

  private constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
    socket.on('message', () => {
      this.answered += 1;
    });
  }

  static async at(port: number, address = '127.0.0.1'): Promise<Sensor> {
    const socket = createSocket('udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    onTestFinished(() => void socket.close());
    return new Sensor(socket, port);
  }

  send(...parts: readonly string[]): void {
    this.sent += 1;
    this.#socket.send(fromHex(parts.join('')), this.#port, '127.0.0.1');
  }
}

describe('the server', () => {
  async function serve(limits: Partial<IotsocketLimits> = {}, host = '127.0.0.1') {
    const [clock, log] = [new ManualClock(), new QuietLog()];
    const all = { ...defaultIotsocketLimits, ...limits };
    const tokens = new TelemetryTokens(systemRandom);
    const taken: { uid: string; hex: string; at: number }[] = [];
    const take = ({ uid }: Peer, datagram: Buffer, at: number) =>
      void taken.push({ uid, hex: datagram.toString('hex'), at });
    const server = new TelemetryServer({ tokens, limits: all, take, clock, log });
    const { port } = await server.listen({ host, port: 0 });
    onTestFinished(() => server.close());
    const sensor = await Sensor.at(port);
    const issue = (uid = 'ObjTest', expires = 9_000) => toHex(tokens.issue(peerOf(uid), '127.0.0.1', expires).octets);
    /** Every datagram so far was taken or refused. */
    const counts = async (...sensors: readonly Sensor[]) => {
      const sent = [sensor, ...sensors].reduce((sum, each) => sum + each.sent, 0);
      const known = (): number => Object.values(server.counts).reduce((sum, count) => sum + count, 0);
      await soon(() => expect(known()).toBe(sent));
      return Object.fromEntries(Object.entries(server.counts).filter(([, count]) => count > 0));
    };
    const refusalsLogged = () => log.lines.filter(({ message }) => message === 'a datagram was refused').length;
    return { server, port, tokens, clock, log, taken, sensor, issue, counts, refusalsLogged };
  }

  test('takes the vector: token and payload block', async () => {
    const { tokens, sensor, taken, counts } = await serve();
    const octets = fromHex('0102030405060708');
    const vector = new TelemetryTokens({ ...systemRandom, octets: () => octets });
    vector.issue(peerOf('ObjTest'), '127.0.0.1', 9_000);
    tokens.find = (datagram) => vector.find(datagram);
    sensor.send('010203040506070810000432312e35');
    expect(await counts()).toEqual({ taken: 1 });
    expect(taken).toEqual([{ uid: 'ObjTest', hex: '010203040506070810000432312e35', at: 8 }]);
  });

  test('drops and counts a length that does not add up, every one around', async () => {
    const { sensor, issue, counts, taken } = await serve({ datagramsPerTokenPerS: 1_000 });
    const token = issue();
    for (let octets = 0; octets < 40; octets += 1) sensor.send(`${token}000009${'5a'.repeat(40)}`.slice(0, 2 * octets));
    expect(await counts()).toEqual({ length: 39, taken: 1 });
    expect(taken.map(({ hex }) => hex.length / 2)).toEqual([20]);
    // Announced 0, and more than there can be.
    sensor.send(token, '000000');
    sensor.send(token, '00000000');
    sensor.send(token, '00ffff', '5a'.repeat(100));
    expect(await counts()).toEqual({ length: 41, taken: 2 });
  });

  test('takes 1 400 octets; one more is dropped', async () => {
    const { sensor, issue, counts } = await serve();
    const token = issue();
    sensor.send(token, blockOf(1_400 - 11));
    expect(await counts()).toEqual({ taken: 1 });
    sensor.send(token, blockOf(1_400 - 10));
    expect(await counts()).toEqual({ taken: 1, length: 1 });
  });

  test('drops tokens that nobody has, also where only the last bit is another', async () => {
    const { sensor, issue, counts } = await serve();
    const token = issue();
    for (let octet = 0; octet < 8; octet += 1) {
      const wrong = fromHex(token);
      wrong[octet]! ^= 1;
      sensor.send(toHex(wrong), BLOCK);
    }
    sensor.send('00'.repeat(8), BLOCK);
    expect(await counts()).toEqual({ 'unknown token': 9 });
  });

  test('takes a token until its tick, not at it', async () => {
    const { sensor, issue, counts, clock } = await serve();
    const token = issue('ObjTest', tickOf(clock) + 9);
    await clock.advance(9 * TICK_MS - 1);
    sensor.send(token, BLOCK);
    expect(await counts()).toEqual({ taken: 1 });
    await clock.advance(1);
    sensor.send(token, BLOCK);
    expect(await counts()).toEqual({ taken: 1, 'expired token': 1 });
  });

  test("drops what does not come from the session's address", async () => {
    const { port, sensor, issue, counts } = await serve();
    const token = issue();
    const stranger = await Sensor.at(port, '127.0.0.2');
    stranger.send(token, BLOCK);
    expect(await counts(stranger)).toEqual({ "another session's address": 1 });
    sensor.send(token, BLOCK);
    expect(await counts(stranger)).toMatchObject({ taken: 1 });
  });

  test('takes IPv4 on a socket for both families', async () => {
    const { sensor, issue, counts } = await serve({}, '::');
    sensor.send(issue(), BLOCK);
    expect(await counts()).toEqual({ taken: 1 });
  });

  test('takes 20 a second of a token; one more is dropped, and another token is not touched', async () => {
    const { sensor, issue, counts, clock } = await serve();
    const [token, other] = [issue(), issue('Other')];
    for (let sent = 0; sent < 20; sent += 1) sensor.send(token, BLOCK);
    expect(await counts()).toEqual({ taken: 20 });
    sensor.send(token, BLOCK);
    sensor.send(other, BLOCK);
    expect(await counts()).toEqual({ taken: 21, 'too many': 1 });
    await clock.advance(49);
    sensor.send(token, BLOCK);
    expect(await counts()).toEqual({ taken: 21, 'too many': 2 });
    await clock.advance(1);
    sensor.send(token, BLOCK);
    expect(await counts()).toEqual({ taken: 22, 'too many': 2 });
  });

  test('takes 2 000 a second in all; one more is dropped', async () => {
    const { sensor, issue, counts, clock } = await serve();
    for (let object = 0; object < 100; object += 1) {
      const token = issue(`object ${object}`);
      for (let sent = 0; sent < 20; sent += 1) sensor.send(token, BLOCK);
      await counts();
    }
    expect(await counts()).toEqual({ taken: 2_000 });
    const one = issue('one more');
    sensor.send(one, BLOCK);
    expect(await counts()).toEqual({ taken: 2_000, 'too many': 1 });
    await clock.advance(1);
    sensor.send(one, BLOCK);
    sensor.send(one, BLOCK);
    sensor.send(one, BLOCK);
    expect(await counts()).toEqual({ taken: 2_002, 'too many': 2 });
  });

  test('does not let strangers use up what tokens may send', async () => {
    const { sensor, issue, counts } = await serve({ datagramsPerS: 10 });
    const token = issue();
    for (let sent = 0; sent < 50; sent += 1) sensor.send('ff'.repeat(8), BLOCK);
    sensor.send(token, BLOCK);
    expect(await counts()).toEqual({ 'unknown token': 50, taken: 1 });
  });

  test('tells its log of 5 refusals a second, and nobody else of any', async () => {
    const { sensor, issue, counts, clock, log, refusalsLogged } = await serve();
    const token = issue();
    for (let sent = 0; sent < 20; sent += 1) sensor.send(token, '5a');
    await counts();
    expect(refusalsLogged()).toBe(5);
    await clock.advance(200);
    for (let sent = 0; sent < 20; sent += 1) sensor.send(token, '5a');
    await counts();
    expect(refusalsLogged()).toBe(6);
    expect(log.lines.at(-1)).toEqual({
      level: 'debug',
      fields: { address: '127.0.0.1', reason: 'length' },
      message: 'a datagram was refused',
    });
    expect(sensor.answered).toBe(0);
  });

  test('never fails, whatever comes: a thousand datagrams of anything', async () => {
    const { sensor, issue, counts } = await serve({ datagramsPerTokenPerS: 10_000, datagramsPerS: 10_000 });
    const token = issue();
    for (let sent = 0; sent < 1_000; sent += 1) {
      const anything = toHex(systemRandom.octets(sent % 40));
      sensor.send(sent % 2 === 0 ? token : '', anything);
      if (sent % 100 === 99) await counts();
    }
    sensor.send(token, BLOCK);
    expect((await counts()).taken).toBeGreaterThan(0);
  });

  test('a port in use is said, and closing twice is closing', async () => {
    const { server, port, tokens, clock, log } = await serve();
    const second = new TelemetryServer({ tokens, limits: defaultIotsocketLimits, take: () => {}, clock, log });
    await expect(second.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'port-in-use' });
    await Promise.all([second.close(), second.close()]);
    await server.close();
    await server.close();
  });
});

describe('tokens', () => {
  const issueTo = (tokens: TelemetryTokens, peer: Peer, address = '127.0.0.1') => tokens.issue(peer, address, 9_000);
  const isLive = (tokens: TelemetryTokens, { octets }: { octets: Buffer }): boolean =>
    tokens.find(octets) !== undefined;

  test('two of a session are live; a third ends the oldest', () => {
    const tokens = new TelemetryTokens(systemRandom);
    const peer = peerOf('ObjTest');
    const issued = [issueTo(tokens, peer), issueTo(tokens, peer)];
    expect(issued.map((each) => isLive(tokens, each))).toEqual([true, true]);
    issued.push(issueTo(tokens, peer));
    expect(issued.map((each) => isLive(tokens, each))).toEqual([false, true, true]);
    expect([tokens.size, peer.tokens?.length]).toEqual([2, 2]);
  });

  test('of a session that has another address now end with the next', () => {
    const tokens = new TelemetryTokens(systemRandom);
    const peer = peerOf('ObjTest');
    const issued = [issueTo(tokens, peer), issueTo(tokens, peer, '127.0.0.2')];
    expect(issued.map((each) => isLive(tokens, each))).toEqual([false, true]);
    expect([tokens.size, peer.tokens?.length]).toEqual([1, 1]);
  });

  test('all end with the session, and no other does', () => {
    const tokens = new TelemetryTokens(systemRandom);
    const [peer, other] = [peerOf('ObjTest'), peerOf('Other')];
    const issued = [issueTo(tokens, peer), issueTo(tokens, peer), issueTo(tokens, other)];
    tokens.revoke(peer);
    tokens.revoke(peer);
    expect(issued.map((each) => isLive(tokens, each))).toEqual([false, false, true]);
    expect([tokens.size, peer.tokens, peer.renewsAt]).toEqual([1, undefined, 0]);
  });

  test('are random, and never one that somebody has, or that is found as another', () => {
    const drawn = ['0102030405060708', '0102030405060708', '0102030405060709', '0102030405060807'].map(fromHex);
    const tokens = new TelemetryTokens({ ...systemRandom, octets: () => drawn.shift()! });
    const first = issueTo(tokens, peerOf('a'));
    expect(toHex(first.octets)).toBe('0102030405060708');
    expect(toHex(issueTo(tokens, peerOf('b')).octets)).toBe('0102030405060807');
    const many = new TelemetryTokens(systemRandom);
    const seen = new Set(Array.from({ length: 1_000 }, (_, n) => toHex(issueTo(many, peerOf(`${n}`)).octets)));
    expect(seen.size).toBe(1_000);
    const ones = [...seen].reduce((sum, hex) => sum + BigInt(`0x${hex}`).toString(2).replaceAll('0', '').length, 0);
    expect(Math.abs(ones - 32_000)).toBeLessThan(2_000);
  });
});

describe('over sessions', () => {
  const udp = { host: '127.0.0.1', port: 0 };

  async function start(given: RigOptions = {}) {
    const limits = { datagramRefusalsLoggedPerS: 1_000, ...given.limits };
    const rig = await ConcentratorRig.start({ ...given, options: { udp, ...given.options }, limits });
    onTestFinished(() => rig.stop());
    const sensor = await Sensor.at(rig.ports.udp);
    const refusals = () =>
      rig.log.lines.filter(({ message }) => message === 'a datagram was refused').map(({ fields }) => fields.reason);
    /** What has become of every datagram: they are taken in order. */
    let known = 0;
    const outcome = async () => {
      await soon(() => expect(rig.reports.length + refusals().length).toBe(known + sensor.sent));
      return [rig.reports.length, refusals()];
    };
    /** Sends one with a token and gives whether it was taken, or why not. */
    const tryToken = async (token: string, from: Sensor = sensor): Promise<unknown> => {
      const [taken, refused] = [rig.reports.length, refusals().length];
      from.send(token, BLOCK);
      if (from !== sensor) known += 1;
      await soon(() => expect(rig.reports.length + refusals().length).toBe(taken + refused + 1));
      return refusals()[refused] ?? 'taken';
    };
    const warned = (what: string) => rig.warnings().filter((line) => line.includes(what)).length;
    return { rig, sensor, refusals, outcome, tryToken, warned };
  }

  /** The token that comes next. */
  async function tokenOf(object: OctetPeer): Promise<string> {
    const transmission = await object.read(9);
    expect(transmission).toMatch(/^50/);
    return transmission.slice(2);
  }

  const listOf = (entries: readonly (readonly [uid: string, group: string])[]): string =>
    toHex(encodeAccessList(entries.map(([uid, group]) => ({ uid, group, key: KEY }))));
  const group: GroupOptions = {
    telemetry: true,
    telemetryTokenLifeMs: 900_000,
    pingAfterMs: 15_000,
    deadAfterMs: 45_000,
  };
  const twoGroups = new Map([
    ['Devices', group],
    ['Silent', { ...group, telemetry: false }],
  ]);

  test('the vector: from a datagram to the central, octet by octet, and to our own bus', async () => {
    const { rig, sensor, outcome } = await start();
    const central = await rig.central();
    const object = await rig.open('ObjTest');
    sensor.send(await tokenOf(object), '10000432312e35');
    expect(await central.read(24)).toBe('680000000000000000004f626a5465737410000432312e35');
    expect(await outcome()).toEqual([1, []]);
    expect(rig.reports).toEqual([{ uid: 'ObjTest', payload: { format: 'ascii', value: '21.5' } }]);
    expect(sensor.answered).toBe(0);
  });

  test.each([0, 1] as const)(
    'an object of version %i gets a token first of all; the central gets none',
    async (version) => {
      const { rig } = await start();
      const object = await rig.open('ObjTest', { version });
      await tokenOf(object);
      expect(await object.isQuiet()).toBe(true);
      expect(await (await rig.central({ version })).isQuiet()).toBe(true);
    },
  );

  test('without UDP nobody gets a token', async () => {
    const { rig } = await start({ options: { udp: undefined } });
    expect(await (await rig.open('ObjTest')).isQuiet()).toBe(true);
  });

  test('only groups with telemetry get a token; who changes groups gets one, or loses it', async () => {
    const entry = (GroupName: string) => ({ GroupName, AuthKey: toHex(KEY) });
    const { rig, tryToken } = await start({
      options: { groups: twoGroups },
      accessList: JSON.stringify({ loud: entry('Devices'), silent: entry('Silent') }),
    });
    const [loud, silent, central] = [await rig.open('loud'), await rig.open('silent'), await rig.central()];
    const token = await tokenOf(loud);
    expect(await silent.isQuiet()).toBe(true);
    expect(await tryToken(token)).toBe('taken');
    await central.read(1 + 16 + 7);
    central.write(
      listOf([
        ['loud', 'Silent'],
        ['silent', 'Devices'],
      ]),
    );
    expect(await central.isQuiet()).toBe(true);
    expect(await tryToken(token)).toBe('unknown token');
    expect(await tryToken(await tokenOf(silent))).toBe('taken');
    expect(await loud.isQuiet()).toBe(true);
  });

  test('a token is renewed when two thirds of its life are over; the one before lives to its end', async () => {
    const { rig, tryToken } = await start({ group: { telemetryTokenLifeMs: 9_000 } });
    const object = await rig.open('ObjTest');
    const first = await tokenOf(object);
    await rig.manual.advance(5_900);
    expect(await object.isQuiet()).toBe(true);
    await rig.manual.advance(100);
    const second = await tokenOf(object);
    expect(second).not.toBe(first);
    expect(await tryToken(first)).toBe('taken');
    expect(await tryToken(second)).toBe('taken');
    await rig.manual.advance(2_999);
    expect(await tryToken(first)).toBe('taken');
    await rig.manual.advance(1);
    expect(await tryToken(first)).toBe('expired token');
    expect(await tryToken(second)).toBe('taken');
    await rig.manual.advance(3_000);
    const third = await tokenOf(object);
    expect(await tryToken(first)).toBe('unknown token');
    expect(await tryToken(second)).toBe('taken');
    expect(await tryToken(third)).toBe('taken');
  });

  test('a token dies with its session, whoever ends it', async () => {
    const { rig, tryToken, sensor } = await start();
    for (const end of ['f000', 'f003', 'ff']) {
      const object = await rig.open('ObjTest');
      const token = await tokenOf(object);
      expect(await tryToken(token)).toBe('taken');
      object.write(end);
      await object.readAll();
      expect(await tryToken(token)).toBe('unknown token');
    }
    expect(sensor.answered).toBe(0);
  });

  test('a token lives while its session is kept, and no longer', async () => {
    const { rig, tryToken } = await start({ group: { telemetryTokenLifeMs: 900_000 } });
    const sleeper = await rig.open('ObjTest');
    const token = await tokenOf(sleeper);
    sleeper.write('f0a0');
    await sleeper.readAll();
    expect(await tryToken(token)).toBe('taken');
    await rig.manual.advance(59_000);
    expect(await tryToken(token)).toBe('taken');
    await rig.manual.advance(2_000);
    expect(await tryToken(token)).toBe('unknown token');
  });

  test('one whose connection was cut goes on, and gets a new token when it comes back', async () => {
    const { rig, tryToken } = await start();
    const lost = await rig.open('ObjTest');
    const first = await tokenOf(lost);
    await lost.cut();
    await soon(() => expect(rig.presence).toContain('ObjTest offline: its connection was lost'));
    expect(await tryToken(first)).toBe('taken');
    const second = await tokenOf(await rig.open('ObjTest'));
    const third = await tokenOf(await rig.open('ObjTest'));
    expect(await tryToken(first)).toBe('unknown token');
    expect(await tryToken(second)).toBe('taken');
    expect(await tryToken(third)).toBe('taken');
  });

  test('a token is good from the address of its session alone, also when that changes', async () => {
    const { rig, tryToken } = await start();
    const elsewhere = await Sensor.at(rig.ports.udp, '127.0.0.2');
    const first = await tokenOf(await rig.open('ObjTest'));
    expect(await tryToken(first)).toBe('taken');
    expect(await tryToken(first, elsewhere)).toBe("another session's address");
    const second = await tokenOf(await rig.open('ObjTest', { from: '127.0.0.2' }));
    expect(await tryToken(first)).toBe('unknown token');
    expect(await tryToken(second)).toBe("another session's address");
    expect(await tryToken(second, elsewhere)).toBe('taken');
  });

  test('what was recorded before a revocation is nothing after it, nor when the object is back', async () => {
    const { rig, tryToken } = await start({ objects: ['ObjTest', 'Other'] });
    const central = await rig.central();
    const object = await rig.open('ObjTest');
    const token = await tokenOf(object);
    expect(await tryToken(token)).toBe('taken');
    await central.read(24);
    central.write(listOf([['Other', 'Devices']]));
    expect(await object.readAll()).toBe('f001');
    expect(await tryToken(token)).toBe('unknown token');
    central.write(
      listOf([
        ['ObjTest', 'Devices'],
        ['Other', 'Devices'],
      ]),
    );
    expect(await central.isQuiet()).toBe(true);
    expect(await tryToken(token)).toBe('unknown token');
    const again = await tokenOf(await rig.open('ObjTest'));
    expect(await tryToken(token)).toBe('unknown token');
    expect(await tryToken(again)).toBe('taken');
  });

  test('what is dropped is told nobody', async () => {
    const { rig, sensor, outcome } = await start();
    const [central, object] = [await rig.central(), await rig.open('ObjTest')];
    const token = await tokenOf(object);
    sensor.send('00'.repeat(8), BLOCK);
    sensor.send(token, '10000532312e35');
    sensor.send(token, blockOf(1_390));
    expect(await outcome()).toEqual([0, ['unknown token', 'length', 'length']]);
    expect([await central.isQuiet(), await object.isQuiet(), sensor.answered]).toEqual([true, true, 0]);
    expect(rig.warnings()).toEqual([]);
  });

  test('a token sends 20 a second, and its renewal as many', async () => {
    const { rig, sensor, outcome } = await start();
    const first = await tokenOf(await rig.open('ObjTest'));
    for (let sent = 0; sent < 21; sent += 1) sensor.send(first, asciiBlock(`${sent}`));
    expect(await outcome()).toEqual([20, ['too many']]);
    expect(rig.reports.map(({ payload }) => payload.value)).toEqual(Array.from({ length: 20 }, (_, n) => `${n}`));
    await rig.manual.advance(1_000);
    for (let sent = 0; sent < 21; sent += 1) sensor.send(first, BLOCK);
    expect(await outcome()).toEqual([40, ['too many', 'too many']]);
  });

  test('every format is told as what it is', async () => {
    const { rig, sensor, outcome } = await start();
    const central = await rig.central();
    const token = await tokenOf(await rig.open('ObjTest'));
    const octets = (text: string): string => Buffer.from(text).toString('hex');
    const block = (head: string, data: string): string => `${head}${u16(data.length / 2)}${data}`;
    const blocks: [block: string, payload: object][] = [
      [block('00', '00ff80'), { format: 'binary', value: [0, 255, 128] }],
      [block('01', ''), { format: 'binary', value: [] }],
      [block('10', octets('21.5')), { format: 'ascii', value: '21.5' }],
      [block('10', 'c3a9'), { format: 'binary', value: [0xc3, 0xa9] }],
      [block('20', octets('é\u0000')), { format: 'utf8', value: 'é\u0000' }],
      [block('20', 'c3'), { format: 'binary', value: [0xc3] }],
      [block('a0', octets('{"t":21.5}')), { format: 'json', value: { t: 21.5 } }],
      [block('a7', octets('null')), { format: 'json', value: null }],
      [block('a0', octets('{"t":')), { format: 'binary', value: [...Buffer.from('{"t":')] }],
      [block('a0', ''), { format: 'binary', value: [] }],
      [
        block('a0', octets(`${'['.repeat(65)}${']'.repeat(65)}`)),
        { format: 'utf8', value: `${'['.repeat(65)}${']'.repeat(65)}` },
      ],
      [block('50', octets('?')), { format: 'binary', value: [0x3f] }],
    ];
    for (const [hex] of blocks) sensor.send(token, hex);
    expect(await outcome()).toEqual([blocks.length, []]);
    expect(rig.reports.map(({ payload }) => payload)).toEqual(blocks.map(([, payload]) => payload));
    // The central gets each as it is.
    const expected = blocks.map(([hex]) => `68${OBJ}${hex}`).join('');
    expect(await central.read(expected.length / 2)).toBe(expected);
  });

  test('while the central is away but kept it is dropped for it, and told on the bus', async () => {
    const { rig, sensor, outcome, warned } = await start();
    const central = await rig.central();
    const token = await tokenOf(await rig.open('ObjTest'));
    central.write('f0a0');
    await central.readAll();
    sensor.send(token, BLOCK);
    sensor.send(token, BLOCK);
    expect(await outcome()).toEqual([2, []]);
    expect(warned('telemetry for a central that is away')).toBe(1);
    const again = await rig.central();
    sensor.send(token, asciiBlock('now'));
    expect(await again.read(23)).toBe(`68${OBJ}${asciiBlock('now')}`);
    expect(await again.isQuiet()).toBe(true);
  });

  test('with no central session it goes to the webhook; with one, live or kept, never', async () => {
    const receiver = await HttpReceiver.start();
    onTestFinished(() => receiver.stop());
    const { rig, sensor, outcome } = await start({
      webhooks: { telemetry: `${receiver.url}/telemetry`, allowPrivate: true },
      options: { keepSessionMs: 5_000 },
    });
    const token = await tokenOf(await rig.open('ObjTest'));
    sensor.send(token, asciiBlock('before'));
    await soon(() => expect(receiver.received).toHaveLength(1));
    expect(receiver.received[0]).toMatchObject({
      method: 'POST',
      path: '/telemetry',
      body: '{"UID":"ObjTest","Payload":"before","Format":"ASCII"}',
    });
    const central = await rig.central();
    sensor.send(token, asciiBlock('live'));
    await central.read(24);
    central.write('f0a1');
    await central.readAll();
    sensor.send(token, asciiBlock('kept'));
    expect(await outcome()).toEqual([3, []]);
    await rig.manual.advance(5_500);
    sensor.send(token, asciiBlock('after'));
    await soon(() => expect(receiver.received).toHaveLength(2));
    expect(receiver.received.map(({ body }) => JSON.parse(body).Payload)).toEqual(['before', 'after']);
  });

  test.each([
    ['a central that never came', true, 1],
    ['no central at all', false, 0],
  ])('with %s and no webhook it is told on the bus alone', async (_, hasCentral, warnings) => {
    const { rig, sensor, outcome, warned } = await start({ hasCentral });
    const token = await tokenOf(await rig.open('ObjTest'));
    sensor.send(token, BLOCK);
    expect(await outcome()).toEqual([1, []]);
    expect(warned('telemetry without a central')).toBe(warnings);
  });

  test("the central's maximum counts the whole transmission; past it telemetry is dropped for it", async () => {
    const { rig, sensor, outcome, warned } = await start();
    const central = await rig.central({ max: 24 });
    const token = await tokenOf(await rig.open('ObjTest'));
    sensor.send(token, asciiBlock('21.50'));
    sensor.send(token, asciiBlock('21.5'));
    expect(await central.read(24)).toBe(`68${OBJ}${BLOCK}`);
    expect(await central.isQuiet()).toBe(true);
    expect(await outcome()).toEqual([2, []]);
    expect(warned('telemetry longer than the central takes')).toBe(1);
  });

  test('for a central that takes too little telemetry is dropped, requests are not', async () => {
    const { rig, sensor, outcome, warned } = await start({
      objects: ['ObjTest', 'Flood', 'Other'],
      limits: {
        transmissionBurst: 1_000_000,
        unsentPauseOctets: 72 * KIB,
        unsentOctets: 144 * KIB,
        datagramsPerTokenPerS: 100_000,
        datagramsPerS: 100_000,
      },
    });
    const central = await rig.central();
    const [object, flood, other] = [await rig.open('ObjTest'), await rig.open('Flood'), await rig.open('Other')];
    const token = await tokenOf(object);
    await Promise.all([tokenOf(flood), tokenOf(other)]);
    central.stream.pause();
    // Until the buffers of the system are full: then the flood is not read on, and telemetry is dropped.
    const request = (number: number): string => `30${u16(number)}${asciiBlock('5'.repeat(4_000))}`;
    const isDropped = (): boolean => warned('telemetry for a central that takes too little') > 0;
    let requests = 0;
    let readings = 0;
    for (; !isDropped(); readings += 1) {
      if (flood.socket.writableLength === 0) {
        flood.write(Array.from({ length: 16 }, (_, n) => request(requests + n)).join(''));
        requests += 16;
      }
      await settle();
      sensor.send(token, BLOCK);
      await outcome();
    }
    other.write('300007000000');
    await soon(() => expect(rig.requests.at(-1)?.uid).toBe('Other'));
    // It reads on, and has every request, in order, and no telemetry but what came before.
    central.stream.resume();
    const flooded: string[] = [];
    let [fromOther, telemetry] = [0, 0];
    while (flooded.length < requests || fromOther === 0) {
      const head = await central.read(20);
      if (head.startsWith('68')) {
        telemetry += 1;
        await central.read(4);
        continue;
      }
      const octets = Number.parseInt(await central.read(2), 16);
      await central.read(octets);
      if (head.startsWith(`38${uidHex('Other')}`)) fromOther += 1;
      else flooded.push(head.startsWith(`38${uidHex('Flood')}`) && octets === 4_000 ? head.slice(34, 38) : head);
    }
    expect(flooded).toEqual(Array.from({ length: requests }, (_, n) => u16(n)));
    expect(telemetry).toBe(readings - 1);
    sensor.send(token, BLOCK);
    expect(await central.read(24)).toBe(`68${OBJ}${BLOCK}`);
    expect(await flood.isQuiet()).toBe(true);
    expect(rig.presence.filter((line) => line.includes('offline'))).toEqual([]);
  });
});
