import { createHmac } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { encodeUid } from '../../../../protocol/iotsocket/uid.js';
import { fromHex, toHex } from '../../../../protocol/octets.js';

export const KEY = fromHex('43434343434343434444444444444444');
export const CENTRAL_KEY = fromHex('00112233445566778899aabbccddeeff');

export interface OpenOptions {
  readonly uid: string;
  readonly key?: Uint8Array;
  readonly version?: 0 | 1;
  readonly max?: number;
  readonly tls?: ConnectionOptions;
  /** Octets sent with the login, in one piece. */
  readonly with?: string;
}

/** One side of a connection, in octets: what a device of anybody's making would send. */
export class OctetPeer {
  stream: Duplex;
  readonly socket: Socket;
  #octets = Buffer.alloc(0);
  #isOver = false;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    this.stream = socket;
    this.#hear();
  }

  static async connect(port: number, localAddress?: string): Promise<OctetPeer> {
    const socket = connect({ host: '127.0.0.1', port, ...(localAddress === undefined ? {} : { localAddress }) });
    socket.on('error', () => {});
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new OctetPeer(socket);
  }

  /** Connects and opens a session. */
  static async open(port: number, options: OpenOptions, localAddress?: string): Promise<OctetPeer> {
    const peer = await OctetPeer.connect(port, localAddress);
    await peer.open(options);
    return peer;
  }

  async open({ uid, key = uid === '' ? CENTRAL_KEY : KEY, version = 1, max = 0, tls, with: more = '' }: OpenOptions) {
    const first = (tls === undefined ? 0 : 0x80) | version;
    this.write(toHex(Uint8Array.of(first, 0, max >> 8, max & 0xff)));
    const answer = await this.read(2);
    if (answer !== '8000') throw new Error(`the opening was answered ${answer}`);
    if (tls !== undefined) await this.secure(tls);
    const challenge = fromHex(await this.read(16));
    this.write(`${toHex(encodeUid(uid))}${createHmac('sha256', key).update(challenge).digest('hex')}${more}`);
    if (version === 1) {
      const verdict = await this.read(1);
      if (verdict !== '01') throw new Error(`the verdict was ${verdict}`);
    }
  }

  async secure(options: ConnectionOptions): Promise<void> {
    this.socket.removeAllListeners('data');
    const secure = connectTls({ ...options, socket: this.socket });
    secure.on('error', () => {});
    await new Promise((resolve, reject) => {
      secure.once('secureConnect', resolve);
      secure.once('error', reject);
    });
    this.stream = secure;
    this.#hear();
  }

  write(hex: string): void {
    this.stream.write(fromHex(hex));
  }

  /** The next octets, in hexadecimal digits. Rejects when the connection ends before. */
  async read(count: number): Promise<string> {
    while (this.#octets.length < count) {
      if (this.#isOver) throw new Error(`the connection ended; there is ${this.#octets.toString('hex')}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    const read = this.#octets.subarray(0, count);
    this.#octets = this.#octets.subarray(count);
    return read.toString('hex');
  }

  /** All that comes until the connection ends. */
  async readAll(): Promise<string> {
    while (!this.#isOver) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#octets.toString('hex');
  }

  /** What has come and was not read. */
  get unread(): string {
    return this.#octets.toString('hex');
  }

  /** Nothing more has come: a ping sent now is answered next. */
  async isQuiet(): Promise<boolean> {
    this.write('10');
    return (await this.read(1)) === '20';
  }

  /** Cuts the connection without a word. */
  async cut(): Promise<void> {
    this.socket.resetAndDestroy();
    await this.readAll();
  }

  #hear(): void {
    const { stream } = this;
    stream.on('data', (chunk: Buffer) => {
      this.#octets = Buffer.concat([this.#octets, chunk]);
      this.#wake();
    });
    stream.on('close', () => {
      this.#isOver = true;
      this.#wake();
    });
    stream.on('end', () => {
      this.#isOver = true;
      this.#wake();
    });
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** `Obj` with zeros before it, as it travels. */
export const uidHex = (uid: string): string => toHex(encodeUid(uid));
