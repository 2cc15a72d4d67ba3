import { BaseUnitError, InternalError, LinkError } from '../../protocol/errors.js';
import { closeCodes, type PayloadBlock, type Transmission } from '../../protocol/iotsocket/transmission.js';
import { MAX_MS, whole } from '../connection/check-option.js';
import { Hearers } from '../connection/hearers.js';
import { clientClosed, keepConnecting } from '../connection/keep-connecting.js';
import type { ClientEvent, HearClient } from './client-event.js';
import type { ClientSettings } from './client-options.js';
import type { ClientSession, Received, SessionEnd } from './client-session.js';
import { IncomingRequests, type RequestHandler } from './incoming-requests.js';
import { openSession, type SessionHost } from './open-session.js';
import { blockToSend, type OutgoingPayload, ReceivedPayload } from './payloads.js';
import { RequestTable } from './request-table.js';

/** Why a client goes. After `sleep` and `freeing` the concentrator keeps what comes for it, and gives it when it is back. */
export type CloseReason = 'sleep' | 'freeing' | 'maintenance' | 'load' | 'error';

const reasonCodes: Readonly<Record<CloseReason, number>> = {
  sleep: closeCodes.sleep,
  freeing: closeCodes.freeingResources,
  maintenance: closeCodes.maintenance,
  load: closeCodes.tooMuchLoad,
  error: closeCodes.internalError,
};

/** The answer to a request. */
export interface Answer {
  /** `00` valid, `01` not valid; from the concentrator: `A0` no destination, `A1` time-out, `A2` same number under way. */
  readonly code: number;
  readonly payload: ReceivedPayload;
}

