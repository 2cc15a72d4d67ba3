import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type Account,
  type ControlMessage,
  encodeControl,
  encodeDataLineHead,
  LIFE_TYPE,
  LINE_END,
} from '../../protocol/elfin/message.js';
import {
  type BaseUnitError,
  ConfigurationError,
  InternalError,
  LinkError,
  ProtocolError,
} from '../../protocol/errors.js';
import { concat } from '../../protocol/octets.js';
import { refuse } from '../connection/check-option.js';
import { openSocket } from '../connection/open-socket.js';
import { AnswerReader, type ElfinDevice, readDevices, readStatus } from './answers.js';
import { checkOptions, type ElfinClientOptions, type ElfinClientSettings } from './client-options.js';
import { Questions } from './questions.js';
import { tunnelOver } from './tunnel.js';

/** Octets written that the system has not taken: what comes on top of it is not sent. */
export const MAX_UNSENT_OCTETS = 1024 * 1024;

/** For what is written to reach a gateway that does not take it. */
const CLOSE_MS = 5_000;
/** As the desktop program writes them, where no device speaks. */
const NO_ADAPTER: ElfinAdapter = { mac: '-', host: '-' };
const NO_LIFE_TYPE = '1';
const NO_QUESTIONS = 'cannot be asked where payload comes, for which its answer would be taken: connect once more';

/** What a connection says of itself when it acts as a device. */
export interface ElfinAdapter {
  /** 12 hexadecimal digits, plain or in pairs with `:` or `-`. */
  readonly mac: string;
  readonly host: string;
}

/**
 * One connection to an Elfin Connect gateway, of one user: a program that asks for devices and opens tunnels to them, or a
 * device itself.
 *
 *     const client = await ElfinClient.connect({ host: '192.168.1.2', user: 'a-user', secret: '…' });
 *     const devices = await client.query();
 *     const tunnel = await client.connectMe(devices[0].mac);
 *     tunnel.on('data', (payload) => console.log(payload));
 *     tunnel.write(Buffer.from([0x01, 0x03, 0x00, 0x00, 0x00, 0x01, 0x84, 0x0a]));
 *
 * Answers and payload come in one stream, and payload is raw: nothing tells them apart. So a connection asks first. From
 * a tunnel of its own on, or from the first word as a device, everything that comes is payload, and nothing can be asked any
 * more; ask over another connection then.
 */
export class ElfinClient {
  readonly #settings: ElfinClientSettings;
  readonly #socket: Socket;
  readonly #remote: string;
  readonly #questions: Questions;
  readonly #answers = new AnswerReader();
  #tunnel: Duplex | undefined;
  /** Who it is as a device. */
  #adapter: ElfinAdapter | undefined;
  #end: BaseUnitError | undefined;
  readonly #closed = closing();

