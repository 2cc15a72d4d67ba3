import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { StoreError } from '../../../protocol/errors.js';
import { type Address, addressText } from '../../core/address.js';
import type { Clock } from '../../core/clock.js';
import { type Log, peerText } from '../../core/log.js';
import { parseRequestJson } from '../../core/request-json.js';
import { TroubleLog } from '../../core/trouble-log.js';
import { defaultHttpBounds, type HttpBounds } from '../../links/http-bounds.js';
import { answerClientError, refuseUnread, sendError } from '../../links/http-errors.js';
import type { HttpCertificates } from '../../links/http-listener.js';
import { HttpServer } from '../../links/http-server.js';
import { isLoopback } from '../../links/loopback.js';
import { AccessListRefused, type ReplaceAccessList } from './access-entry.js';
import { CentralBearer } from './central-bearer.js';
import { accessListOfBody, requestOfBody } from './central-http-bodies.js';
import { answerBody, type HttpBody, MAX_BODY_DEPTH, notValidAnswer } from './http-payload.js';
import type { IotsocketLimits } from './iotsocket-limits.js';
import type { AskObject, OwnAnswer, OwnRequest } from './own-request.js';

const routes = ['/acl', '/request'] as const;

export interface CentralHttpServerOptions {
  /** Port 0 lets the system choose. */
  readonly listen: Address;
  /** The central's key, 16 octets. */
  readonly key: Uint8Array;
  /** `undefined`: HTTP in clear. */
  readonly certificates: HttpCertificates | undefined;
  readonly ask: AskObject;
  readonly replaceAccessList: ReplaceAccessList;
  /** How long an answer may take when the request does not say. */
  readonly requestTimeoutMs: number;
  readonly limits: Pick<IotsocketLimits, 'httpBodyOctets' | 'httpMaxWaitMs' | 'httpRequests' | 'tlsHandshakeMs'>;
  readonly httpLimits?: Partial<HttpBounds>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Since the start. */
export interface CentralHttpCounts {
  /** Requests to objects, and access lists, that were taken. */
  readonly requests: number;
  readonly accessLists: number;
  /** Without the central's key. */
  readonly unauthorised: number;
  /** Bodies that were refused, access lists refused as a whole among them. */
  readonly bad: number;
  /** Requests past the bound of those that wait. */
  readonly busy: number;
  /** Answers of objects that are not what their format says. */
  readonly notValid: number;
}

/** The HTTP(S) server for the central: `POST /acl` and `POST /request` (wire/iotsocket.md, "HTTP(S) for the central"). */
export class CentralHttpServer {
  readonly #options: CentralHttpServerOptions;
  readonly #http: HttpBounds;
  readonly #server: HttpServer;
  readonly #bearer: CentralBearer;
  readonly #trouble: TroubleLog;
  /** Each ends one request that waits for its object. */
  readonly #held = new Set<() => void>();
  readonly #counts = { requests: 0, accessLists: 0, unauthorised: 0, bad: 0, busy: 0, notValid: 0 };

