import { readApiToken } from '../base/config/api-token.js';
import { findRunning } from '../base/config/running-file.js';
import { stateFolderPath } from '../base/config/state-folder.js';
import { LinkError } from '../protocol/errors.js';

/** Where the base to talk to is, as the command line says it. */
export interface BaseOptions {
  /** The configuration file that base was started with. */
  readonly config?: string | undefined;
  readonly url?: string | undefined;
  readonly token?: string | undefined;
}

/** Long enough for a command that waits for its unit as long as the API lets it. */
const ANSWER_MS = 90_000;

/** The HTTP API of a base that runs, as its user on this machine sees it. */
export class BaseClient {
  readonly #url: string;
  readonly #token: string;

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

  /** The answer's JSON. Throws LinkError with what the base says when it refuses. */
  async request<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    const response = await this.#fetch(path, {
      method,
      signal: AbortSignal.timeout(ANSWER_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    return (await response.json()) as T;
  }

  /** The octets of an event stream, until it ends or the signal aborts. */
  async stream(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#fetch(path, { method: 'GET', signal, headers: { accept: 'text/event-stream' } });
    return response.body as unknown as AsyncIterable<Uint8Array>;
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`${this.#url}${path}`, {
        ...init,
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
    throw new LinkError('connect-failed', problem?.detail ?? problem?.title ?? `the base answered ${response.status}`);
  }
}
