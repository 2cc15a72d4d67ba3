import { createHash, createHmac } from 'node:crypto';
import { APP } from './hub-under-test.js';

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  readonly body: any;
  readonly contentType: string | null;
}

export interface ApiRequest {
  readonly method?: string;
  /** After `/apps/{id}`. */
  readonly path: string;
  readonly appId?: string;
  readonly body?: string | object;
  readonly params?: Readonly<Record<string, string>>;
  /** Replaces a parameter before signing; undefined leaves it out. */
  readonly signed?: Readonly<Record<string, string | undefined>>;
  /** Replaces a parameter after signing. */
  readonly forged?: Readonly<Record<string, string>>;
  readonly secret?: string;
}

/** A signed request of the HTTP API, by the rules of the documentation. */
export async function callApi(port: number, request: ApiRequest): Promise<Answer> {
  const { path, params = {}, secret = APP.secret } = request;
  const method = request.method ?? (request.body === undefined ? 'GET' : 'POST');
  const body = typeof request.body === 'object' ? JSON.stringify(request.body) : request.body;
  const fullPath = `/apps/${request.appId ?? APP.id}${path}`;
  const all: Record<string, string | undefined> = {
    auth_key: APP.key,
    auth_timestamp: String(Math.floor(Date.now() / 1000)),
    auth_version: '1.0',
    ...(body ? { body_md5: createHash('md5').update(body).digest('hex') } : {}),
    ...params,
    ...request.signed,
  };
  const pairs = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const text = pairs
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join('&');
  const signature = createHmac('sha256', secret).update(`${method}\n${fullPath}\n${text}`).digest('hex');
  const query = new URLSearchParams({ ...Object.fromEntries(pairs), auth_signature: signature, ...request.forged });
  const response = await fetch(`http://127.0.0.1:${port}${encodeURI(fullPath)}?${query}`, {
    method,
    ...(body === undefined ? {} : { body }),
  });
  const answer = await response.text();
  return { status: response.status, body: JSON.parse(answer), contentType: response.headers.get('content-type') };
}

export function publish(port: number, body: object): Promise<Answer> {
  return callApi(port, { path: '/events', body });
}
