import cors from '@fastify/cors';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { InternalError } from '../../../protocol/errors.js';
import { Certificates } from '../../links/certificates.js';
import { answerClientError, refuseUnread, sendError } from '../../links/http-errors.js';
import { HttpServer, urlOf } from '../../links/http-server.js';
import { MAX_PARAM_CHARACTERS } from '../api-limits.js';
import { isLoopbackHost } from '../host-check.js';
import { type ConnectorApiLimits, defaultConnectorApiLimits } from './connector-api-limits.js';
import {
  type ConnectorApiOptions,
  DEFAULT_ANSWER_TIMEOUT_MS,
  DEFAULT_STATUS_EVERY_MS,
} from './connector-api-options.js';
import { ConnectorGate } from './connector-gate.js';
import { DeviceRequests } from './device-requests.js';
import { deviceRoutes } from './device-routes.js';
import { refuseRoute } from './refuse-route.js';
import type { StatusApi, StatusApiContext } from './status-api.js';
import { statusMetrics } from './status-metrics.js';
import { STREAM_PATH, statusRoutes } from './status-routes.js';
import { StatusStream } from './status-stream.js';

/** How long a browser may remember what it may send. */
const PREFLIGHT_S = 600;

/** All that there is while it runs. */
interface Parts {
  readonly context: StatusApiContext;
  readonly server: HttpServer;
  readonly gate: ConnectorGate;
  readonly stream: StatusStream;
  readonly requests: DeviceRequests;
}

/** The HTTP API of IoT Cloud Connector (wire/connector.md, "HTTP API"), for the units of all handlers. */
export class ConnectorApi implements StatusApi {
  readonly #options: ConnectorApiOptions;
  readonly #limits: ConnectorApiLimits;
  #certificates: Certificates | undefined;
  #parts: Parts | undefined;
  #isStopping = false;

  constructor(options: ConnectorApiOptions) {
    this.#options = options;
    this.#limits = { ...defaultConnectorApiLimits, ...options.limits };
  }

  get subscribers(): number {
    return this.#parts?.stream.size ?? 0;
  }

  /**
   * Resolves when it listens. ConfigurationError `port-in-use`; `config-invalid` where nobody can listen or the certificate
   * is none; `config-unreadable` for its files. InternalError `stopped`: it was stopped meanwhile.
   */
  async start(context: StatusApiContext): Promise<{ readonly url: string }> {
    try {
      return await this.#start(context);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Answers 503 to what waits for a device, and ends within the grace of its limits. May be called twice. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#parts !== undefined) await this.#end(this.#parts);
    this.#certificates?.stop();
  }

  async #start(context: StatusApiContext): Promise<{ readonly url: string }> {
    const { tls, auth, listen } = this.#options;
    const { clock, log } = context;
    if (tls !== undefined) {
      this.#certificates = new Certificates({ files: tls, clock, log });
      await this.#certificates.start();
    }
    if (this.#isStopping) throw new InternalError('stopped', 'connector.http was stopped while it started');
    const parts = this.#makeParts(context);
    this.#parts = parts;
    const address = await parts.server.start(await this.#build(parts));
    parts.stream.start();
    const url = urlOf(address, tls !== undefined);
    log.info({ url, auth: auth.kind }, 'API of the connector listens');
    if (!isLoopbackHost(listen.host)) this.#warnNetwork(context);
    return { url };
  }

  #end({ server, gate, stream, requests }: Parts): Promise<void> {
    stream.stop();
    gate.stop();
    const stopped = server.stop();
    requests.stop();
    return stopped;
  }

  #makeParts(context: StatusApiContext): Parts {
    const limits = this.#limits;
    const { listen, auth, cors: origins } = this.#options;
    const { statusEveryMs = DEFAULT_STATUS_EVERY_MS, answerTimeoutMs = DEFAULT_ANSWER_TIMEOUT_MS } = this.#options;
    const { status, units, clock, random, log } = context;
    return {
      context,
      server: new HttpServer({
        setting: 'connector.http',
        tlsSetting: 'connector.tls',
        listen,
        certificates: this.#certificates,
        bounds: limits,
        tlsHandshakeMs: limits.tlsHandshakeMs,
        clock,
        log,
      }),
      gate: new ConnectorGate({ listenHost: listen.host, auth, origins, limits, clock }),
      stream: new StatusStream({
        metrics: () => statusMetrics(status.status()),
        everyMs: statusEveryMs,
        limits,
        clock,
        log,
      }),
      requests: new DeviceRequests({ units, answerTimeoutMs, clock, random }),
    };
  }

