import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Clock, delay } from '../../core/clock.js';
import { type HttpAuthentication, HttpAuthenticator } from '../../links/http-authentication.js';
import { refuseUnread } from '../../links/http-errors.js';
import { LoginGuard } from '../../links/login-guard.js';
import { hostCheck } from '../host-check.js';
import { RateLimit } from '../rate-limit.js';
import type { ConnectorApiLimits } from './connector-api-limits.js';

/** How long the answer to a wrong login waits, of an address that has had many. */
const SLOW_ANSWER_MS = 1_000;
const CLAIM_OCTETS = 8;

export interface ConnectorGateOptions {
  readonly listenHost: string;
  readonly auth: HttpAuthentication;
  /** Origins whose pages may use it; `*`: all. */
  readonly origins: readonly string[];
  readonly limits: ConnectorApiLimits;
  readonly clock: Clock;
}

/** Who gets in: every request passes here before its body is read. Gives the reply when the request was refused. */
export class ConnectorGate {
  readonly #options: ConnectorGateOptions;
  readonly #isHostOurs: ((header: string | undefined) => boolean) | undefined;
  readonly #authenticator: HttpAuthenticator;
  readonly #guard: LoginGuard;
  readonly #ofSecret: RateLimit;
  readonly #ofAddress: RateLimit;
  readonly #callers = new WeakMap<object, string>();
  readonly #stop = new AbortController();

  constructor(options: ConnectorGateOptions) {
    this.#options = options;
    const { listenHost, auth, limits, clock } = options;
    this.#isHostOurs = hostCheck(listenHost);
    this.#authenticator = new HttpAuthenticator(auth);
    this.#guard = new LoginGuard(limits.loginFailures);
    const rate = { clock, perSecond: limits.requestsPerS, burst: limits.requestBurst };
    this.#ofSecret = new RateLimit(rate);
    this.#ofAddress = new RateLimit(rate);
  }

  /** Names who sent a request, for bounds: its secret, or its address where none is asked for. */
  callerOf(request: FastifyRequest): string {
    return this.#callers.get(request) ?? request.ip;
  }

  /** Answers that are held back go out. */
  stop(): void {
    this.#stop.abort();
  }

  /** What needs no secret to be refused; before CORS, whose preflights carry none. */
  checkHead(request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
    const { headers } = this.#options.limits;
    if (request.raw.rawHeaders.length / 2 > headers)
      return refuseUnread(request, reply, 431, `The request has more than ${headers} headers; send fewer.`);
    if (this.#isHostOurs?.(request.headers.host) === false) {
      const text = 'The Host header names another machine; this server listens on the loopback only.';
      return refuseUnread(request, reply, 403, text);
    }
    return undefined;
  }

  async checkCaller(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const { clock, limits } = this.#options;
    const { authorization } = request.headers;
    const claim = claimOf(authorization);
    const refusedMs = this.#guard.refusedMs(request.ip, claim, clock.monotonic());
    if (refusedMs > 0) {
      const text = 'Too many wrong logins came from this address; wait as long as Retry-After says.';
      return refuseUnread(request, retryAfter(reply, refusedMs), 429, text);
    }
    const authorised = this.#authenticator.check(authorization);
    const isKnown = authorised.ok && authorised.key !== '';
    const waitMs = isKnown ? this.#ofSecret.take(authorised.key) : this.#ofAddress.take(request.ip);
    if (waitMs > 0) {
      const text = `More than ${limits.requestsPerS} requests per second (${limits.requestBurst} at once); wait as long as Retry-After says.`;
      return refuseUnread(request, retryAfter(reply, waitMs), 429, text);
    }
    if (!authorised.ok) return this.#refuseLogin(request, reply, claim, authorised.detail);
    if (isKnown) {
      this.#guard.succeeded(request.ip, claim);
      this.#callers.set(request, authorised.key);
    }
    return this.#checkOrigin(request, reply);
  }

  async #refuseLogin(
    request: FastifyRequest,
    reply: FastifyReply,
    claim: string,
    detail: string,
  ): Promise<FastifyReply> {
    const { clock } = this.#options;
    // Browsers ask first without a secret: that is no guess.
    const isGuess = request.headers.authorization !== undefined;
    if (isGuess && this.#guard.failed(request.ip, claim, clock.monotonic()))
      await delay(clock, SLOW_ANSWER_MS, this.#stop.signal).catch(() => {});
    return refuseUnread(request, reply.header('www-authenticate', this.#authenticator.challenge), 401, detail);
  }

  /** A page of a stranger may send a plain POST without asking, with the password that the browser knows. */
  #checkOrigin(request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
    const { origin, host } = request.headers;
    const { origins } = this.#options;
    if (request.method !== 'POST' || origin === undefined) return undefined;
    const isOwn = origin.replace(/^https?:\/\//, '') === host;
    if (isOwn || origins.includes('*') || origins.includes(origin)) return undefined;
    const text = 'Pages of this origin may not command devices; name it in connector.cors.origins to allow it.';
    return refuseUnread(request, reply, 403, text);
  }
}

const retryAfter = (reply: FastifyReply, ms: number): FastifyReply =>
  reply.header('retry-after', Math.max(1, Math.ceil(ms / 1_000)));

/** Whose login it is: a user's name, or whatever else the header holds; of any length, so as a hash. */
function claimOf(authorization = ''): string {
  const encoded = /^basic +([^ ]*)/i.exec(authorization)?.[1];
  const claim =
    encoded === undefined ? authorization : Buffer.from(encoded, 'base64').toString('latin1').split(':', 1)[0]!;
  return createHash('sha256')
    .update(claim)
    .digest('hex')
    .slice(0, 2 * CLAIM_OCTETS);
}
