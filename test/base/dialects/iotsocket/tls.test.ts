import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { WATCH_EVERY_MS } from '../../../../base/links/watched-file.js';
import { settle } from '../../../support/manual-clock.js';
import { temporaryFolder } from '../../config/temporary-folder.js';
import { type Certificates, makeCertificates } from '../../uplinks/certificates.js';
import { ConcentratorRig, type RigOptions } from './concentrator-rig.js';
import { OctetPeer, uidHex } from './octet-peer.js';
import { loginHex } from './opening-rig.js';

let old: Certificates;
let renewed: Certificates;
beforeAll(() => {
  [old, renewed] = [makeCertificates(), makeCertificates()];
});

let rig: ConcentratorRig;
let folder: string;
const start = async (options: RigOptions = {}): Promise<void> => {
  folder = temporaryFolder();
  write(old);
  const tls = { cert: join(folder, 'server.crt'), key: join(folder, 'server.key') };
  rig = await ConcentratorRig.start({ ...options, options: { tls, ...options.options } });
};
afterEach(() => rig.stop());

function write({ cert, key }: Certificates): void {
  writeFileSync(join(folder, 'server.crt'), cert);
  writeFileSync(join(folder, 'server.key'), key);
}

/** What a client trusts. */
const trusting = ({ ca }: Certificates): ConnectionOptions => ({ ca, servername: 'localhost' });
const OBJ = uidHex('ObjTest');

/** A connection on which TLS was asked for and granted. */
async function granted(initiation = '81000800'): Promise<OctetPeer> {
  const peer = await rig.connect();
  peer.write(initiation);
  expect(await peer.read(2)).toBe('8000');
  return peer;
}

test.each([1, 0] as const)('a session of version %i within TLS', async (version) => {
  await start();
  const central = await rig.central({ version, tls: trusting(old) });
  const object = await rig.open('ObjTest', { version, tls: trusting(old), with: version === 0 ? '10' : '' });
  if (version === 0) expect(await object.read(1)).toBe('20');
  object.write('30765f000007424f4e4a4f5552');
  expect(await central.read(29)).toBe(`38${OBJ}765f000007424f4e4a4f5552`);
  central.write(`48${OBJ}765f00a0000d7b226f6b223a2274727565227d`);
  expect(await object.read(20)).toBe('40765f00a0000d7b226f6b223a2274727565227d');
  object.write('f001');
  expect(await object.readAll()).toBe('');
  // What is not protected is not read: these octets are no session's.
  const { authorized } = central.stream as TLSSocket;
  expect(authorized).toBe(true);
  expect(rig.presence).toEqual(['ObjTest online', 'ObjTest offline: it closed its session (code 01)']);
});

test.each([
  ['81', '00'],
  ['80', ''],
])('a wrong answer within TLS (%s): verdict %s, and the end', async (first, verdict) => {
  await start();
  const peer = await granted(`${first}000000`);
  await peer.secure(trusting(old));
  await peer.read(16);
  peer.write(`${OBJ}${'11'.repeat(32)}`);
  expect(await peer.readAll()).toBe(verdict);
});

test('sessions with and without TLS stand side by side on one port', async () => {
  await start({ objects: ['ObjTest', 'Other'] });
  const plain = await rig.open('ObjTest');
  const secure = await rig.open('Other', { tls: trusting(old) });
  expect(await plain.isQuiet()).toBe(true);
  expect(await secure.isQuiet()).toBe(true);
});

test('of all 256 first octets 00, 01, 80 and 81 are accepted', async () => {
  await start();
  const accepted: number[] = [];
  for (let first = 0; first < 256; first += 1) {
    const peer = await rig.connect();
    peer.write(`${first.toString(16).padStart(2, '0')}000000`);
    const answer = await peer.read(2);
    if (answer === '8000') accepted.push(first);
    else expect(`${first}: ${answer}${await peer.readAll()}`).toBe(`${first}: 0000`);
    peer.socket.destroy();
  }
  expect(accepted).toEqual([0x00, 0x01, 0x80, 0x81]);
});

test('nothing in clear comes behind the answer to the initiation', async () => {
  await start();
  const peer = await granted();
  await rig.manual.advance(14_000);
  const stranger = await rig.connect();
  stranger.write('7f000000');
  await stranger.readAll();
  expect(peer.unread).toBe('');
});

