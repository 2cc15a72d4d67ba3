import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { settle } from '../../../support/manual-clock.js';
import { temporaryFolder } from '../../config/temporary-folder.js';
import { type Certificates, makeCertificates } from '../../uplinks/certificates.js';
import { ConcentratorRig, type RigOptions } from './concentrator-rig.js';
import { CENTRAL_KEY, KEY, uidHex } from './octet-peer.js';
import { loginHex } from './opening-rig.js';

let pem: Certificates;
beforeAll(() => {
  pem = makeCertificates();
});

let rig: ConcentratorRig;
const ended: (() => void)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) end();
  await rig.stop();
});

const OBJ = uidHex('ObjTest');
const LOCAL = { host: '127.0.0.1', port: 0 };
const trusted = (): ConnectionOptions => ({ ca: pem.ca, servername: 'localhost' });

/** Listens for ws, or for wss; times of the upgrade are real ones, and short. */
async function start(scheme: 'ws' | 'wss', options: RigOptions = {}): Promise<void> {
  const folder = temporaryFolder();
  const tls = { cert: join(folder, 'server.crt'), key: join(folder, 'server.key') };
  writeFileSync(tls.cert, pem.cert);
  writeFileSync(tls.key, pem.key);
  rig = await ConcentratorRig.start({
    ...options,
    options: { websocket: LOCAL, ...(scheme === 'wss' ? { tls } : {}), ...options.options },
  });
}

/** A client: octets out as binary messages, octets of the messages that come in. */
class MessagePeer {
  readonly socket: WebSocket;
  got = '';
  messages = 0;
  /** Status code of the end. */
  code: number | undefined;
  #wake: () => void = () => {};

  constructor(scheme: 'ws' | 'wss') {
    this.socket = new WebSocket(`${scheme}://127.0.0.1:${rig.ports.websocket}/`, {
      ca: pem.ca,
      perMessageDeflate: false,
    });
    this.socket.on('message', (data: Buffer) => {
      this.got += data.toString('hex');
      this.messages += 1;
      this.#wake();
    });
    this.socket.on('close', (code) => {
      this.code = code;
      this.#wake();
    });
    this.socket.on('error', () => {});
    ended.push(() => this.socket.terminate());
  }

  static async connect(scheme: 'ws' | 'wss'): Promise<MessagePeer> {
    const peer = new MessagePeer(scheme);
    await once(peer.socket, 'open');
    return peer;
  }

  static async open(scheme: 'ws' | 'wss', uid: string, initiation = '01000000'): Promise<MessagePeer> {
    const peer = await MessagePeer.connect(scheme);
    peer.send(initiation);
    expect(await peer.read(2)).toBe('8000');
    peer.send(loginHex(uid, await peer.read(16), uid === '' ? CENTRAL_KEY : KEY));
    if (initiation.startsWith('01')) expect(await peer.read(1)).toBe('01');
    return peer;
  }

  send(hex: string): void {
    this.socket.send(Buffer.from(hex, 'hex'));
  }

