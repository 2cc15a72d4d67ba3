import type { Dispatcher } from 'undici';
import type { Clock } from '../../core/clock.js';
import type { Report } from '../../core/messages.js';
import { exchange } from '../../links/http-exchange.js';
import { type Attempt, attempt } from '../outbox/attempt.js';
import { judge, TOTAL_TIMEOUT_MS } from './deliver.js';

/** The port of every original unit; it is not part of the address the original dashboard knows. */
const ORIGINAL_PORT = ':8888';
/** A line is at most 512 octets; percent-encoding makes three of one. */
const MAX_SEGMENT = 1_536;
/** Answers of class 4xx that say nothing against the reading itself. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([401, 403, 408, 425, 429]);

/** The path of one reading (wire/iot-base.md, "Base → dashboard"), or why there can be none. */
export function legacyPath(report: Report, address: string): { path: string } | { refusal: string } {
  const values = Object.values(report.fields);
  const [value] = values;
  if (values.length !== 1 || !['string', 'number', 'boolean'].includes(typeof value))
    return { refusal: 'it is not one value' };
  const ip = pathSegment(dashboardAddress(address));
  const text = pathSegment(String(value));
  if (ip === undefined || text === undefined) return { refusal: 'it cannot be part of a URL' };
  return { path: `/webhook/update-unit/${ip}/${text}` };
}

/**
 * A text percent-encoded as one path segment. Undefined for what no encoding makes safe: empty text, lone surrogates, and
 * dot segments, also behind an encoded slash, since servers and proxies resolve those after decoding.
 */
export function pathSegment(text: string): string | undefined {
  if (text.split(/[/\\]/).some((part) => part === '.' || part === '..')) return undefined;
  if (/\p{Surrogate}/u.test(text)) return undefined;
  const segment = encodeURIComponent(text);
  return segment === '' || segment.length > MAX_SEGMENT ? undefined : segment;
}

function dashboardAddress(address: string): string {
  const host = address.endsWith(ORIGINAL_PORT) ? address.slice(0, -ORIGINAL_PORT.length) : address;
  return host.replace(/^\[(.*)\]$/, '$1');
}

export interface LegacyDeliveryOptions {
  /** Without the path that `legacyPath` makes. */
  readonly url: string;
  readonly token: string;
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
}

/** One attempt at the original dashboard; an item's body is the path of its reading. */
export function legacyDelivery(options: LegacyDeliveryOptions): Attempt {
  const base = options.url.replace(/\/+$/, '');
  return (item, signal) =>
    attempt(async () => {
      const { status, retryAfter } = await exchange({
        dispatcher: options.dispatcher,
        clock: options.clock,
        url: `${base}${item.body}`,
        method: 'PUT',
        headers: { authorization: `Bearer ${options.token}`, 'content-length': '0' },
        timeoutMs: TOTAL_TIMEOUT_MS,
        signal,
      });
      // a dashboard that does not know the unit will not know it in a minute: the next reading must not wait for that
      if (status >= 400 && status < 500 && !PASSING_STATUSES.has(status))
        return { kind: 'rejected', reason: `answered ${status}` };
      return judge(status, retryAfter, options.clock);
    });
}
