import { type PayloadBlock, returnCodes } from '../../../protocol/iotsocket/transmission.js';
import type { Clock } from '../../core/clock.js';
import { type Log, peerText } from '../../core/log.js';
import { parseRequestJson } from '../../core/request-json.js';
import { TroubleLog } from '../../core/trouble-log.js';
import type { Resolve } from '../../links/guarded-lookup.js';
import { MAX_ANSWER_OCTETS } from '../../links/http-exchange.js';
import { blockOfBody, MAX_BODY_DEPTH, webhookBody } from './http-payload.js';
import type { CentralWebhookOptions } from './iotsocket-options.js';
import { emptyAnswer, type OwnAnswer } from './own-request.js';
import { TELEMETRY_CONNECTIONS, type TelemetryCounts, TelemetryWebhook } from './telemetry-webhook.js';
import { type Posted, WebhookPost } from './webhook-post.js';

/** Requests under way to the central, each over a connection of its own: body and answer may be half a MiB each. */
export const MAX_REQUESTS = 64;
/** Of one object: it must not take the central away from the others. */
export const MAX_REQUESTS_PER_OBJECT = 8;
/** Trouble is said again when the central answered well in between, but not more often than this. */
export const SAY_AGAIN_MS = 60_000;

const notValid = emptyAnswer(returnCodes.notValid);
/**
 * Past the bounds above. `01` is what becomes of a request that the webhook was asked; this one reached nobody, as one
 * that finds no room to be kept (wire/iotsocket.md, "Session keeping"), so the object may send it again.
 */
const noRoom = emptyAnswer(returnCodes.noDestination);

export interface CentralWebhooksOptions {
  readonly options: CentralWebhookOptions;
  /** The central's key, 16 octets. */
  readonly key: Uint8Array;
  /** How long an answer to a request may take; `options.maxWaitMs` may say less. */
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** The addresses of the URLs' host names. Default: as the system resolves them. */
  readonly resolve?: Resolve | undefined;
}

/** Why a request was answered `01`, and how often. */
type Failure = 'unreachable' | 'status' | 'tooLong' | 'notJson' | 'notValid' | 'payload';

/** Since the start. */
export interface CentralWebhookCounts {
  readonly requests: {
    /** Answered by the central. */
    readonly answered: number;
    /** Answered `A0`: no room for more at once. */
    readonly noRoom: number;
    readonly failed: Readonly<Record<Failure, number>>;
  };
  readonly telemetry: TelemetryCounts;
}

const said: Readonly<Record<Failure, string>> = {
  unreachable: 'the request webhook did not answer',
  status: 'the request webhook answered with a wrong status',
  tooLong: 'the request webhook answered too much',
  notJson: 'the request webhook answered no JSON',
  notValid: 'the request webhook answered no {"Code", "Payload", "Format"}',
  payload: 'the request of an object is not what its format says',
};

const noTelemetry: TelemetryCounts = { delivered: 0, refused: 0, failed: 0, dropped: 0, notValid: 0 };