  #warnNetwork({ log }: StatusApiContext): void {
    const { tls, auth } = this.#options;
    if (auth.kind === 'none')
      log.warn({}, 'connector.http without connector.auth: whoever is on its network can command every unit');
    else if (tls === undefined) log.warn({}, 'connector.http without connector.tls: its secret travels in clear');
  }

  async #build(parts: Parts): Promise<FastifyInstance> {
    const { context, server, stream, gate, requests } = parts;
    const app = fastify({
      serverFactory: (handler) => server.create(handler),
      bodyLimit: this.#limits.bodyOctets,
      forceCloseConnections: true,
      exposeHeadRoutes: false,
      routerOptions: { maxParamLength: MAX_PARAM_CHARACTERS, ignoreTrailingSlash: true },
      clientErrorHandler: (error, socket) => answerClientError(error, socket, this.#limits, stream.has(socket)),
      frameworkErrors: (_error, request, reply) => void refuseUnread(request, reply, 400, 'The path cannot be read.'),
    });
    app.setSerializerCompiler(() => (value) => JSON.stringify(value));
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    app.setErrorHandler((error: FastifyError, request, reply) => this.#sendFault(context, error, request, reply));
    app.setNotFoundHandler((request, reply) => refuseRoute(request, reply));
    app.addHook('onRequest', async (request, reply) => {
      reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
      if (request.routeOptions.url !== STREAM_PATH) server.enter(reply.raw);
      return gate.checkHead(request, reply);
    });
    await this.#allowOrigins(app);
    app.addHook('onRequest', async (request, reply) => {
      const refused = await gate.checkCaller(request, reply);
      if (refused !== undefined) return refused;
      if (server.isStopping) {
        const text = 'The base is stopping; try again when it runs.';
        return refuseUnread(request, reply.header('connection', 'close'), 503, text);
      }
      // Who asked whether to send its body may do so.
      if (request.headers.expect !== undefined) reply.raw.writeContinue();
      return undefined;
    });
    statusRoutes(app, { status: context.status, gate, stream, limits: this.#limits });
    deviceRoutes(app, context, requests);
    return app;
  }

  /** Preflights are answered here: browsers send them without the secret. */
  async #allowOrigins(app: FastifyInstance): Promise<void> {
    const { cors: origins } = this.#options;
    if (origins.length === 0) return;
    await app.register(cors, {
      origin: [...origins],
      methods: ['GET', 'POST'],
      allowedHeaders: ['Authorization', 'Content-Type'],
      exposedHeaders: ['Retry-After', 'WWW-Authenticate'],
      maxAge: PREFLIGHT_S,
      strictPreflight: false,
    });
  }

  #sendFault(
    { log }: StatusApiContext,
    error: FastifyError,
    request: FastifyRequest,
    reply: FastifyReply,
  ): FastifyReply {
    const { statusCode: status = 500, message } = error;
    if (status === 413) return sendError(reply, 413, `The body is longer than ${this.#limits.bodyOctets} octets.`);
    if (status === 415)
      return sendError(reply, 415, 'The Content-Type header cannot be read; leave it out, or send text/plain.');
    if (status < 500) return sendError(reply, status, message.slice(0, 200));
    log.error({ err: error, route: request.routeOptions.url }, 'request of the API of the connector failed');
    return sendError(reply, 500, "A fault of the base's own; its log has it.");
  }
}
