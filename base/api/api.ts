import type { AddressInfo } from 'node:net';
import swagger from '@fastify/swagger';
import fastify, { type FastifyInstance } from 'fastify';
import { ConfigurationError, InternalError, StoreError } from '../../protocol/errors.js';
import type { Bus } from '../core/bus.js';
import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';
import type { OutboxPort } from '../core/outbox-port.js';
import type { Random } from '../core/random.js';
import { parseRequestJson } from '../core/request-json.js';
import type { UnitsPort } from '../core/units-port.js';
import { type ApiLimits, defaultApiLimits, MAX_BODY_DEPTH } from './api-limits.js';
import { answerClientError, problemOfError } from './client-errors.js';
import { commandsRoutes } from './commands-routes.js';
import { EventStream } from './event-stream.js';
import { eventsRoute } from './events-route.js';
import { Gate } from './gate.js';
import { historyRoute } from './history-route.js';
import { components, routeDocs, swaggerOptions } from './openapi.js';
import { outboxRoutes } from './outbox-routes.js';
import { problem } from './problem.js';
import { sendProblem } from './send-problem.js';
import { storeRoutes } from './store-routes.js';
import { unitsRoutes } from './units-routes.js';

export interface ApiOptions {
  /** Port 0 lets the system choose. */
  readonly listen: { readonly host: string; readonly port: number };
  /** The bearer token that every request but `/healthz` must carry. */
  readonly token: string;
  readonly units: UnitsPort;
  readonly outbox: OutboxPort;
  /** Makes a copy of the store; gives its path. Rejects with StoreError. */
  readonly backup: () => Promise<string>;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Of the base, and of the program; for the OpenAPI document. */
  readonly name: string;
  readonly version: string;
  readonly limits?: Partial<ApiLimits>;
}

const HEALTH = '/healthz';
const PREFIX = '/api/v1';
/** A UID of 16 octets, each percent-encoded, or an address of a legacy unit. */
const MAX_PARAM_CHARACTERS = 256;

type State = 'new' | 'running' | 'stopping';

