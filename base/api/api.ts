import swagger from '@fastify/swagger';
import fastify, { type FastifyInstance } from 'fastify';
import { StoreError } from '../../protocol/errors.js';
import type { Bus } from '../core/bus.js';
import type { Clock } from '../core/clock.js';
import type { Connections } from '../core/connections.js';
import type { Log } from '../core/log.js';
import type { OutboxPort } from '../core/outbox-port.js';
import type { Random } from '../core/random.js';
import { parseRequestJson } from '../core/request-json.js';
import type { StatusPort } from '../core/status.js';
import type { UnitsPort } from '../core/units-port.js';
import type { ElfinPort } from '../dialects/elfin/elfin-port.js';
import type { DiscoveryPort } from '../discovery/discovery-port.js';
import { HttpServer, urlOf } from '../links/http-server.js';
import { type ApiLimits, defaultApiLimits, MAX_BODY_DEPTH, MAX_PARAM_CHARACTERS } from './api-limits.js';
import { answerClientError, problemOfError } from './client-errors.js';
import { commandsRoutes } from './commands-routes.js';
import type { ConnectorDocument } from './connector/connector-openapi.js';
import { discoveryRoutes } from './discovery-routes.js';
import { elfinRoutes } from './elfin-routes.js';
import { EventStream } from './event-stream.js';
import { eventsRoute } from './events-route.js';
import type { Figures } from './figures.js';
import { Gate } from './gate.js';
import { historyRoute } from './history-route.js';
import { logsRoute } from './logs-route.js';
import { Metrics } from './metrics.js';
import { metricsRoute } from './metrics-route.js';
import { components, routeDocs, swaggerOptions, withConnector } from './openapi.js';
import { outboxRoutes } from './outbox-routes.js';
import { problem } from './problem.js';
import { queriesRoute } from './queries-route.js';
import { sendProblem } from './send-problem.js';
import { statusRoutes } from './status-routes.js';
import { storeRoutes } from './store-routes.js';
import { unitsRoutes } from './units-routes.js';

export interface ApiOptions {
  /** Port 0 lets the system choose. */
  readonly listen: { readonly host: string; readonly port: number };
  /** The bearer token that every request but `/healthz` must carry. */
  readonly token: string;
  readonly units: UnitsPort;
  readonly outbox: OutboxPort;
  /** The Elfin gateway, where there is one. */
  readonly elfin?: ElfinPort | undefined;
  /** Discovery, where the base looks for units. */
  readonly discovery?: DiscoveryPort | undefined;
  /** Makes a copy of the store; gives its path. Rejects with StoreError. */
  readonly backup: () => Promise<string>;
  /** How the base is doing. */
  readonly status: StatusPort;
  readonly connections: Pick<Connections, 'page' | 'traffic'>;
  /** What the metrics show beside that. */
  readonly figures: Figures;
  /** What the connector's API is, where it is there: for the OpenAPI document. */
  readonly connector?: (() => Promise<ConnectorDocument | undefined>) | undefined;
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

/** The HTTP API: status, commands, live events, history, receivers; described by itself at `/api/v1/openapi.json`. */
export class Api {
  readonly #options: ApiOptions;
  readonly #limits: ApiLimits;
  readonly #stream: EventStream;
  readonly #metrics: Metrics;
  readonly #server: HttpServer;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#limits = { ...defaultApiLimits, ...options.limits };
    const { bus, clock, log, listen } = options;
    this.#stream = new EventStream({ bus, clock, log, limits: this.#limits });
    this.#metrics = new Metrics(options);
    this.#server = new HttpServer({
      setting: 'http.listen',
      tlsSetting: 'http',
      listen,
      certificates: undefined,
      bounds: this.#limits,
      clock,
      log,
    });
  }

  /** Clients of its event stream. */
  get subscribers(): number {
    return this.#stream.size;
  }

  /** Resolves when it listens. ConfigurationError `port-in-use`, or `config-invalid` where nobody can listen. */
  async start(): Promise<{ readonly url: string }> {
    const address = await this.#server.start(await this.#build());
    this.#stream.start();
    this.#metrics.start();
    const url = urlOf(address);
    this.#options.log.info({ url }, 'API listens');
    return { url };
  }

  /** Answers 503 while commands under way end, for at most 2 s; then closes everything. May be called twice. */
  stop(): Promise<void> {
    this.#stream.stop();
    this.#metrics.stop();
    return this.#server.stop();
  }

  async #build(): Promise<FastifyInstance> {
    const limits = this.#limits;
    const app = fastify({
      serverFactory: (handler) => this.#server.create(handler),
      bodyLimit: limits.bodyOctets,
      forceCloseConnections: true,
      exposeHeadRoutes: false,
      routerOptions: { maxParamLength: MAX_PARAM_CHARACTERS },
      clientErrorHandler: (error, socket) => answerClientError(error, socket, limits, this.#stream.has(socket)),
      frameworkErrors: (error, _request, reply) => {
        sendProblem(reply, problemOfError(error, limits) ?? problem(400, 'bad-request', 'The path cannot be read.'));
      },
    });
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
    const { units, outbox, backup, status, connections, random, name, version, listen, token, clock } = this.#options;
    const gate = new Gate({ listenHost: listen.host, token, clock, limits: this.#limits });
    app.addHook('onRequest', async (request, reply) => {
      reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
      const isHealth = request.routeOptions.url === HEALTH;
      const refused = gate.check(request, reply, !isHealth);
      if (refused !== undefined) return refused;
      if (this.#server.isStopping && !isHealth)
        return sendProblem(
          reply.header('connection', 'close'),
          problem(503, 'stopping', 'The base is stopping; try again when it runs.'),
        );
      // Who asked whether to send its body may do so.
      if (request.headers.expect !== undefined) reply.raw.writeContinue();
      return undefined;
    });
    this.#countUnderWay(app);
    await app.register(swagger, swaggerOptions(name, version));
    for (const schema of components) app.addSchema(schema);
    app.get(HEALTH, { schema: routeDocs.healthz }, (_request, reply) => {
      const { isStopping } = this.#server;
      return reply.code(isStopping ? 503 : 200).send({ status: isStopping ? 'stopping' : 'ok' });
    });
    metricsRoute(app, this.#metrics);
    await app.register(
      async (api) => {
        unitsRoutes(api, units);
        commandsRoutes(api, units, random);
        queriesRoute(api, units, clock, random);
        historyRoute(api, units, clock);
        logsRoute(api, units, this.#stream);
        outboxRoutes(api, outbox);
        elfinRoutes(api, this.#options.elfin);
        discoveryRoutes(api, this.#options.discovery, units);
        statusRoutes(api, status, connections);
        storeRoutes(api, backup);
        eventsRoute(api, this.#stream, units, this.#limits, (request) => gate.tokenKeyOf(request));
        api.get('/openapi.json', { schema: routeDocs.openapi }, async () =>
          withConnector(app.swagger(), await this.#options.connector?.()),
        );
      },
      { prefix: PREFIX },
    );
    await app.ready();
  }

  /** Event streams are not waited for: they have no end of their own. */
  #countUnderWay(app: FastifyInstance): void {
    app.addHook('onRequest', async (request, reply) => {
      if (request.routeOptions.url !== `${PREFIX}/events`) this.#server.enter(reply.raw);
    });
  }
}