  async read(count: number): Promise<string> {
    while (this.got.length < 2 * count) {
      if (this.code !== undefined) throw new Error(`it ended with ${this.code}; there is ${this.got}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const read = this.got.slice(0, 2 * count);
    this.got = this.got.slice(2 * count);
    return read;
  }

  /** What comes until the end, and the status code of that. */
  async rest(): Promise<string> {
    while (this.code === undefined)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return `${this.got} ${this.code}`;
  }

  async isQuiet(): Promise<boolean> {
    this.send('10');
    return (await this.read(1)) === '20';
  }
}

const openSockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;

/** A connection that speaks no WebSocket, or not yet. */
async function raw(scheme: 'ws' | 'wss', isSecured = true): Promise<{ socket: Socket; rest: Promise<string> }> {
  const socket = connect({ host: '127.0.0.1', port: rig.ports.websocket });
  ended.push(() => socket.destroy());
  await once(socket, 'connect');
  const stream = scheme === 'wss' && isSecured ? connectTls({ ...trusted(), socket }) : socket;
  stream.on('error', () => {});
  if (stream !== socket) await once(stream, 'secureConnect');
  let got = '';
  stream.on('data', (chunk: Buffer) => {
    got += chunk.toString('latin1');
  });
  const rest = new Promise<string>((resolve) => stream.on('close', () => resolve(got)));
  return { socket: stream, rest };
}

describe.each(['ws', 'wss'] as const)('over %s', (scheme) => {
  test.each(['01', '00'])('a session of version %s', async (version) => {
    await start(scheme);
    const central = await MessagePeer.open(scheme, '', `${version}000000`);
    const object = await MessagePeer.open(scheme, 'ObjTest', `${version}000000`);
    object.send('30765f000007424f4e4a4f5552');
    expect(await central.read(29)).toBe(`38${OBJ}765f000007424f4e4a4f5552`);
    central.send(`48${OBJ}765f00a0000d7b226f6b223a2274727565227d`);
    expect(await object.read(20)).toBe('40765f00a0000d7b226f6b223a2274727565227d');
    object.send('f001');
    expect(await object.rest()).toBe(' 1005');
    expect(rig.presence).toEqual(['ObjTest online', 'ObjTest offline: it closed its session (code 01)']);
  });

  test('with the central on TCP', async () => {
    await start(scheme);
    const central = await rig.central();
    const object = await MessagePeer.open(scheme, 'ObjTest');
    object.send('300001000000');
    expect(await central.read(22)).toBe(`38${OBJ}0001000000`);
    // Which of them it is does not matter for who is who.
    const onTcp = await rig.open('ObjTest');
    expect(await object.rest()).toBe('f0a1 1005');
    central.write(`48${OBJ}000100000000`);
    expect(await onTcp.read(7)).toBe('40000100000000');
  });

  test('the longest payload, both ways', async () => {
    await start(scheme);
    const central = await MessagePeer.open(scheme, '');
    const object = await MessagePeer.open(scheme, 'ObjTest');
    const payload = 'a5'.repeat(65_535);
    object.send(`30000100ffff${payload}`);
    expect((await central.read(22 + 65_535)) === `38${OBJ}000100ffff${payload}`).toBe(true);
    central.send(`48${OBJ}00010000ffff${payload}`);
    expect((await object.read(7 + 65_535)) === `4000010000ffff${payload}`).toBe(true);
  });

  test('octets may be split and joined over messages anywhere', async () => {
    await start(scheme, { limits: { transmissionBurst: 10_000 } });
    const central = await MessagePeer.open(scheme, '', '01000000');
    // Octet by octet, with empty messages between.
    const object = await MessagePeer.connect(scheme);
    for (const octet of '01000000'.match(/../g)!) {
      object.send(octet);
      object.send('');
    }
    const challenge = (await object.read(18)).slice(4);
    for (const octet of loginHex('ObjTest', challenge).match(/../g)!) object.send(octet);
    expect(await object.read(1)).toBe('01');
    const sent = '1030765f000007424f4e4a4f555220300001000003414243';
    for (let cut = 0; cut <= sent.length / 2; cut += 1) {
      // In parts of one message, and in two messages.
      if (cut % 2 === 0) {
        object.socket.send(Buffer.from(sent.slice(0, 2 * cut), 'hex'), { fin: false });
        object.socket.send(Buffer.from(sent.slice(2 * cut), 'hex'), { fin: true });
      } else {
        object.send(sent.slice(0, 2 * cut));
        object.send(sent.slice(2 * cut));
      }
      expect(await central.read(29 + 25)).toBe(`38${OBJ}765f000007424f4e4a4f555238${OBJ}0001000003414243`);
      expect(await object.read(1)).toBe('20');
      central.send(`48${OBJ}765f0000000048${OBJ}000100000000`);
      expect(await object.read(14)).toBe('40765f0000000040000100000000');
    }
    // All of it in one message.
    object.send('10'.repeat(500));
    expect(await object.read(500)).toBe('20'.repeat(500));
  });

  test('the login and what is behind it in one message (version 0)', async () => {
    await start(scheme);
    const peer = await MessagePeer.connect(scheme);
    peer.send('00000000');
    const challenge = (await peer.read(18)).slice(4);
    peer.send(`${loginHex('ObjTest', challenge)}1010`);
    expect(await peer.read(2)).toBe('2020');
  });

  test('a wrong login: the verdict, then the end', async () => {
    await start(scheme);
    for (const [first, end] of [
      ['01', '00 1005'],
      ['00', ' 1006'],
    ] as const) {
      const peer = await MessagePeer.connect(scheme);
      peer.send(`${first}000000`);
      await peer.read(18);
      peer.send(`${OBJ}${'11'.repeat(32)}`);
      expect(await peer.rest()).toBe(end);
    }
    expect(rig.presence).toEqual([]);
  });

  test('TLS in the initiation is refused: there is TLS below already, or none', async () => {
    await start(scheme);
    for (const initiation of ['81000800', '80000000', '02000000']) {
      const peer = await MessagePeer.connect(scheme);
      peer.send(initiation);
      expect(await peer.rest()).toBe('0000 1005');
    }
  });

  test('a text message is refused with 1003, and neither it nor what follows is read', async () => {
    await start(scheme);
    const central = await MessagePeer.open(scheme, '');
    const early = await MessagePeer.connect(scheme);
    early.socket.send('01000000');
    early.send('01000000');
    expect(await early.rest()).toBe(' 1003');
    const object = await MessagePeer.open(scheme, 'ObjTest');
    object.socket.send(Buffer.from('300001000000', 'hex').toString('latin1'));
    object.send('300002000000');
    expect(await object.rest()).toBe(' 1003');
    while (rig.presence.length < 2) await settle();
    expect(rig.presence[1]).toBe('ObjTest offline: its connection was lost');
    expect(await central.isQuiet()).toBe(true);
    expect(rig.requests).toEqual([]);
  });

  test('a message of 128 KiB is taken, a longer one refused with 1009', async () => {
    await start(scheme, { limits: { transmissionBurst: 200_000 } });
    const object = await MessagePeer.open(scheme, 'ObjTest');
    object.send('20'.repeat(128 * 1024));
    expect(await object.isQuiet()).toBe(true);
    object.send('10'.repeat(128 * 1024 + 1));
    expect(await object.rest()).toBe(' 1009');
    const early = await MessagePeer.connect(scheme);
    early.send('01'.repeat(128 * 1024 + 1));
    expect(await early.rest()).toBe(' 1009');
  });

  test('what an object sends too much stays with it', async () => {
    await start(scheme, { limits: { transmissionBurst: 20 } });
    const object = await MessagePeer.open(scheme, 'ObjTest');
    for (let count = 0; count < 400; count += 1) object.send('10'.repeat(64 * 1024));
    // Until nothing moves any more.
    let left = 0;
    for (let still = 0; still < 100; still += 1) {
      if (object.socket.bufferedAmount !== left) still = 0;
      left = object.socket.bufferedAmount;
      await settle();
    }
    // The system has some of the 26 MB.
    expect(left).toBeGreaterThan(10e6);
  });

  test('a message in 1,024 parts is taken, in more refused with 1008', async () => {
    await start(scheme, { limits: { transmissionBurst: 10_000 } });
    const object = await MessagePeer.open(scheme, 'ObjTest');
    for (let part = 1; part <= 1_024; part += 1) object.socket.send(Buffer.of(0x20), { fin: part === 1_024 });
    expect(await object.isQuiet()).toBe(true);
    for (let part = 1; part <= 1_025; part += 1) object.socket.send(Buffer.of(0x20), { fin: part === 1_025 });
    expect(await object.rest()).toBe(' 1008');
  });

  test('what is no WebSocket is told 426, and the connection ends', async () => {
    await start(scheme);
    for (const head of ['GET / HTTP/1.1', 'POST /acl HTTP/1.1', 'GET /any?thing HTTP/1.0']) {
      const { socket, rest } = await raw(scheme);
      socket.write(`${head}\r\nhost: x\r\n\r\n`);
      expect(await rest).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n(.+\r\n)*upgrade: websocket\r\n/i);
    }
  });

  test('an upgrade that is none is refused, and its connection ends', async () => {
    await start(scheme);
    const { socket, rest } = await raw(scheme);
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    expect(await rest).toMatch(/^HTTP\/1\.1 4\d\d /);
    const other = await raw(scheme);
    other.socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n');
    expect(await other.rest).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  test('headers of 8 KiB and more are refused', async () => {
    await start(scheme);
    const { socket, rest } = await raw(scheme);
    socket.write(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(8_192)}\r\n\r\n`);
    expect(await rest).toMatch(/^HTTP\/1\.1 431 /);
  });