/** A client that sends the initiation and so many octets of its ClientHello in one piece, and the rest later. */
class EarlyHello extends Duplex {
  readonly #socket: Socket;
  readonly #early: (hello: Buffer) => number;
  #isBegun = false;
  #toSkip = 2;

  constructor(socket: Socket, early: (hello: Buffer) => number) {
    super();
    this.#socket = socket.setNoDelay();
    this.#early = early;
    socket.removeAllListeners('data').on('data', (chunk: Buffer) => {
      const skipped = Math.min(this.#toSkip, chunk.length);
      this.#toSkip -= skipped;
      this.push(chunk.subarray(skipped));
    });
    socket.on('close', () => this.destroy());
  }

  override _read(): void {}

  override async _write(chunk: Buffer, _encoding: string, done: () => void): Promise<void> {
    let from = 0;
    if (!this.#isBegun) {
      this.#isBegun = true;
      from = this.#early(chunk);
      this.#socket.write(Buffer.concat([Buffer.from('81000800', 'hex'), chunk.subarray(0, from)]));
      await settle();
    }
    if (from < chunk.length) this.#socket.write(chunk.subarray(from));
    done();
  }
}

test.each<[string, (hello: Buffer) => number]>([
  ['all of it', ({ length }) => length],
  ['all but an octet', ({ length }) => length - 1],
  ['the head of its record', () => 5],
  ['an octet', () => 1],
  ['64 octets', () => 64],
  ['65 octets', () => 65],
  ['nothing', () => 0],
])('in the same segment as the initiation: of the ClientHello %s', async (_, early) => {
  await start();
  const peer = await rig.connect();
  const secure = connectTls({ ...trusting(old), socket: new EarlyHello(peer.socket, early) });
  secure.on('error', () => {});
  let got = '';
  secure.on('data', (chunk: Buffer) => {
    got += chunk.toString('hex');
  });
  while (got.length < 32) await settle();
  secure.write(Buffer.from(`${loginHex('ObjTest', got)}10`, 'hex'));
  while (got.length < 36) await settle();
  expect(got.slice(32)).toBe('0120');
  secure.destroy();
});

test('the longest payload travels within TLS, both ways', async () => {
  await start();
  const central = await rig.central({ tls: trusting(old) });
  const object = await rig.open('ObjTest', { tls: trusting(old) });
  const payload = randomBytes(65_535).toString('hex');
  for (const tracking of ['0001', '0002', '0003']) {
    object.write(`30${tracking}00ffff${payload}`);
    expect((await central.read(22 + 65_535)) === `38${OBJ}${tracking}00ffff${payload}`).toBe(true);
    central.write(`48${OBJ}${tracking}0000ffff${payload}`);
    expect((await object.read(7 + 65_535)) === `40${tracking}0000ffff${payload}`).toBe(true);
  }
});

test('a session within TLS that is sent little goes on for as long as it answers', async () => {
  await start();
  const central = await rig.central({ tls: trusting(old) });
  const object = await rig.open('ObjTest', { tls: trusting(old) });
  for (let time = 0; time < 120_000; time += 10_000) {
    object.write('300001000000');
    expect(await central.read(22)).toBe(`38${OBJ}0001000000`);
    central.write(`48${OBJ}000100000000`);
    expect(await object.read(7)).toBe('40000100000000');
    await rig.manual.advance(10_000);
  }
  expect(rig.presence).toEqual(['ObjTest online']);
});

test('a certificate that is replaced serves new connections; sessions that stand go on', async () => {
  await start({ objects: ['ObjTest', 'Other'] });
  const before = await rig.open('ObjTest', { tls: trusting(old) });
  // This one is between the initiation and the handshake.
  const between = await granted();
  write(renewed);
  await rig.manual.advance(WATCH_EVERY_MS);
  while (!rig.log.lines.some(({ message }) => message === 'certificate read anew')) await settle();
  await expect(rig.open('Other', { tls: trusting(old) })).rejects.toThrow(/signature|certificate/);
  const after = await rig.open('Other', { tls: trusting(renewed) });
  expect(await after.isQuiet()).toBe(true);
  expect(await before.isQuiet()).toBe(true);
  await between.secure(trusting(old));
  expect(await between.read(16)).toHaveLength(32);
});

test.each([
  ['zeros', '00'.repeat(100)],
  ['frames', '10300001000000'],
  ['a plain login', `${OBJ}${'11'.repeat(32)}`],
  ['a record that is too long', `160301ffff${'00'.repeat(200)}`],
  ['a ClientHello of nothing', `1603010005010000010000`],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex')],
])('instead of a ClientHello %s: the end of the connection, and nothing else', async (_, garbage) => {
  await start();
  const sockets = openSockets();
  const honest = await rig.open('ObjTest', { tls: trusting(old) });
  for (const initiation of ['81000800', '80000000']) {
    const peer = await granted(initiation);
    peer.write(garbage);
    // TLS may say why, in an alert; nothing of ours.
    expect(await peer.readAll()).toMatch(/^(1503[0-9a-f]{10})?$/);
    // In the same segment as the initiation.
    const early = await rig.connect();
    early.write(`${initiation}${garbage}`);
    expect(await early.readAll()).toMatch(/^8000(1503[0-9a-f]{10})?$/);
  }
  expect(await honest.isQuiet()).toBe(true);
  // Both ends of the honest one.
  while (openSockets() > sockets + 2) await settle();
});

const openSockets = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap' || kind === 'TLSWrap').length;

/** Octets written before have arrived. */
async function arrived(): Promise<void> {
  const stranger = await rig.connect();
  stranger.write('7f000000');
  await stranger.readAll();
}

test('who breaks off within TLS, or within the handshake, leaves nothing', async () => {
  await start();
  const sockets = openSockets();
  const [before, within, after] = [await granted(), await granted(), await granted()];
  within.write('16030100c8010000c40303');
  await after.secure(trusting(old));
  await after.read(16);
  await arrived();
  for (const peer of [before, within, after]) await peer.cut();
  while (openSockets() > sockets) await settle();
  const object = await rig.open('ObjTest', { tls: trusting(old) });
  object.socket.resetAndDestroy();
  while (rig.presence.length < 2) await settle();
  expect(rig.presence[1]).toBe('ObjTest offline: its connection was lost');
  while (openSockets() > sockets) await settle();
});

test('who goes silent within TLS is cut after 15 s, however far he got', async () => {
  await start();
  const [silent, begun, dribbling] = [await granted(), await granted(), await granted()];
  for (const { socket } of [silent, begun, dribbling]) socket.setNoDelay();
  begun.write('16030100c8010000c40303');
  for (let second = 0; second < 14; second += 1) {
    dribbling.write('16030100c8010000c4030300000000000000000000'.slice(2 * second, 2 * second + 2));
    await rig.manual.advance(1_000);
  }
  await rig.manual.advance(500);
  await arrived();
  expect([silent, begun, dribbling].filter(({ socket }) => socket.readableEnded || socket.destroyed)).toEqual([]);
  await rig.manual.advance(1_000);
  expect([await silent.readAll(), await begun.readAll(), await dribbling.readAll()]).toEqual(['', '', '']);
});

test('after the handshake the login has its 5 s, and the whole its 20 s', async () => {
  await start();
  const login = await granted();
  await login.secure(trusting(old));
  await login.read(16);
  await rig.manual.advance(4_500);
  await arrived();
  expect(login.stream.destroyed).toBe(false);
  await rig.manual.advance(1_000);
  expect(await login.readAll()).toBe('');

  const whole = await rig.connect();
  await rig.manual.advance(4_500);
  whole.write('81000800');
  expect(await whole.read(2)).toBe('8000');
  await rig.manual.advance(14_000);
  await whole.secure(trusting(old));
  await whole.read(16);
  await rig.manual.advance(1_000);
  await arrived();
  expect(whole.stream.destroyed).toBe(false);
  // 20 s, 1.5 s after the handshake.
  await rig.manual.advance(1_000);
  expect(await whole.readAll()).toBe('');
});

test('stop says 01 within TLS as well, and ends handshakes', async () => {
  await start();
  const object = await OctetPeer.open(rig.ports.tcp, { uid: 'ObjTest', tls: trusting(old) });
  const silent = await OctetPeer.connect(rig.ports.tcp);
  silent.write('81000800');
  await silent.read(2);
  await rig.stop();
  expect(await object.readAll()).toBe('f001');
  expect(await silent.readAll()).toBe('');
  expect(rig.manual.waiting).toBe(0);
});
