import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { fromHex, toHex } from '../../../protocol/octets.js';
import { type Certificates, makeCertificates } from '../../base/uplinks/certificates.js';
import { testCentral, testObject } from './support/clients.js';
import { CENTRAL_LOGIN, CHALLENGE, OBJECT_LOGIN, within } from './support/scripted-peer.js';

let certificates: Certificates;
beforeAll(() => {
  certificates = makeCertificates();
});

/** A concentrator over WebSocket, which says what the test tells it to. */
class WebSocketPeer {
  readonly url: string;
  readonly #server: WebSocketServer;

  private constructor(url: string, server: WebSocketServer) {
    this.url = url;
    this.#server = server;
  }

  static async start(secure = false): Promise<WebSocketPeer> {
    const { key, cert } = certificates;
    const http = secure ? createHttpsServer({ key, cert }) : createHttpServer();
    const server = new WebSocketServer({ server: http });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    onTestFinished(async () => {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => http.close(resolve));
    });
    const { port } = http.address() as AddressInfo;
    return new WebSocketPeer(`${secure ? 'wss' : 'ws'}://127.0.0.1:${port}/`, server);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  connection(): Promise<WebSocketConnection> {
    return within('a connection', (resolve) =>
      this.#server.once('connection', (socket) => resolve(new WebSocketConnection(socket))),
    );
  }
}

class WebSocketConnection {
  readonly messages: string[] = [];
  readonly socket: WebSocket;
  code: number | undefined;
  #look = (): void => {};

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer, isBinary) => {
      this.messages.push(isBinary ? toHex(data) : 'text');
      this.#look();
    });
    socket.on('close', (code) => {
      this.code = code;
      this.#look();
    });
  }

  send(hex: string): void {
    this.socket.send(fromHex(hex));
  }

  /** Several messages that arrive in one read. */
  sendAtOnce(...messages: string[]): void {
    const { _socket: socket } = this.socket as unknown as { readonly _socket: Duplex };
    socket.cork();
    for (const hex of messages) this.send(hex);
    socket.uncork();
  }

  /** The next message must be this one. */
  expects(hex: string): Promise<void> {
    return within(`${hex}; came: ${this.messages}`, (resolve, reject) => {
      this.#look = () => {
        if (this.messages.length === 0) return;
        const first = this.messages.shift();
        this.#look = () => {};
        if (first === hex) resolve();
        else reject(new Error(`${hex} was wanted, ${first} came`));
      };
      this.#look();
    });
  }

  ended(): Promise<number> {
    return within('the end', (resolve) => {
      this.#look = () => {
        if (this.code !== undefined) resolve(this.code);
      };
      this.#look();
    });
  }

  async open(login = OBJECT_LOGIN): Promise<void> {
    await this.expects('01000000');
    this.send(`8000${CHALLENGE}`);
    await this.expects(login);
    this.send('01');
  }
}

/** An object with an open session over WebSocket. */
async function connected(secure = false) {
  const peer = await WebSocketPeer.start(secure);
  const subject = testObject({ url: peer.url, ...(secure ? { tls: { ca: certificates.ca } } : {}) });
  const arriving = peer.connection();
  const done = subject.object.connect();
  const connection = await arriving;
  await connection.open();
  await done;
  return { ...subject, peer, connection };
}

test.each([false, true])('a session in binary messages; wss: %s', async (secure) => {
  const { object, connection } = await connected(secure);
  object.onRequest((payload) => ({ payload }));
  // A message is no transmission: it may hold several, and a part of one.
  connection.send('10103000010000');
  await connection.expects('2020');
  connection.send('0211223000020000023344');
  await connection.expects('4000010000000211224000020000' + '00023344');
  const closed = object.close('sleep');
  await connection.expects('f0a0');
  expect(await connection.ended()).toBe(1005);
  await closed;
});

test('a wss certificate of an authority that is not trusted ends it', async () => {
  const peer = await WebSocketPeer.start(true);
  const { object } = testObject({ url: peer.url, tls: { ca: certificates.strangerCa } });
  await expect(object.connect()).rejects.toMatchObject({ code: 'connect-failed' });
});