/** The central's webhooks, used while it has no session (wire/iotsocket.md, "Webhooks to the central"). */
export class CentralWebhooks {
  readonly #options: CentralWebhooksOptions;
  readonly #requests: WebhookPost | undefined;
  readonly #telemetry: TelemetryWebhook | undefined;
  readonly #underWay = new Map<string, number>();
  readonly #failed: Record<Failure, number> = {
    unreachable: 0,
    status: 0,
    tooLong: 0,
    notJson: 0,
    notValid: 0,
    payload: 0,
  };
  #trouble: TroubleLog;
  #troubleSince = 0;
  #inAll = 0;
  #answered = 0;
  #noRoom = 0;
  #isStopped = false;

  constructor(given: CentralWebhooksOptions) {
    this.#options = given;
    const { options, requestTimeoutMs, clock, log } = given;
    this.#trouble = new TroubleLog(log);
    if (options.request !== undefined)
      this.#requests = this.#post(options.request, {
        connections: MAX_REQUESTS,
        maxAnswerOctets: options.maxContentLength,
        timeoutMs: Math.min(requestTimeoutMs, options.maxWaitMs),
      });
    if (options.telemetry !== undefined) {
      const bounds = {
        connections: TELEMETRY_CONNECTIONS,
        maxAnswerOctets: MAX_ANSWER_OCTETS,
        timeoutMs: options.maxWaitMs,
      };
      this.#telemetry = new TelemetryWebhook(this.#post(options.telemetry, bounds), clock, log);
    }
  }

  get hasRequest(): boolean {
    return this.#requests !== undefined;
  }

  get hasTelemetry(): boolean {
    return this.#telemetry !== undefined;
  }

  get counts(): CentralWebhookCounts {
    return {
      requests: { answered: this.#answered, noRoom: this.#noRoom, failed: { ...this.#failed } },
      telemetry: this.#telemetry?.counts ?? noTelemetry,
    };
  }

  /** Requests that wait for the central's answer. */
  get waiting(): number {
    return this.#inAll;
  }

  /**
   * Asks the central for an object. What it answers; `01` without payload when it gives no valid answer in time; `A0`
   * when there is no webhook, or no room. Never rejects. `block` is not kept.
   */
  async request(uid: string, block: PayloadBlock): Promise<OwnAnswer> {
    const ofObject = this.#underWay.get(uid) ?? 0;
    if (this.#requests === undefined || this.#isStopped) return noRoom;
    if (this.#inAll >= MAX_REQUESTS || ofObject >= MAX_REQUESTS_PER_OBJECT) {
      this.#noRoom += 1;
      this.#trouble.warn('no room', { uid: peerText(uid) }, 'too many requests wait for the central');
      return noRoom;
    }
    const body = webhookBody(uid, block);
    if (body === undefined) return this.#fail('payload', { uid: peerText(uid) });
    this.#inAll += 1;
    this.#underWay.set(uid, ofObject + 1);
    const posted = await this.#requests.send(body);
    this.#inAll -= 1;
    const left = this.#underWay.get(uid)! - 1;
    if (left === 0) this.#underWay.delete(uid);
    else this.#underWay.set(uid, left);
    return this.#answerOf(posted);
  }

  /** Tells the central, if it can be told now; see {@link TelemetryWebhook}. `block` is copied. */
  telemetry(uid: string, block: PayloadBlock): void {
    this.#telemetry?.send(uid, block);
  }

  /** Requests under way are answered `01`. May be called twice. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([this.#requests?.stop(), this.#telemetry?.stop()]);
  }

  #post(
    url: string,
    bounds: { readonly connections: number; readonly maxAnswerOctets: number; readonly timeoutMs: number },
  ): WebhookPost {
    const { options: webhooks, key, clock, resolve } = this.#options;
    return new WebhookPost({ url, webhooks, key, clock, resolve, ...bounds });
  }

  #answerOf(posted: Posted): OwnAnswer {
    if (posted.kind === 'none') return this.#fail('unreachable', { reason: posted.reason });
    const { status, body, isCut } = posted;
    if (status < 200 || status >= 300) {
      const isRedirect = status >= 300 && status < 400;
      return this.#fail('status', { status, ...(isRedirect ? { reason: 'redirects are not followed' } : {}) });
    }
    if (isCut) return this.#fail('tooLong', { atMost: this.#options.options.maxContentLength });
    const parsed = parseRequestJson(body, MAX_BODY_DEPTH);
    // What the parser says quotes the answer, which is not ours to show.
    if (!parsed.ok) return this.#fail('notJson', {});
    const value = Object(parsed.value) as Record<string, unknown>;
    const { Code: code } = value;
    if (typeof code !== 'number' || !Number.isInteger(code) || code < 0 || code > 255)
      return this.#fail('notValid', { reason: 'Code must be a whole number from 0 to 255' });
    const payload = blockOfBody({ value, text: parsed.text });
    if (!payload.ok) return this.#fail('notValid', { reason: payload.what });
    this.#answered += 1;
    this.#forgetTrouble();
    return { code, payload: payload.block };
  }

  #fail(failure: Failure, fields: object): OwnAnswer {
    this.#failed[failure] += 1;
    if (!this.#isStopped) this.#trouble.warn(failure, fields, said[failure]);
    return notValid;
  }

  #forgetTrouble(): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#troubleSince < SAY_AGAIN_MS) return;
    this.#troubleSince = now;
    this.#trouble = new TroubleLog(this.#options.log);
  }
}
