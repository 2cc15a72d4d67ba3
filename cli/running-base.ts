import type { Agent, RequestInit, Response } from 'undici';
import { readApiToken } from '../base/config/api-token.js';
import { findRunning } from '../base/config/running-file.js';
import { stateFolderPath } from '../base/config/state-folder.js';
import { ConfigurationError, LinkError, StoreError } from '../protocol/errors.js';

/** Where the base to talk to is, as the command line says it. */
export interface BaseOptions {
  /** The configuration file that base was started with. */
  readonly config?: string | undefined;
  readonly url?: string | undefined;
  readonly token?: string | undefined;
}

/** Longer than a command without a time of its own can take: its turn, its delivery, its answer. */
const ANSWER_MS = 90_000;
const TOO_MANY_REQUESTS = 429;
const NO_CONTENT = 204;
/** For a base on this machine to say that it is there. */
const THERE_MS = 2_000;

const STORE_FAILED = 'urn:baseunit:problem:store-failed';

/** The HTTP API of a base that runs, as its user on this machine sees it. */
export class BaseClient {
  readonly #url: string;
  readonly #token: string;
  #agent: Agent | undefined;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** Throws LinkError when no base runs here. */
  static find({ config, url, token }: BaseOptions): BaseClient {
    const folder = folderOf(config);
    const found = url ?? findRunning(folder)?.url;
    if (found === undefined) {
      throw new LinkError(
        'connect-failed',
        `no base is running here (looked in ${folder}). Start one: npm start, or baseunit run -c base.json`,
      );
    }
    const secret = token ?? process.env.BASEUNIT_TOKEN ?? readApiToken(folder);
    if (secret === undefined) {
      throw new LinkError(
        'connect-failed',
        `there is no token in ${folder}; give one with --token or in BASEUNIT_TOKEN`,
      );
    }
    return new BaseClient(found.replace(/\/+$/, ''), secret);
  }

  /** The base that runs here, or the one at the URL that is named; `undefined` when none runs here. */
  static async findIfThere(options: BaseOptions): Promise<BaseClient | undefined> {
    return options.url !== undefined || (await isBaseRunning(options.config)) ? BaseClient.find(options) : undefined;
  }

  /** The answer's JSON, if it has any; it may take `extraMs` longer than usual. Throws as {@link stream} does. */
  async request<T>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown, extraMs = 0): Promise<T> {
    const response = await this.#fetch(path, {
      method,
      signal: AbortSignal.timeout(ANSWER_MS + extraMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    return (response.status === NO_CONTENT ? undefined : await response.json()) as T;
  }

  /**
   * The octets of an event stream, until it ends or the signal aborts; with an id, from behind that event on. Throws
   * LinkError when the base cannot be reached, ConfigurationError `request-refused` when it refuses what is asked,
   * StoreError `store-failed` when its store fails.
   */
  async stream(path: string, signal: AbortSignal, lastEventId?: string): Promise<AsyncIterable<Uint8Array>> {
    const headers = { accept: 'text/event-stream', ...(lastEventId && { 'last-event-id': lastEventId }) };
    const response = await this.#fetch(path, { method: 'GET', signal, headers });
    return response.body as unknown as AsyncIterable<Uint8Array>;
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    // Loaded when a base is asked: it takes a third of the start of a command that asks none.
    const { Agent, fetch } = await import('undici');
    // Its own bounds are off: a command may wait for its unit for a day.
    this.#agent ??= new Agent({ headersTimeout: 0, bodyTimeout: 0 });
    let response: Response;
    try {
      response = await fetch(`${this.#url}${path}`, {
        ...init,
        dispatcher: this.#agent,
        headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${this.#token}` },
      });
    } catch (error) {
      const cause = (error as { readonly cause?: Error }).cause ?? (error as Error);
      throw new LinkError('connect-failed', `the base at ${this.#url} does not answer: ${cause.message}`, {
        cause: error,
      });
    }
    if (response.ok) return response;
    const problem = (await response.json().catch(() => undefined)) as
      | { readonly type?: string; readonly detail?: string; readonly title?: string }
      | undefined;
    const what = problem?.detail ?? problem?.title ?? `the base answered ${response.status}`;
    if (problem?.type === STORE_FAILED) throw new StoreError('store-failed', what);
    const isOurs = response.status >= 400 && response.status < 500 && response.status !== TOO_MANY_REQUESTS;
    throw isOurs ? new ConfigurationError('request-refused', what) : new LinkError('connect-failed', what);
  }
}

const folderOf = (config: string | undefined): string =>
  stateFolderPath({ environment: process.env, ...(config === undefined ? {} : { configFile: config }) });

/** A base that was killed left its number, which another process may have since: so it is asked whether it is there. */
export async function isBaseRunning(config: string | undefined): Promise<boolean> {
  const url = findRunning(folderOf(config))?.url;
  return url !== undefined && isAnswering(url);
}

/** Whether the base with that API says that it is there, within 2 s. */
export async function isAnswering(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(THERE_MS) });
    await response.body?.cancel();
    return true;
  } catch {
    return false;
  }
}
