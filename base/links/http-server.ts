import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { ConfigurationError, InternalError } from '../../protocol/errors.js';
import { type Address, addressText } from '../core/address.js';
import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';
import type { HttpBounds } from './http-bounds.js';
import { createHttpListener, type HttpCertificates } from './http-listener.js';

export interface HttpServerOptions {
  /** Where it is configured, for errors: `iotsocket.http`. */
  readonly setting: string;
  /** Where its certificates are: `iotsocket.tls`. */
  readonly tlsSetting: string;
  /** Port 0 lets the system choose. */
  readonly listen: Address;
  /** `undefined`: HTTP in clear. */
  readonly certificates: HttpCertificates | undefined;
  readonly bounds: HttpBounds;
  readonly tlsHandshakeMs?: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** What answers: a Fastify instance that was made with {@link HttpServer.create} as its `serverFactory`. */
export interface HttpApplication {
  readonly server: Server;
  listen(where: Address): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * The socket side of an HTTP(S) server, from its start to its stop: bounds, certificates that are renewed while it runs, and
 * an end that lets answers go out first.
 */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #sockets = new Set<Socket>();
  #app: HttpApplication | undefined;
  #leaveCertificates: (() => void) | undefined;
  #isStopping = false;
  #isClosed = false;
  #underWay = 0;
  #whenIdle: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: HttpServerOptions) {
    this.#options = options;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Makes the server. Throws ConfigurationError `config-invalid` for a certificate that is none. */
  create(handler: RequestListener): Server {
    const server = createHttpListener(this.#options, handler);
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      if (this.#isClosed) socket.destroy();
    });
    return server;
  }

  /** Its answer is waited for at the stop. Call it for each request that has an end of its own. */
  enter(response: ServerResponse): void {
    this.#underWay += 1;
    response.once('close', () => {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#whenIdle?.();
    });
  }

  /**
   * Resolves when it listens. ConfigurationError `port-in-use`, or `config-invalid` where nobody can listen; InternalError
   * `stopped`: it was stopped meanwhile.
   */
  async start(app: HttpApplication): Promise<Address> {
    const { setting, listen, certificates } = this.#options;
    this.#leaveCertificates = certificates?.onChange(() => this.#renewCertificates(app));
    // A name may stand for two addresses, and Fastify would then listen twice, with our bounds on one of them.
    const host = listen.host === 'localhost' ? '127.0.0.1' : listen.host;
    try {
      await app.listen({ host, port: listen.port });
    } catch (cause) {
      this.#leaveCertificates?.();
      await app.close();
      throw listenError(cause as NodeJS.ErrnoException, `${setting} ${addressText(listen)}`);
    }
    if (this.#isStopping) {
      await app.close();
      throw new InternalError('stopped', `${setting} was stopped while it started`);
    }
    this.#app = app;
    const got = app.server.address();
    return { host, port: typeof got === 'object' && got !== null ? got.port : listen.port };
  }

  /** Lets answers under way go out, for at most `stopGraceMs`; then closes everything. May be called twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#isStopping = true;
    this.#leaveCertificates?.();
    const app = this.#app;
    if (app === undefined) return;
    if (this.#underWay > 0) await this.#idleOrLate();
    this.#isClosed = true;
    const closed = app.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #idleOrLate(): Promise<void> {
    return new Promise((resolve) => {
      const late = this.#options.clock.after(this.#options.bounds.stopGraceMs, resolve);
      this.#whenIdle = () => {
        late.cancel();
        resolve();
      };
    });
  }

  /** Connections that are there go on with the old one. */
  #renewCertificates(app: HttpApplication): void {
    const { certificates, log } = this.#options;
    try {
      (app.server as TlsServer).setSecureContext({ ...certificates?.pem, minVersion: 'TLSv1.2' });
    } catch (error) {
      log.error({ error: (error as Error).message }, 'the new certificate cannot be used; the old one goes on');
    }
  }
}

/** How this machine reaches a server that listens there. */
export function urlOf({ host, port }: Address, isTls = false): string {
  const reached = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  return `${isTls ? 'https' : 'http'}://${addressText({ host: reached, port })}`;
}

/** Why nobody can listen there, as a ConfigurationError where it is the configuration's fault. */
function listenError(cause: NodeJS.ErrnoException, where: string): Error {
  const wrong = (code: 'port-in-use' | 'config-invalid', what: string): ConfigurationError =>
    new ConfigurationError(code, `${where} ${what}`, { cause });
  switch (cause.code) {
    case 'EADDRINUSE':
      return wrong('port-in-use', 'is in use; does another base run? Stop it or choose another port');
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return wrong('config-invalid', 'is no address of this machine; write one of its own, as "127.0.0.1:8889"');
    case 'EACCES':
      return wrong('config-invalid', 'may only be used by root; choose a port above 1023');
    default:
      return cause;
  }
}
