import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { TimeoutError } from '../../protocol/errors.js';
import { type Address, plainHost } from '../core/address.js';
import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';
import { thrownError } from '../core/thrown-error.js';
import { defaultHttpBounds, type HttpBounds } from './http-bounds.js';
import { answerClientError, endWithError } from './http-errors.js';
import { createHttpListener, type HttpCertificates } from './http-listener.js';
import { GOODBYE_MS } from './link-session.js';
import { listenError } from './tcp-listener.js';
import type { UnprovedConnection } from './unproved.js';

/** Parts of one message, and pieces in which it comes: of a small board's segments it has fewer. */
const MAX_MESSAGE_PARTS = 1_024;
/** How often it is looked who is late. */
const CHECK_EVERY_MS = 1_000;

/** What one connection may take until it is a WebSocket, and in one message then. */
export interface WebSocketBounds {
  readonly headerOctets: number;
  readonly headers: number;
  /** For the whole request of the upgrade to arrive. */
  readonly upgradeMs: number;
  readonly tlsHandshakeMs: number;
  /** For `take` to accept or refuse. */
  readonly decideMs: number;
  /** A longer message ends its WebSocket with 1009. */
  readonly messageOctets: number;
}

export interface WebSocketListenerOptions<S extends WebSocket> {
  /** Where the certificates are configured, for errors: `connector.tls`. */
  readonly tlsSetting: string;
  /** `undefined`: ws; else wss. */
  readonly certificates: HttpCertificates | undefined;
  /** The one path that is served, as `/connect`; `undefined`: any. */
  readonly path?: string | undefined;
  readonly bounds: WebSocketBounds;
  /** Where connections are counted that are no WebSockets yet. */
  readonly unproved: { add(connection: UnprovedConnection): void; delete(connection: UnprovedConnection): void };
  /** What WebSockets are made of. */
  readonly socketClass: new (
    ...parameters: ConstructorParameters<typeof WebSocket>
  ) => S;
  /** Decides about one upgrade, at once or within `bounds.decideMs`: calls `accept` or `refuse`. */
  readonly take: (upgrade: PendingUpgrade<S>) => Promise<void> | void;
  /** `take` threw, rejected or took too long (TimeoutError); that one was refused with 503. */
  readonly failed: (error: Error, upgrade: PendingUpgrade<S>) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Somebody asks for a WebSocket. The first call of `accept` or `refuse` is the one that counts. */
export interface PendingUpgrade<S extends WebSocket> {
  readonly request: IncomingMessage;
  /** TCP's, or that of TLS. */
  readonly stream: Socket;
  /** Where it comes from, without a port. */
  readonly address: string;
  readonly isTls: boolean;
  /** It was accepted or refused. */
  readonly isDecided: boolean;
  /** The WebSocket; `undefined`: its peer has gone, or asked for none that can be had, and was told so. */
  accept(): S | undefined;
  /** Answers `{"error": text}` with that status, and closes. */
  refuse(status: number, error: string, headers?: Readonly<Record<string, string>>): void;
}

/** Takes WebSockets over HTTP or HTTPS. Until one is accepted its connection may do nothing else, and not for long. */
export class WebSocketListener<S extends WebSocket> {
  readonly #options: WebSocketListenerOptions<S>;
  readonly #bounds: HttpBounds;
  readonly #sockets: WebSocketServer;
  /** Connections that are no WebSockets yet. */
  readonly #pending = new Map<Socket, Pending>();
  /** It is gone, or a WebSocket: nothing of this is kept for as long as that lasts. */
  readonly #leave: (this: Socket) => void;
  #server: Server | undefined;
  #leaveCertificates: (() => void) | undefined;

