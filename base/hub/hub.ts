import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { ConfigurationError } from '../../protocol/errors.js';
import { type Clock, delay } from '../core/clock.js';
import type { Log } from '../core/log.js';
import type { Random } from '../core/random.js';
import { type HubAppOptions, hubApp } from './app.js';
import { clientSocket } from './client-socket.js';
import { Connection, type ConnectionTimeouts } from './connection.js';
import { error } from './frames.js';
import { shakeHands } from './handshake.js';
import { HostedApp } from './hosted-app.js';
import { HttpApi } from './http-api.js';
import { defaultHubLimits, type HubLimits } from './hub-limits.js';
import { newSocketId } from './socket-id.js';

export interface HubOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  readonly apps: readonly HubAppOptions[];
  /** PEM. With it the hub speaks wss and https only. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly timeouts?: Partial<ConnectionTimeouts>;
  readonly limits?: Partial<HubLimits>;
  /** How long a client has to answer our close before it is cut off. Default 2 s. */
  readonly closeAnswerMs?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** The service's own: 120 s of silence, 30 s for the answer, 24 h for those who want nothing. */
const defaultTimeouts: ConnectionTimeouts = { activityS: 120, pongS: 30, idleS: 24 * 3600 };

/** reference/limits.md, HTTP. */
const httpLimits = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 8 * 1024,
};
const MAX_HEADERS = 50;
const TLS_TIMEOUT_MS = 15_000;
/** Sockets beside those of the apps' quotas: servers' requests, and clients being refused. */
const SPARE_SOCKETS = 128;
const CLOSE_ANSWER_MS = 2_000;

/** A server of the Pusher protocol: WebSockets for clients and the HTTP API for servers, on one port (`reference/pusher.md` 1). */
export class Hub {
  readonly #options: HubOptions;
  readonly #limits: HubLimits;
  readonly #timeouts: ConnectionTimeouts;
  readonly #sockets = new Set<WebSocket>();
  #apps: readonly HostedApp[] = [];
  #server: Server | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#limits = { ...defaultHubLimits, ...options.limits };
    this.#timeouts = { ...defaultTimeouts, ...options.timeouts };
  }

  /** Open connections of all apps. */
  get connectionCount(): number {
    return this.#apps.reduce((sum, { connections }) => sum + connections.size, 0);
  }

  /** Resolves when it listens. ConfigurationError: `config-invalid` for the apps, `port-in-use`. A stopped hub may be started again. */
  async start(): Promise<{ readonly host: string; readonly port: number }> {
    const { clock, random, log, apps, tls, host = '127.0.0.1', port = 0 } = this.#options;
    const { closeAnswerMs = CLOSE_ANSWER_MS } = this.#options;
    this.#stopping = undefined;
    checkTimeouts(this.#timeouts);
    const settings = apps.map(hubApp);
    refuseTwins(
      settings.map(({ id }) => id),
      'id',
    );
    refuseTwins(
      settings.map(({ key }) => key),
      'key',
    );
    this.#apps = settings.map((one) => new HostedApp({ settings: one, limits: this.#limits, clock, random, log }));

    const api = new HttpApi({
      clock,
      log,
      maxBodyOctets: this.#limits.bodyOctets,
      findApp: (id) => this.#apps.find(({ settings }) => settings.id === id),
    });
    const server =
      tls === undefined
        ? createServer(httpLimits)
        : createTlsServer({ ...httpLimits, ...tls, handshakeTimeout: TLS_TIMEOUT_MS });
    this.#server = server;
    server.maxHeadersCount = MAX_HEADERS;
    server.maxConnections = settings.reduce((sum, { maxConnections }) => sum + maxConnections, SPARE_SOCKETS);
    server.on('request', (request, response) => void api.handle(request, response));
    // closeTimeout is not in the types of ws.
    const webSockets: ServerOptions & { readonly closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: this.#limits.frameOctets,
      closeTimeout: closeAnswerMs,
    };
    const upgrader = new WebSocketServer(webSockets);
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (this.#server !== server) socket.destroy();
      else upgrader.handleUpgrade(request, socket, head, (webSocket) => this.#welcome(webSocket, request));
    });
    await listen(server, host, port);
    const { address, port: boundPort } = server.address() as AddressInfo;
    log.info({ host: address, port: boundPort, apps: settings.map(({ id }) => id) }, 'hub listens');
    return { host: address, port: boundPort };
  }

  /** Closes every client with 1001. May be called twice, and before `start`. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const { clock, log, closeAnswerMs = CLOSE_ANSWER_MS } = this.#options;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const clientsGone = [...this.#sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const { connections } of this.#apps) for (const connection of [...connections]) connection.close(1001);
    for (const socket of this.#sockets) socket.close(1001);
    const patience = new AbortController();
    await Promise.race([Promise.all(clientsGone), delay(clock, closeAnswerMs, patience.signal).catch(() => {})]);
    patience.abort();
    for (const socket of this.#sockets) socket.terminate();
    server.closeAllConnections();
    await Promise.all([closed, ...this.#apps.map(({ webhooks }) => webhooks.stop())]);
    log.info({}, 'hub stopped');
  }

  #welcome(socket: WebSocket, request: IncomingMessage): void {
    const { clock, random, log } = this.#options;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // ws closes by itself, with the code that fits.
    socket.on('error', (cause) => log.debug({ cause: String(cause) }, 'WebSocket failed'));
    const secure = request.socket instanceof TLSSocket;
    const result = shakeHands({ url: request.url ?? '', secure }, (key) =>
      this.#apps.find(({ settings }) => settings.key === key),
    );
    const client = clientSocket(socket, this.#limits.writeBufferOctets, log);
    if (result.kind === 'refused') {
      log.debug({ code: result.code }, 'client refused');
      if (result.sendError) client.send(error(result.code, result.reason));
      client.close(result.code, result.reason);
      return;
    }
    const connection = new Connection({
      app: result.app,
      socket: client,
      socketId: newSocketId(random),
      protocol: result.protocol,
      clock,
      log,
      timeouts: this.#timeouts,
    });
    const guarded = (act: () => void): void => {
      try {
        act();
      } catch (cause) {
        log.error({ cause: String(cause) }, 'a client message failed');
        connection.close(1011);
      }
    };
    socket.on('message', (data, isBinary) =>
      guarded(() => (isBinary ? connection.receivedBinary() : connection.receivedText(data.toString()))),
    );
    socket.on('ping', () => connection.heard());
    socket.on('pong', () => connection.heard());
    socket.on('error', () => connection.ended());
    socket.once('close', () => connection.ended());
    guarded(() => connection.open());
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        cause.code === 'EADDRINUSE'
          ? new ConfigurationError('port-in-use', `hub.listen: ${host}:${port} is in use`, { cause })
          : new ConfigurationError('config-invalid', `hub.listen: cannot listen on ${host}:${port}: ${cause.code}`, {
              cause,
            }),
      );
    });
    server.listen(port, host, () => resolve());
  });
}

function checkTimeouts(timeouts: ConnectionTimeouts): void {
  // pusher-js throws when it is told 0.
  if (!Object.values(timeouts).every((seconds) => seconds > 0))
    throw new ConfigurationError('config-invalid', 'hub: time-outs must be more than 0 s');
}

function refuseTwins(values: readonly string[], field: string): void {
  const twin = values.find((value, index) => values.indexOf(value) !== index);
  if (twin !== undefined)
    throw new ConfigurationError('config-invalid', `hub.apps: two apps have the ${field} ${twin}`);
}
