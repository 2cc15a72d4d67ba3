import type { LookupFunction } from 'node:net';
import { Agent, type Dispatcher, request } from 'undici';
import { RelayError } from '../../protocol/errors.js';
import type { Clock } from '../core/clock.js';
import { peerText } from '../core/log.js';

/** A central that does not even accept is not worth waiting for (reference/limits.md, Webhook). */
const CONNECT_TIMEOUT_MS = 3_000;
/** What of an answer is read, unless more is asked for (reference/limits.md, Webhook). */
export const MAX_ANSWER_OCTETS = 65_536;
/** A central's answer headers; Node's own default is twice that. */
const MAX_ANSWER_HEADER_OCTETS = 8_192;

export interface AgentOptions {
  /** A PEM of the certificate authority to trust instead of the public ones. */
  readonly ca?: string | undefined;
  /** Connections kept to the one peer. */
  readonly connections: number;
  readonly connectTimeoutMs?: number | undefined;
  /** How a host name becomes addresses (`guarded-lookup.ts`). Default: as the system resolves it, to any address. */
  readonly lookup?: LookupFunction | undefined;
}

/** Connections to one central: certificates checked, no redirects followed, nothing shared with another's. */
export function createAgent(options: AgentOptions): Agent {
  return new Agent({
    connections: options.connections,
    pipelining: 1,
    maxHeaderSize: MAX_ANSWER_HEADER_OCTETS,
    connect: {
      timeout: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      rejectUnauthorized: true,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
    },
  });
}

export interface Exchange {
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** From now until the answer's last octet. */
  readonly timeoutMs: number;
  /** What of the answer's body is read. Default {@link MAX_ANSWER_OCTETS}. */
  readonly maxAnswerOctets?: number | undefined;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: Buffer;
  /** The answer was longer than what is read of it. */
  readonly isCut: boolean;
}

/** One HTTP exchange, in bounded time and space. Throws RelayError `uplink-unreachable` for anything but an answer. */
export async function exchange(asked: Exchange): Promise<Answer> {
  const ending = new AbortController();
  const give = (reason: string) => () => ending.abort(new RelayError('uplink-unreachable', reason));
  const stop = give('stopped');
  const timer = asked.clock.after(asked.timeoutMs, give(`no complete answer within ${asked.timeoutMs / 1000} s`));
  asked.signal.addEventListener('abort', stop, { once: true });
  if (asked.signal.aborted) stop();
  try {
    const answer = await request(asked.url, {
      dispatcher: asked.dispatcher,
      method: asked.method,
      headers: asked.headers,
      body: asked.body ?? null,
      signal: ending.signal,
    });
    const retryAfter = answer.headers['retry-after'];
    return {
      status: answer.statusCode,
      retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
      ...(await readBounded(answer.body, asked.maxAnswerOctets)),
    };
  } catch (error) {
    if (ending.signal.aborted) throw ending.signal.reason;
    if (error instanceof RelayError) throw error;
    throw new RelayError('uplink-unreachable', describe(error), { cause: error });
  } finally {
    timer.cancel();
    asked.signal.removeEventListener('abort', stop);
  }
}

/** Reads at most so many octets of a stream and leaves the rest unread. */
export async function readBounded(
  stream: AsyncIterable<unknown>,
  maxOctets = MAX_ANSWER_OCTETS,
): Promise<{ body: Buffer; isCut: boolean }> {
  const chunks: Buffer[] = [];
  let left = maxOctets;
  // leaving the loop early destroys the stream, and with it the connection that would bring the rest
  for await (const chunk of stream) {
    const octets = Buffer.from(chunk as Uint8Array);
    chunks.push(octets.subarray(0, left));
    if (octets.length > left) return { body: Buffer.concat(chunks), isCut: true };
    left -= octets.length;
  }
  return { body: Buffer.concat(chunks), isCut: false };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  return peerText(`${code}${error.message}`);
}