/** The HTTP API: status, commands, live events, history, receivers; described by itself at `/api/v1/openapi.json`. */
export class Api {
  readonly #options: ApiOptions;
  readonly #limits: ApiLimits;
  readonly #stream: EventStream;
  #app: FastifyInstance | undefined;
  #state: State = 'new';
  #underWay = 0;
  #whenIdle: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#limits = { ...defaultApiLimits, ...options.limits };
    const { bus, clock, log } = options;
    this.#stream = new EventStream({ bus, clock, log, limits: this.#limits });
  }

  /** Resolves when it listens. ConfigurationError `port-in-use`, or `config-invalid` where nobody can listen. */
  async start(): Promise<{ readonly url: string }> {
    const { listen, log } = this.#options;
    const app = await this.#build();
    // A name may stand for two addresses, and Fastify would then listen twice, with our limits on one of them.
    const host = listen.host === 'localhost' ? '127.0.0.1' : listen.host;
    try {
      await app.listen({ host, port: listen.port });
    } catch (cause) {
      await app.close();
      throw listenError(cause as NodeJS.ErrnoException, `${listen.host}:${listen.port}`);
    }
    if (this.#state === 'stopping') {
      await app.close();
      throw new InternalError('stopped', 'the API was stopped while it started');
    }
    this.#app = app;
    this.#state = 'running';
    this.#stream.start();
    const url = urlOf(app.server.address() as AddressInfo);
    log.info({ url }, 'API listens');
    return { url };
  }

  /** Answers 503 while commands under way end, for at most 2 s; then closes everything. May be called twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const app = this.#app;
    this.#state = 'stopping';
    this.#stream.stop();
    if (app === undefined) return;
    if (this.#underWay > 0) await this.#idleOrLate();
    const closed = app.close();
    app.server.closeAllConnections();
    await closed;
  }

  #idleOrLate(): Promise<void> {
    return new Promise((resolve) => {
      const late = this.#options.clock.after(this.#limits.stopGraceMs, resolve);
      this.#whenIdle = () => {
        late.cancel();
        resolve();
      };
    });
  }

  async #build(): Promise<FastifyInstance> {
    const limits = this.#limits;
    const app = fastify({
      http: {
        headersTimeout: limits.headersTimeoutMs,
        requestTimeout: limits.requestTimeoutMs,
        connectionsCheckingInterval: limits.checkIntervalMs,
        maxHeaderSize: limits.headerOctets,
      },
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveMs,
      bodyLimit: limits.bodyOctets,
      forceCloseConnections: true,
      exposeHeadRoutes: false,
      routerOptions: { maxParamLength: MAX_PARAM_CHARACTERS },
      clientErrorHandler: (error, socket) => answerClientError(error, socket, limits, this.#stream.has(socket)),
      frameworkErrors: (error, _request, reply) => {
        sendProblem(reply, problemOfError(error, limits) ?? problem(400, 'bad-request', 'The path cannot be read.'));
      },
    });
    app.server.maxConnections = limits.sockets;
    // One more than allowed: Node leaves out those past its bound, and nobody could tell.
    app.server.maxHeadersCount = limits.headers + 1;
    app.setValidatorCompiler(() => () => true);
    app.setSerializerCompiler(() => (value) => JSON.stringify(value));
    this.#readJson(app);
    this.#answerErrors(app);
    await this.#addRoutes(app);
    return app;
  }

  #readJson(app: FastifyInstance): void {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
      const parsed = parseRequestJson(body as Buffer, MAX_BODY_DEPTH);
      if (parsed.ok) done(null, parsed.value);
      else done(Object.assign(new SyntaxError(parsed.detail), { statusCode: 400 }));
    });
  }

  #answerErrors(app: FastifyInstance): void {
    app.setErrorHandler((error: Parameters<typeof problemOfError>[0], request, reply) => {
      // The engine has logged what is wrong with the disk.
      if ((error as Error) instanceof StoreError)
        return sendProblem(reply, problem(503, 'store-failed', error.message));
      const known = problemOfError(error, this.#limits);
      if (known !== undefined) return sendProblem(reply, known);
      this.#options.log.error(
        { err: error, request: request.id, route: request.routeOptions.url },
        'API request failed',
      );
      const detail = `An error of the base's own; its log has it as request ${request.id}.`;
      return sendProblem(reply, problem(500, 'internal', detail));
    });
    app.setNotFoundHandler((request, reply) => {
      const detail = `${request.method} ${request.url.slice(0, 100)} is no route; ${PREFIX}/openapi.json lists them.`;
      return sendProblem(reply, problem(404, 'not-found', detail));
    });
  }

  async #addRoutes(app: FastifyInstance): Promise<void> {
    const { units, outbox, backup, random, name, version, listen, token, clock } = this.#options;
    const gate = new Gate({ listenHost: listen.host, token, clock, limits: this.#limits });
    app.addHook('onRequest', async (request, reply) => {
      reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
      const isHealth = request.routeOptions.url === HEALTH;
      const refused = gate.check(request, reply, !isHealth);
      if (refused !== undefined) return refused;
      if (this.#state !== 'stopping' || isHealth) return;
      return sendProblem(
        reply.header('connection', 'close'),
        problem(503, 'stopping', 'The base is stopping; try again when it runs.'),
      );
    });
    this.#countUnderWay(app);
    await app.register(swagger, swaggerOptions(name, version));
    for (const schema of components) app.addSchema(schema);
    app.get(HEALTH, { schema: routeDocs.healthz }, (_request, reply) => {
      const isStopping = this.#state === 'stopping';
      return reply.code(isStopping ? 503 : 200).send({ status: isStopping ? 'stopping' : 'ok' });
    });
    await app.register(
      async (api) => {
        unitsRoutes(api, units);
        commandsRoutes(api, units, random);
        historyRoute(api, units, clock);
        outboxRoutes(api, outbox);
        storeRoutes(api, backup);
        eventsRoute(api, this.#stream, units, this.#limits, (request) => gate.tokenKeyOf(request));
        api.get('/openapi.json', { schema: routeDocs.openapi }, () => app.swagger());
      },
      { prefix: PREFIX },
    );
    await app.ready();
  }

  /** Event streams are not waited for: they have no end of their own. */
  #countUnderWay(app: FastifyInstance): void {
    app.addHook('onRequest', async (request, reply) => {
      if (request.routeOptions.url === `${PREFIX}/events`) return;
      this.#underWay += 1;
      reply.raw.once('close', () => {
        this.#underWay -= 1;
        if (this.#underWay === 0) this.#whenIdle?.();
      });
    });
  }
}

function listenError(cause: NodeJS.ErrnoException, address: string): Error {
  const invalid = (what: string): ConfigurationError =>
    new ConfigurationError('config-invalid', `http.listen ${address} ${what}`, { cause });
  switch (cause.code) {
    case 'EADDRINUSE':
      return new ConfigurationError(
        'port-in-use',
        `http.listen ${address} is in use; does another base run? Stop it or choose another port`,
        { cause },
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return invalid('is no address of this machine; write one of its own, as "127.0.0.1:8889"');
    case 'EACCES':
      return invalid('may only be used by root; choose a port above 1023');
    default:
      return cause;
  }
}

/** How this machine reaches it. */
function urlOf({ address, port }: AddressInfo): string {
  if (address === '0.0.0.0') return `http://127.0.0.1:${port}`;
  if (address === '::') return `http://[::1]:${port}`;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}
