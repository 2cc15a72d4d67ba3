import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../core/clock.js';
import type { ApiLimits } from './api-limits.js';
import { BearerToken } from './bearer-token.js';
import { hostCheck } from './host-check.js';
import { problem } from './problem.js';
import { RateLimit } from './rate-limit.js';
import { sendProblem, sendRetryLater } from './send-problem.js';

export interface GateOptions {
  readonly listenHost: string;
  readonly token: string;
  readonly clock: Clock;
  readonly limits: ApiLimits;
}

/** Who gets in: every request passes here before its body is read. */
export class Gate {
  readonly #limits: ApiLimits;
  readonly #token: BearerToken;
  readonly #isHostOurs: ((header: string | undefined) => boolean) | undefined;
  readonly #ofToken: RateLimit;
  /** For those without the token: they share their address's, so that guessing costs the base little. */
  readonly #ofAddress: RateLimit;
  readonly #tokenKeys = new WeakMap<object, string>();

  constructor({ listenHost, token, clock, limits }: GateOptions) {
    this.#limits = limits;
    this.#token = new BearerToken(token);
    this.#isHostOurs = hostCheck(listenHost);
    this.#ofToken = new RateLimit({ clock, perSecond: limits.requestsPerS, burst: limits.requestBurst });
    this.#ofAddress = new RateLimit({ clock, perSecond: limits.requestsPerS, burst: limits.requestBurst });
  }

  /** Names the token a request came with. */
  tokenKeyOf(request: object): string {
    return this.#tokenKeys.get(request) ?? '';
  }

  /** The reply, when the request was refused; `undefined`: it may pass. */
  check(request: FastifyRequest, reply: FastifyReply, needsToken: boolean): FastifyReply | undefined {
    if (request.raw.rawHeaders.length / 2 > this.#limits.headers) {
      const detail = `The request has more than ${this.#limits.headers} headers; send fewer.`;
      return sendProblem(reply, problem(431, 'headers-too-large', detail));
    }
    if (this.#isHostOurs?.(request.headers.host) === false) {
      const detail =
        'The Host header names another machine. This base listens on the loopback only: use http://localhost or http://127.0.0.1 with its port.';
      return sendProblem(reply, problem(403, 'wrong-host', detail));
    }
    return needsToken ? this.#checkToken(request, reply) : undefined;
  }

  #checkToken(request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
    const authorised = this.#token.check(request.headers.authorization);
    const waitMs = authorised.ok ? this.#ofToken.take(authorised.key) : this.#ofAddress.take(request.ip);
    if (waitMs > 0) {
      const { requestsPerS, requestBurst } = this.#limits;
      const detail = `More than ${requestsPerS} requests per second (${requestBurst} at once); wait as long as Retry-After says.`;
      return sendRetryLater(reply, problem(429, 'too-many-requests', detail), waitMs);
    }
    if (authorised.ok) {
      this.#tokenKeys.set(request, authorised.key);
      return undefined;
    }
    return sendProblem(
      reply.header('www-authenticate', 'Bearer realm="baseunit"'),
      problem(401, 'unauthorised', authorised.detail),
    );
  }
}
