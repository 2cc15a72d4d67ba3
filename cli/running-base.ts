import { Agent, fetch, type RequestInit, type Response } from 'undici';
import { readApiToken } from '../base/config/api-token.js';
import { findRunning } from '../base/config/running-file.js';
import { stateFolderPath } from '../base/config/state-folder.js';
import { ConfigurationError, LinkError } from '../protocol/errors.js';

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

/** The HTTP API of a base that runs, as its user on this machine sees it. */
export class BaseClient {
  readonly #url: string;
  readonly #token: string;
  /** Its own bounds are off: a command may wait for its unit for a day. */
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** Throws LinkError when no base runs here. */
  static find({ config, url, token }: BaseOptions): BaseClient {
    const folder = stateFolderPath({
      environment: process.env,
      ...(config === undefined ? {} : { configFile: config }),
    });
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

  /** The answer's JSON, which may take `extraMs` longer than usual. Throws as {@link stream} does. */
  async request<T>(method: 'GET' | 'POST', path: string, body?: unknown, extraMs = 0): Promise<T> {
    const response = await this.#fetch(path, {
      method,
      signal: AbortSignal.timeout(ANSWER_MS + extraMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    return (await response.json()) as T;
  }

  /**
   * The octets of an event stream, until it ends or the signal aborts. Throws LinkError when the base cannot be reached,
   * ConfigurationError `request-refused` when it refuses what is asked.
   */
  async stream(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#fetch(path, { method: 'GET', signal, headers: { accept: 'text/event-stream' } });
    return response.body as unknown as AsyncIterable<Uint8Array>;
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
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
      | { readonly detail?: string; readonly title?: string }
      | undefined;
    const what = problem?.detail ?? problem?.title ?? `the base answered ${response.status}`;
    const isOurs = response.status >= 400 && response.status < 500 && response.status !== TOO_MANY_REQUESTS;
    throw isOurs ? new ConfigurationError('request-refused', what) : new LinkError('connect-failed', what);
  }
}