  constructor(options: WebSocketListenerOptions<S>) {
    const { headerOctets, headers, upgradeMs, messageOctets } = options.bounds;
    this.#options = options;
    this.#bounds = {
      ...defaultHttpBounds,
      headersTimeoutMs: upgradeMs,
      requestTimeoutMs: upgradeMs,
      checkIntervalMs: CHECK_EVERY_MS,
      headerOctets,
      headers,
      // Those that are no WebSockets are bounded by `unproved`, the others by who takes them.
      sockets: Number.POSITIVE_INFINITY,
    };
    this.#sockets = new WebSocketServer({
      noServer: true,
      WebSocket: options.socketClass as unknown as typeof WebSocket,
      maxPayload: messageOctets,
      maxFragments: MAX_MESSAGE_PARTS,
      maxBufferedChunks: MAX_MESSAGE_PARTS,
      perMessageDeflate: false,
      clientTracking: false,
      closeTimeout: GOODBYE_MS,
    } as ConstructorParameters<typeof WebSocketServer>[0]);
    const leave = (socket: Socket): void => this.#left(socket);
    this.#leave = function () {
      leave(this);
    };
    this.#sockets.on('wsClientError', (error, stream) =>
      endWithError(stream, 400, `this is no WebSocket as it should be: ${error.message}`, {
        'Sec-WebSocket-Version': '13',
      }),
    );
  }

  /** Resolves with the address it got. ConfigurationError `port-in-use`, or `config-invalid` for a certificate that is none. */
  listen(address: Address): Promise<Address> {
    const { certificates, tlsSetting, bounds, log } = this.#options;
    const { tlsHandshakeMs } = bounds;
    const options = { tlsSetting, certificates, bounds: this.#bounds, tlsHandshakeMs };
    const server = createHttpListener(options, (request, response) => this.#answer(request, response));
    this.#server = server;
    this.#leaveCertificates = certificates?.onChange(() =>
      (server as TlsServer).setSecureContext({ ...certificates.pem, minVersion: 'TLSv1.2' }),
    );
    server.on('connection', (socket: Socket) => this.#connected(socket));
    server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) =>
      this.#asked(request, stream as Socket, head),
    );
    server.on('clientError', (error: Error, stream: Duplex) =>
      answerClientError(error, stream as Socket, this.#bounds),
    );
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(address, error)));
      server.listen(address.port, address.host, () => {
        server.removeAllListeners('error');
        server.on('error', (error) => log.warn({ error: error.message }, 'a connection could not be taken'));
        resolve({ host: address.host, port: (server.address() as AddressInfo).port });
      });
    });
  }

  /**
   * Takes no more, and ends what is no WebSocket yet; WebSockets are others' to close, so it does not wait for them. May be
   * called twice.
   */
  close(): void {
    this.#leaveCertificates?.();
    for (const socket of this.#pending.keys()) socket.destroy();
    this.#server?.close();
  }

  #connected(socket: Socket): void {
    const connection = new Pending(socket);
    this.#options.unproved.add(connection);
    this.#pending.set(socket, connection);
    socket.setNoDelay(true);
    socket.on('close', this.#leave);
  }

  /** A request that asks for something else. */
  #answer(request: IncomingMessage, response: ServerResponse): void {
    const [status, error, headers] = this.#objection(request) ?? upgradeNeeded;
    const json = JSON.stringify({ error });
    const own = { connection: 'close', 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) };
    response.writeHead(status, { ...own, ...headers }).end(json);
  }

  /** Why it can be no upgrade; `undefined`: it may be one. */
  #objection({ url = '', rawHeaders }: IncomingMessage): Refusal | undefined {
    const { path, bounds } = this.#options;
    if (rawHeaders.length / 2 > bounds.headers) return [431, `the request has more than ${bounds.headers} headers`, {}];
    if (path !== undefined && url.split('?', 1)[0] !== path) return [404, `there is nothing but ${path} here`, {}];
    return undefined;
  }

  #asked(request: IncomingMessage, stream: Socket, head: Buffer): void {
    stream.on('error', ignore);
    const objection = this.#objection(request);
    if (objection !== undefined) return endWithError(stream, ...objection);
    const upgrade = new Upgrade(request, stream, this.#options.certificates !== undefined, () =>
      this.#upgrade(request, stream, head),
    );
    this.#decide(upgrade);
  }

  #decide(upgrade: Upgrade<S>): void {
    const { take, failed, bounds, clock } = this.#options;
    const fail = (thrown: unknown): void => {
      if (upgrade.refuse(503, 'the base could not decide about this connection; try again later'))
        failed(thrownError(thrown), upgrade);
    };
    let deciding: Promise<void> | void;
    try {
      deciding = take(upgrade);
    } catch (error) {
      return fail(error);
    }
    if (deciding === undefined) return;
    const late = clock.after(bounds.decideMs, () =>
      fail(new TimeoutError('opening-timeout', `nothing was decided within ${bounds.decideMs / 1_000} s`)),
    );
    deciding.catch(fail).finally(() => late.cancel());
  }

  #upgrade(request: IncomingMessage, stream: Socket, head: Buffer): S | undefined {
    let accepted: S | undefined;
    this.#sockets.handleUpgrade(request, stream, head, (socket) => {
      accepted = socket as S;
    });
    if (accepted === undefined) return undefined;
    stream.off('error', ignore);
    this.#left(this.#options.certificates === undefined ? stream : below(stream));
    return accepted;
  }

  #left(socket: Socket): void {
    const connection = this.#pending.get(socket);
    if (connection === undefined) return;
    this.#options.unproved.delete(connection);
    this.#pending.delete(socket);
    socket.off('close', this.#leave);
  }
}

/** Thousands come at a time: each is no more than this. */
class Pending implements UnprovedConnection {
  readonly address: string;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.address = plainHost(socket.remoteAddress ?? '');
    this.#socket = socket;
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

class Upgrade<S extends WebSocket> implements PendingUpgrade<S> {
  readonly request: IncomingMessage;
  readonly stream: Socket;
  readonly isTls: boolean;
  readonly #upgrade: () => S | undefined;
  isDecided = false;

  constructor(request: IncomingMessage, stream: Socket, isTls: boolean, upgrade: () => S | undefined) {
    this.request = request;
    this.stream = stream;
    this.isTls = isTls;
    this.#upgrade = upgrade;
  }

  get address(): string {
    return plainHost(this.stream.remoteAddress ?? '');
  }

  accept(): S | undefined {
    return this.#decide() ? this.#upgrade() : undefined;
  }

  /** False: it was decided before. */
  refuse(status: number, error: string, headers?: Readonly<Record<string, string>>): boolean {
    if (!this.#decide()) return false;
    endWithError(this.stream, status, error, headers);
    return true;
  }

  #decide(): boolean {
    if (this.isDecided) return false;
    this.isDecided = true;
    return true;
  }
}

type Refusal = readonly [status: number, error: string, headers: Readonly<Record<string, string>>];

const upgradeNeeded: Refusal = [
  426,
  'connect with a WebSocket here',
  { upgrade: 'websocket', connection: 'upgrade, close' },
];

/** The TCP socket of a TLS socket. Node has no public name for it. */
const below = (socket: Socket): Socket => (socket as Socket & { readonly _parent?: Socket })._parent ?? socket;

function ignore(): void {}