export interface RequestOptions {
  /** From now until the answer. Default: the client's `requestTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
}

type Request = Extract<Transmission, { readonly kind: 'request' }>;

export type ClientState = 'idle' | 'connecting' | 'connected' | 'waiting';

/** What differs between objects and the central. */
export interface ClientRole {
  /** A session began. */
  readonly opened: (session: ClientSession) => void;
  /** Telemetry and tokens. */
  readonly received: (transmission: Exclude<Received, { readonly kind: 'request' | 'response' }>) => void;
  readonly closed: (end: SessionEnd) => void;
}

/** What object client and central client share: connecting, again if wanted; requests both ways; the end. */
export class ClientCore {
  readonly #settings: ClientSettings;
  readonly #role: ClientRole;
  readonly #requests: RequestTable<Answer>;
  readonly #incoming: IncomingRequests;
  readonly #hearers = new Hearers<ClientEvent>();
  /** Requests that wait for room, oldest first. */
  #unsent: Request[] = [];
  #state: ClientState = 'idle';
  #session: ClientSession | undefined;
  /** It said that it sleeps: it comes back. */
  #sleeps = false;
  #stop: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(settings: ClientSettings, role: ClientRole) {
    const { platform } = settings;
    this.#settings = settings;
    this.#role = role;
    // Not always from 0: what a client of this UID asked before it was started anew may still be answered.
    const firstNumber = Math.floor(platform.fraction() * 0x1_0000);
    this.#requests = new RequestTable({ clock: platform.clock, firstNumber });
    this.#incoming = new IncomingRequests({
      answer: (code, payload, { uid, tracking }) =>
        this.#session?.send({ kind: 'response', ...named(uid), tracking, code, payload }),
      failed: (error) => this.hear({ kind: 'handlerFailed', error }),
    });
  }

  get state(): ClientState {
    return this.#state;
  }
  /** The open session, if there is one. */
  get session(): ClientSession | undefined {
    return this.#session;
  }
  /** Requests that wait for their answer. */
  get inFlight(): number {
    return this.#requests.inFlight;
  }

  onEvent(hear: HearClient): () => void {
    return this.#hearers.add(hear);
  }

  hear(event: ClientEvent): void {
    this.#hearers.tell(event);
  }

  set handler(handler: RequestHandler) {
    this.#incoming.handler = handler;
  }

  async connect(): Promise<void> {
    if (this.#stop !== undefined) throw new InternalError('internal', 'this client is connected, or connects already');
    const stop = new AbortController();
    this.#stop = stop;
    this.#sleeps = false;
    return new Promise((resolve, reject) => {
      const { backOff, platform } = this.#settings;
      const { signal } = stop;
      this.#running = keepConnecting({
        backOff,
        clock: platform.clock,
        fraction: platform.fraction,
        signal,
        once: () => this.#once(signal, resolve),
        waiting: (inMs, error) => {
          this.#state = 'waiting';
          this.hear({ kind: 'retrying', inMs, error });
        },
        isRefusal,
      }).then((error) => {
        if (this.#stop === stop) this.#isIdle();
        reject(error);
      });
    });
  }

  async close(reason: CloseReason): Promise<void> {
    this.#sleeps = reason === 'sleep';
    this.#stop?.abort(clientClosed());
    if (!this.#sleeps) this.#requests.abandon('all', clientClosed());
    this.#session?.close(reasonCodes[reason]);
    await this.#running;
  }

  /** Rejects with ConfigurationError `config-invalid` for a payload or a time that cannot be. Never throws. */
  request(uid: string, payload: OutgoingPayload | undefined, options: RequestOptions): Promise<Answer> {
    const { maxInFlight, requestTimeoutMs } = this.#settings;
    let block: PayloadBlock;
    let timeoutMs: number;
    try {
      block = blockToSend(payload);
      timeoutMs = whole('timeoutMs', options.timeoutMs ?? requestTimeoutMs, 1, MAX_MS);
    } catch (error) {
      return Promise.reject(error);
    }
    const session = this.#session;
    if (session === undefined) return Promise.reject(new LinkError('link-lost', 'there is no session'));
    if (this.#requests.inFlight >= maxInFlight || this.#unsent.length >= maxInFlight)
      return Promise.reject(new LinkError('link-stalled', `${maxInFlight} requests wait for their answer already`));
    const { tracking, answer } = this.#requests.add(uid, timeoutMs);
    const request = { kind: 'request', ...named(uid), tracking, payload: block } as const;
    if (session.isFull || this.#unsent.length > 0) this.#unsent.push(request);
    else this.#send(session, request);
    return answer;
  }

  /** One session, from the first octet to the last. Gives what went wrong. */
  async #once(signal: AbortSignal, connected: () => void): Promise<Error | undefined> {
    const { place, session, connectTimeoutMs, platform } = this.#settings;
    this.#state = 'connecting';
    let end = (_: SessionEnd): void => {};
    const ended = new Promise<SessionEnd>((resolve) => {
      end = resolve;
    });
    const host: SessionHost = {
      opened: (opened) => this.#opened(opened),
      redirected: (to, port) => this.hear({ kind: 'redirected', host: to, port }),
      received: (transmission) => this.#received(transmission),
      drained: () => this.#drained(),
      closed: (how) => {
        this.#closed(how);
        end(how);
      },
    };
    try {
      await openSession({ place, session, connectTimeoutMs, platform, signal, host });
    } catch (error) {
      return error as Error;
    }
    connected();
    return (await ended).error;
  }

  #isIdle(): void {
    this.#state = 'idle';
    this.#stop = undefined;
  }

  #opened(session: ClientSession): void {
    this.#session = session;
    this.#state = 'connected';
    this.#role.opened(session);
    this.hear({ kind: 'connected', remote: session.remote });
  }

  #received(transmission: Received): void {
    switch (transmission.kind) {
      case 'request': {
        const { uid = '', tracking, payload } = transmission;
        return this.#incoming.take({ uid, tracking }, payload);
      }
      case 'response': {
        const { uid = '', tracking, code, payload } = transmission;
        this.#requests.answered(uid, tracking, { code, payload: new ReceivedPayload(payload) });
        return;
      }
      default:
        return this.#role.received(transmission);
    }
  }

  #drained(): void {
    const session = this.#session;
    while (session !== undefined && this.#unsent.length > 0 && !session.isFull)
      this.#send(session, this.#unsent.shift()!);
  }

  /** Not one whose time is over: it must not be done late. */
  #send(session: ClientSession, request: Request): void {
    if (this.#requests.sent(request.tracking)) session.send(request);
  }

  #closed(end: SessionEnd): void {
    const { backOff } = this.#settings;
    const error = end.error ?? new LinkError('link-lost', 'the session ended');
    const isKept = end.code === undefined || end.code >= closeCodes.sleep;
    const retries = backOff !== undefined && this.#stop?.signal.aborted === false;
    const comesBack = this.#sleeps || retries;
    this.#session = undefined;
    // Before anybody hears of it, who may connect again at once.
    if (!retries) this.#isIdle();
    this.#unsent = [];
    // What was sent may still be answered, when the concentrator keeps the session and we come back to it.
    this.#requests.abandon(isKept && comesBack ? 'unsent' : 'all', error);
    this.#role.closed(end);
    this.hear({ kind: 'closed', ...end });
  }
}

/** Towards the concentrator only the central names objects. */
const named = (uid: string): { readonly uid?: string } => (uid === '' ? {} : { uid });

/** Somebody has to change a key, a UID or a configuration first. */
const isRefusal = (error: Error | undefined): boolean =>
  error instanceof BaseUnitError && (error.code === 'proof-refused' || error.code === 'opening-malformed');
