import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';
import { type ApiAnswer, Refusal } from './api-answer.js';
import { findRoute } from './api-routes.js';
import type { HostedApp } from './hosted-app.js';
import { bodyFault, checkSignature } from './request-auth.js';
import { decoded, split } from './request-target.js';

export interface HttpApiOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly maxBodyOctets: number;
  findApp(id: string): HostedApp | undefined;
}

/** Answers the servers' requests: who asks is checked first, so strangers cannot make us read a body. */
export class HttpApi {
  readonly #options: HttpApiOptions;

  constructor(options: HttpApiOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: ApiAnswer;
    try {
      answer = await this.#answer(request);
    } catch (cause) {
      // The client cut its request short: nobody is there to be answered.
      if (request.destroyed && !request.complete) return;
      this.#options.log.error({ cause: String(cause) }, 'a request of the HTTP API failed');
      answer = new Refusal(500, 'Internal error');
    }
    this.#send(request, response, answer);
  }

  async #answer(request: IncomingMessage): Promise<ApiAnswer> {
    const { method = '', url = '' } = request;
    const [path, query] = split(url, '?');
    if (path.startsWith('/app/')) return new Refusal(426, 'A WebSocket is expected here', { upgrade: 'websocket' });
    const [, id, rest] = /^\/apps\/([^/]+)(\/.*)$/.exec(path) ?? [];
    if (id === undefined || rest === undefined) return new Refusal(404, 'Unknown path');
    const app = this.#options.findApp(decoded(id));
    if (app === undefined) return new Refusal(404, `Unknown app: ${id.slice(0, 40)}`);
    const found = findRoute(method, rest);
    if (found instanceof Refusal) return found;
    const parameters = checkSignature(app.settings, { method, path, query }, this.#options.clock.now());
    if (parameters instanceof Refusal) return parameters;
    const body = await readBody(request, this.#options.maxBodyOctets);
    if (body instanceof Refusal) return body;
    const fault = bodyFault(parameters, body);
    if (fault !== undefined) return fault;
    if (!app.settings.enabled) return new Refusal(403, 'Application disabled');
    return found.route.answer({ app, parameters, body, subject: found.subject });
  }

  #send(request: IncomingMessage, response: ServerResponse, { status, body, headers }: ApiAnswer): void {
    const text = JSON.stringify(body);
    response.writeHead(status, {
      ...headers,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
    // Read on, keeping nothing, so that the answer is not lost in a reset; the server's request time-out ends it.
    if (!request.complete) request.resume();
  }
}

async function readBody(request: IncomingMessage, maxOctets: number): Promise<Uint8Array | Refusal> {
  const tooLarge = new Refusal(413, `Body is longer than ${maxOctets} octets`);
  if (Number(request.headers['content-length'] ?? 0) > maxOctets) return tooLarge;
  const chunks: Uint8Array[] = [];
  let octets = 0;
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Uint8Array) => {
      octets += chunk.length;
      if (octets > maxOctets) return resolve(tooLarge);
      chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('close', () => reject(new Error('the request was cut short')));
  });
}