  test('who is silent after the connection, or within the upgrade, is cut in the time of a step', async () => {
    await start(scheme, { limits: { openingStepMs: 100, tlsHandshakeMs: 100 } });
    const silent = await raw(scheme);
    const slow = await raw(scheme);
    slow.socket.write('GET / HTTP/1.1\r\nhost: x\r\n');
    const unsecured = await raw(scheme, false);
    await Promise.all([silent.rest, slow.rest, unsecured.rest]);
  });

  test('who is silent after the upgrade, or within the login, is cut after 5 s', async () => {
    await start(scheme);
    const silent = await MessagePeer.connect(scheme);
    const slow = await MessagePeer.connect(scheme);
    slow.send('01000000');
    await slow.read(18);
    const pinging = await MessagePeer.connect(scheme);
    for (let half = 0; half < 9; half += 1) {
      // A WebSocket's own ping is no step.
      pinging.socket.ping();
      await once(pinging.socket, 'pong');
      await rig.manual.advance(500);
    }
    expect([silent.code, slow.code, pinging.code]).toEqual([undefined, undefined, undefined]);
    await rig.manual.advance(1_000);
    expect([await silent.rest(), await slow.rest(), await pinging.rest()]).toEqual([' 1006', ' 1006', ' 1006']);
  });