  constructor(options: CentralHttpServerOptions) {
    this.#options = options;
    this.#http = { ...defaultHttpBounds, ...options.httpLimits };
    const { listen, certificates, limits, clock, log } = options;
    this.#server = new HttpServer({
      setting: 'iotsocket.http',
      tlsSetting: 'iotsocket.tls',
      listen,
      certificates,
      bounds: this.#http,
      tlsHandshakeMs: limits.tlsHandshakeMs,
      clock,
      log,
    });
    this.#bearer = new CentralBearer(options.key);
    this.#trouble = new TroubleLog(options.log);
  }

  get counts(): CentralHttpCounts {
    return { ...this.#counts };
  }

  /** Requests that wait for their object. */
  get waiting(): number {
    return this.#held.size;
  }

  /** Resolves when it listens. ConfigurationError `port-in-use`, or `config-invalid` where nobody can listen or the certificate is none. */
  async start(): Promise<Address> {
    const { listen, certificates, log } = this.#options;
    const address = await this.#server.start(this.#build());
    log.info({ address: addressText(address), tls: certificates !== undefined }, 'HTTP server for the central listens');
    if (certificates === undefined && !isLoopback(new URL(`http://${addressText(listen)}`)))
      log.warn({}, "iotsocket.http without iotsocket.tls: the central's key travels in clear");
    return address;
  }

  /** Takes no more, answers 503 to what waits for its object, and ends within 2 s. May be called twice. */
  stop(): Promise<void> {
    const stopped = this.#server.stop();
    for (const end of this.#held) end();
    return stopped;
  }

  #build(): FastifyInstance {
    const app = fastify({
      serverFactory: (handler) => this.#server.create(handler),
      bodyLimit: this.#options.limits.httpBodyOctets,
      forceCloseConnections: true,
      exposeHeadRoutes: false,
      routerOptions: { caseSensitive: false },
      clientErrorHandler: (error, socket) => answerClientError(error, socket, this.#http),
      frameworkErrors: (_error, request, reply) => void refuseUnread(request, reply, 400, 'the path cannot be read'),
    });
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
      const parsed = parseRequestJson(body as Buffer, MAX_BODY_DEPTH);
      if (parsed.ok) done(null, parsed);
      else done(Object.assign(new SyntaxError(parsed.detail), { statusCode: 400 }));
    });
    app.addHook('onRequest', async (request, reply) => this.#letIn(request, reply));
    app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => this.#sendFault(error, reply));
    app.post('/acl', (request, reply) => this.#takeAccessList(request, reply));
    app.post('/request', (request, reply) => this.#takeRequest(request, reply));
    return app;
  }

  /** Every request passes here before its body is read. The reply: it was refused. */
  #letIn(request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
    this.#server.enter(reply.raw);
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    const refuse = (status: number, error: string) => refuseUnread(request, reply, status, error);
    if (request.raw.rawHeaders.length / 2 > this.#http.headers)
      return refuse(431, `the request has more than ${this.#http.headers} headers`);
    if (!this.#bearer.matches(request.headers.authorization)) {
      this.#counts.unauthorised += 1;
      this.#trouble.warn('unauthorised', { address: request.ip }, "HTTP request without the central's key refused");
      reply.header('www-authenticate', 'Bearer realm="iotsocket"');
      return refuse(401, 'send the header "Authorization: Bearer <the central\'s key, in hex>"');
    }
    if (this.#server.isStopping) {
      reply.header('connection', 'close');
      return refuse(503, 'the base is stopping; try again when it runs');
    }
    if (request.is404) return this.#refuseRoute(request, reply);
    if (request.headers.expect !== undefined) reply.raw.writeContinue();
    return undefined;
  }

  #refuseRoute(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const path = request.url.split('?', 1)[0]!.toLowerCase();
    if (!routes.some((route) => route === path))
      return refuseUnread(request, reply, 404, `there are ${routes.map((route) => `POST ${route}`).join(' and ')}`);
    return refuseUnread(request, reply.header('allow', 'POST'), 405, `${path} takes POST only`);
  }

  async #takeAccessList(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const list = accessListOfBody((request.body as HttpBody | undefined)?.value);
    if (!list.ok) return this.#refuseBody(reply, list.fault);
    try {
      await this.#options.replaceAccessList(list.value, 'http');
    } catch (error) {
      if (error instanceof AccessListRefused) return this.#refuseBody(reply, error.message);
      if (error instanceof StoreError) return sendError(reply, 503, error.message);
      throw error;
    }
    this.#counts.accessLists += 1;
    return reply.code(200).send();
  }

  async #takeRequest(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { limits, requestTimeoutMs } = this.#options;
    const body = request.body as HttpBody | undefined;
    const isObject = typeof body?.value === 'object' && body.value !== null && !Array.isArray(body.value);
    const times = { defaultMs: requestTimeoutMs, maxMs: limits.httpMaxWaitMs };
    const asked = requestOfBody(isObject ? body : undefined, times);
    if (!asked.ok) return this.#refuseBody(reply, asked.fault);
    if (this.#held.size >= limits.httpRequests) {
      this.#counts.busy += 1;
      const text = `${limits.httpRequests} requests wait for their answers; send fewer at once`;
      return sendError(reply.header('retry-after', 1), 503, text);
    }
    this.#counts.requests += 1;
    const answer = await this.#hold(asked.value, reply);
    if (answer === undefined) {
      const text = 'the base stopped before the object answered; whether it got the request is not known';
      return sendError(reply.header('connection', 'close'), 503, text);
    }
    return reply.type('application/json').send(this.#answerText(asked.value.uid, answer));
  }

  /** Asks; `undefined`: the base stops. When the client hangs up the request is withdrawn. */
  #hold(asked: OwnRequest, reply: FastifyReply): Promise<OwnAnswer | undefined> {
    return new Promise((resolve, reject) => {
      const leaving = new AbortController();
      const end = (): void => {
        leaving.abort();
        resolve(undefined);
      };
      this.#held.add(end);
      reply.raw.once('close', () => leaving.abort());
      const ask = async () => this.#options.ask({ ...asked, signal: leaving.signal });
      ask()
        .finally(() => this.#held.delete(end))
        .then(resolve, reject);
    });
  }

  #answerText(uid: string, { code, payload }: OwnAnswer): string {
    const text = answerBody(code, payload);
    if (text !== undefined) return text;
    this.#counts.notValid += 1;
    this.#trouble.warn('payload', { uid: peerText(uid) }, 'the answer of an object is not what its format says');
    return notValidAnswer;
  }

  #refuseBody(reply: FastifyReply, fault: string): FastifyReply {
    this.#counts.bad += 1;
    return sendError(reply, 400, fault);
  }

  #sendFault(error: Error & { statusCode?: number }, reply: FastifyReply): FastifyReply {
    const { statusCode: status = 500, message } = error;
    if (status >= 500) {
      this.#options.log.error({ err: error }, 'HTTP request of the central failed');
      return sendError(reply, 500, "a fault of the base's own; its log has it");
    }
    this.#counts.bad += 1;
    if (status === 413)
      return sendError(reply, 413, `the body is longer than ${this.#options.limits.httpBodyOctets} octets`);
    if (status === 415) return sendError(reply, 415, 'send JSON, with the header "Content-Type: application/json"');
    return sendError(reply, 400, message.slice(0, 300));
  }
}