  private constructor(settings: ElfinClientSettings, socket: Socket) {
    this.#settings = settings;
    this.#socket = socket;
    this.#remote = `${settings.host}:${settings.port}`;
    this.#questions = new Questions({
      clock: settings.clock,
      timeoutMs: settings.answerTimeoutMs,
      send: (octets) => void socket.write(octets),
      giveUp: (error) => this.#giveUp(error),
    });
  }

  /**
   * Resolves when there is a connection; who it is, the gateway sees with the first message. Rejects with LinkError
   * `connect-failed` or `connect-timeout`, ConfigurationError `config-invalid`, or with the signal's reason.
   */
  static async connect(
    options: ElfinClientOptions,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<ElfinClient> {
    const settings = checkOptions(options);
    const { clock, connectTimeoutMs: timeoutMs } = settings;
    const client = new ElfinClient(settings, await openSocket(settings, { clock, timeoutMs, signal }));
    client.#listen();
    return client;
  }

  /** Resolves when the connection is gone, with why: InternalError `stopped` after `close`, LinkError `link-lost`, and the like. */
  get closed(): Promise<BaseUnitError> {
    return this.#closed.promise;
  }

  /** Payload from the other end of the tunnel, and to it; `undefined`: there can be none yet. */
  get tunnel(): Duplex | undefined {
    return this.#tunnel;
  }

  /**
   * The user's devices; of a user that the gateway does not know, or with a wrong secret, none. Rejects with TimeoutError
   * `command-timeout`, LinkError `link-lost` or `link-stalled`, ProtocolError `frame-malformed` or `frame-too-long`.
   */
  query(): Promise<readonly ElfinDevice[]> {
    return this.#ask([{ kind: 'query', account: this.#account }], readDevices);
  }

  /**
   * A tunnel from this connection to that device. Rejects as `query`, and with LinkError `connect-failed` when the gateway
   * opens none: the device is not online, or user or secret are wrong; it does not say which. When the device goes, the tunnel
   * goes without a word.
   */
  connectMe(mac: string): Promise<Duplex> {
    // Of a device with itself none is made, and in segments these two are no message, and never answered: there what is
    // written would be spoilt by what stands around it.
    const itself = { kind: 'connthem', account: this.#account, mac1: mac, mac2: mac } as const;
    return this.#ask([itself, { kind: 'connme', account: this.#account, mac }], (line) => {
      this.#checkOpened(readStatus(line), mac);
      return this.#openTunnel();
    });
  }

  /** A tunnel between two devices. Resolves when it is there. Rejects as `connectMe`. */
  connectThem(first: string, second: string): Promise<void> {
    return this.#ask([{ kind: 'connthem', account: this.#account, mac1: first, mac2: second }], (line) =>
      this.#checkOpened(readStatus(line), `${first} and ${second}`),
    );
  }

  /**
   * Says that this connection is a device. The gateway does not answer, and takes the device for offline after 60 s: say it
   * again every 20 s or so. From now on `tunnel` is there, for tunnels that others open to it. False: it was not sent, as
   * more than 1 MiB waits. Throws ConfigurationError `config-invalid`.
   */
  beat(adapter: ElfinAdapter): boolean {
    const { mac, host } = adapter;
    const message = encoded({ kind: 'beat', account: this.#account, mac, host, type: LIFE_TYPE });
    this.#actAs('beat', adapter);
    return this.#send(message);
  }

  /**
   * Payload to the other end of the tunnel; as a device it is a sign of life too. The gateway drops it without a word where
   * there is no tunnel. False: it was not sent, as more than 1 MiB waits; writing to `tunnel` waits by itself. Throws
   * ConfigurationError `config-invalid`.
   */
  data(payload: Uint8Array, adapter?: ElfinAdapter): boolean {
    const head = this.#head(payload.length, adapter);
    if (adapter !== undefined) this.#actAs('data', adapter);
    if (this.#tunnel === undefined) refuse('data', 'needs a tunnel, or a device to act as');
    return this.#send(head, payload, LINE_END);
  }

  /** Sends what is written, closes, and resolves when the connection is gone, after 5 s at the latest. May be called twice. */
  async close(): Promise<void> {
    const socket = this.#socket;
    this.#over(new InternalError('stopped', 'the client was closed'));
    if (socket.closed) return;
    const gone = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
    const late = this.#settings.clock.after(CLOSE_MS, () => socket.destroy());
    if (this.#tunnel === undefined || this.#tunnel.destroyed) socket.destroySoon();
    else this.#tunnel.end(() => socket.destroySoon());
    await gone;
    late.cancel();
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('data', this.#hear);
    socket.on('error', (error) => {
      const what = `the connection to ${this.#remote} broke: ${error.message}`;
      this.#over(new LinkError('link-lost', what, { cause: error }));
    });
    socket.on('close', () => {
      this.#over(new LinkError('link-lost', `${this.#remote} closed the connection`));
      this.#closed.resolve(this.#end!);
    });
  }

  /** While there is no tunnel. */
  readonly #hear = (chunk: Uint8Array): void => {
    try {
      for (let rest = chunk; rest.length > 0; ) {
        const taken = this.#answers.take(rest);
        if (taken === undefined) return;
        rest = taken.rest;
        if (!this.#questions.answer(taken.line))
          throw new ProtocolError('frame-malformed', 'the gateway answered what it was not asked');
        // Behind the answer that opened it all is payload.
        if (this.#tunnel !== undefined) return void (rest.length > 0 && this.#tunnel.push(rest));
      }
    } catch (error) {
      this.#giveUp(error as BaseUnitError);
    }
  };

  get #account(): Account {
    return this.#settings.account;
  }

  /** The last of the messages is the question; what is answered to those before it means nothing. */
  async #ask<T>(messages: readonly ControlMessage[], read: (line: string) => T): Promise<T> {
    const octets = concat(...messages.map(encoded));
    if (this.#end !== undefined) throw this.#end;
    if (this.#tunnel !== undefined) refuse('a question', NO_QUESTIONS);
    return this.#questions.ask(octets, read, messages.length);
  }

  #head(octets: number, adapter = this.#adapter): Uint8Array {
    const { mac, host } = adapter ?? NO_ADAPTER;
    const type = adapter === undefined ? NO_LIFE_TYPE : LIFE_TYPE;
    return fitting(() => encodeDataLineHead({ account: this.#account, mac, host, type }, octets));
  }

  #checkOpened(isOpened: boolean, what: string): void {
    if (isOpened) return;
    throw new LinkError(
      'connect-failed',
      `the gateway opens no tunnel to ${what}: it is not online, or the user or its secret is not right`,
    );
  }

  #actAs(name: string, adapter: ElfinAdapter): void {
    if (this.#questions.isAnyOpen) refuse(name, 'must wait for the answers: payload may come from now on');
    this.#adapter = adapter;
    this.#openTunnel();
  }

  #openTunnel(): Duplex {
    if (this.#tunnel !== undefined) return this.#tunnel;
    this.#socket.off('data', this.#hear);
    this.#tunnel = tunnelOver({ socket: this.#socket, remote: this.#remote, head: (octets) => this.#head(octets) });
    this.#questions.end(new ConfigurationError('config-invalid', `a question ${NO_QUESTIONS}`));
    return this.#tunnel;
  }

  #giveUp(error: BaseUnitError): void {
    this.#over(error);
    this.#socket.destroy();
  }

  #over(error: BaseUnitError): void {
    this.#end ??= error;
    this.#questions.end(this.#end);
  }

  #send(...parts: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (!socket.writable || socket.writableLength > MAX_UNSENT_OCTETS) return false;
    socket.cork();
    for (const part of parts) socket.write(part);
    socket.uncork();
    return true;
  }
}

const encoded = (message: ControlMessage): Uint8Array => fitting(() => encodeControl(message));

/** What does not fit a message is the caller's fault. */
function fitting(encode: () => Uint8Array): Uint8Array {
  try {
    return encode();
  } catch (error) {
    throw new ConfigurationError('config-invalid', (error as Error).message, { cause: error });
  }
}

function closing(): { readonly promise: Promise<BaseUnitError>; resolve(why: BaseUnitError): void } {
  let resolve!: (why: BaseUnitError) => void;
  const promise = new Promise<BaseUnitError>((end) => {
    resolve = end;
  });
  return { promise, resolve };
}