  test('connections that are no sessions yet are bounded, whatever stage they are in', async () => {
    await start(scheme, { limits: { unprovedPerAddress: 4, unproved: 8 } });
    const object = await MessagePeer.open(scheme, 'ObjTest');
    const before = await raw(scheme);
    const upgraded = await MessagePeer.connect(scheme);
    const challenged = await MessagePeer.connect(scheme);
    challenged.send('01000000');
    await challenged.read(18);
    const last = await raw(scheme);
    expect(before.socket.destroyed || upgraded.code !== undefined || challenged.code !== undefined).toBe(false);
    await raw(scheme);
    await before.rest;
    await raw(scheme);
    expect(await upgraded.rest()).toBe(' 1006');
    await raw(scheme);
    await last.rest;
    // It goes on, and those that do not are more.
    expect(challenged.code).toBe(undefined);
    expect(await object.isQuiet()).toBe(true);
  });

  test('a peer that is told goodbye and does not close is cut after 2 s', async () => {
    await start(scheme);
    const object = await MessagePeer.open(scheme, 'ObjTest');
    object.socket.pause();
    object.send('60');
    while (rig.presence.length < 2) await settle();
    const sockets = openSockets();
    await rig.manual.advance(2_500);
    // Its end of the connection is gone, though the client has not looked yet.
    while (openSockets() === sockets) await settle();
    object.socket.resume();
    expect(await object.rest()).toBe('f000 1005');
  });

  test('heartbeat: pinged after 15 s, dead at 45 s; pings of the WebSocket prove nothing', async () => {
    await start(scheme);
    const object = await MessagePeer.open(scheme, 'ObjTest');
    for (let time = 0; time < 45_000; time += 5_000) {
      object.socket.ping();
      await once(object.socket, 'pong');
      expect(object.got).toBe(time < 15_000 ? '' : '10');
      await rig.manual.advance(5_000);
    }
    expect(await object.rest()).toBe('10 1006');
  });

  test('stop says 01, and ends what is no session', async () => {
    await start(scheme);
    const object = await MessagePeer.open(scheme, 'ObjTest');
    const upgraded = await MessagePeer.connect(scheme);
    const silent = await raw(scheme);
    const unsecured = await raw(scheme, false);
    await rig.stop();
    expect(await object.rest()).toBe('f001 1005');
    expect(await upgraded.rest()).toBe(' 1006');
    await Promise.all([silent.rest, unsecured.rest]);
    expect(rig.manual.waiting).toBe(0);
  });
});

test('who is refused with a code and does not close is cut after 2 s', async () => {
  await start('ws');
  const { socket, rest } = await raw('ws');
  socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n');
  socket.write('sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n');
  // A text message of nothing.
  socket.write(Buffer.from('818000000000', 'hex'));
  expect(Buffer.from(await rest, 'latin1').toString('hex')).toContain(`${'0d0a'.repeat(2)}881603eb`);
});

test('a certificate that is replaced serves new connections of wss; those that stand go on', async () => {
  const folder = temporaryFolder();
  const tls = { cert: join(folder, 'server.crt'), key: join(folder, 'server.key') };
  const write = ({ cert, key }: Certificates): void => {
    writeFileSync(tls.cert, cert);
    writeFileSync(tls.key, key);
  };
  write(pem);
  rig = await ConcentratorRig.start({ options: { websocket: LOCAL, tls } });
  const before = await MessagePeer.open('wss', 'ObjTest');
  const renewed = makeCertificates();
  write(renewed);
  await rig.manual.advance(500);
  while (!rig.log.lines.some(({ message }) => message === 'certificate read anew')) await settle();
  const stranger = new MessagePeer('wss');
  expect(await stranger.rest()).toBe(' 1006');
  const old = pem;
  pem = renewed;
  try {
    const after = await MessagePeer.connect('wss');
    after.send('01000000');
    expect(await after.read(2)).toBe('8000');
  } finally {
    pem = old;
  }
  expect(await before.isQuiet()).toBe(true);
});