test('a wss certificate for another name ends it, and is taken where that name is given', async () => {
  const peer = await WebSocketPeer.start(true);
  const wrong = testObject({ url: peer.url, tls: { ca: certificates.ca, servername: 'node2.example' } });
  await expect(wrong.object.connect()).rejects.toMatchObject({
    code: 'connect-failed',
    message: expect.stringMatching(/ALTNAME/),
  });
  const named = testObject({ url: peer.url, tls: { ca: certificates.ca, servername: 'localhost' } });
  const arriving = peer.connection();
  const done = named.object.connect();
  await (await arriving).open();
  await done;
});

test('a text message is none: the session ends', async () => {
  const { connection, heard } = await connected();
  connection.socket.send('hello');
  expect(await heard.event('closed')).toMatchObject({ error: { code: 'frame-malformed' } });
});

test.each([
  ['a refusal', [], ['0000', '10', '8000'], 'proof-refused'],
  ['an answer that is none', [], ['8200', '10'], 'opening-malformed'],
  ['a wrong verdict', [`8000${CHALLENGE}`], ['00', '01', 'f000'], 'proof-refused'],
  ['a verdict that is none', [`8000${CHALLENGE}`], ['ff', '01'], 'opening-malformed'],
])('what comes in the same read behind %s changes nothing', async (_, before, messages, code) => {
  const peer = await WebSocketPeer.start();
  const { object, heard } = testObject({ url: peer.url });
  const arriving = peer.connection();
  const failed = expect(object.connect()).rejects.toMatchObject({ code });
  const connection = await arriving;
  await connection.expects('01000000');
  for (const hex of before) {
    connection.send(hex);
    await connection.expects(OBJECT_LOGIN);
  }
  connection.sendAtOnce(...messages);
  await failed;
  expect(await connection.ended()).toBe(1006);
  expect(heard.kinds).toEqual([]);
});

test('what comes in the same read behind the end of a session is not told', async () => {
  const { object, connection, heard } = await connected();
  let asked = 0;
  object.onRequest(() => {
    asked += 1;
    return undefined;
  });
  connection.sendAtOnce('300001000000', 'ff', '300002000000');
  expect(await heard.event('closed')).toMatchObject({ error: { code: 'frame-malformed' } });
  expect(asked).toBe(1);
});

test('a redirection leads to another WebSocket', async () => {
  const first = await WebSocketPeer.start();
  const second = await WebSocketPeer.start();
  const { central, heard } = testCentral({ url: first.url });
  const [refused, taken] = [first.connection(), second.connection()];
  const done = central.connect();
  await (await refused).expects('01000000');
  (await refused).send(`8100093132372e302e302e31${second.port.toString(16).padStart(4, '0')}`);
  await (await taken).open(CENTRAL_LOGIN);
  await done;
  expect(heard.kinds).toEqual(['redirected', 'connected']);
});

test('what is no WebSocket, or answers nothing', async () => {
  const http = createHttpServer((_, response) => response.end('no'));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void http.close());
  const { port } = http.address() as AddressInfo;
  const { object } = testObject({ url: `ws://127.0.0.1:${port}/` });
  await expect(object.connect()).rejects.toMatchObject({ code: 'connect-failed' });
  const asked = new Promise<void>((resolve) => http.once('upgrade', () => resolve()));
  const silent = testObject({ url: `ws://127.0.0.1:${port}/` });
  const failed = expect(silent.object.connect()).rejects.toMatchObject({ code: 'connect-timeout' });
  await asked;
  await silent.clock.advance(5_000);
  await failed;
});

test('more than the high water goes out when there is room', async () => {
  const { object, connection } = await connected();
  connection.socket.pause();
  const data = new Uint8Array(60_000);
  const answers = Array.from({ length: 60 }, () => object.request({ format: 0, options: 0, data }));
  connection.socket.resume();
  await within('all of them', (resolve) => {
    connection.socket.on('message', () => {
      const octets = connection.messages.reduce((sum, message) => sum + message.length / 2, 0);
      if (octets === 60 * 60_006) resolve(undefined);
    });
  });
  for (let number = 0; number < 60; number += 1) connection.send(`40${number.toString(16).padStart(4, '0')}00000000`);
  await Promise.all(answers);
});
