import { expect } from 'vitest';
import type { Outcome, Report } from '../../../base/core/messages.js';
import type { Received } from '../../base/uplinks/http-receiver.js';
import { type Meters, textOf } from './meters.js';

type Webhook =
  | { readonly type: 'report'; readonly data: Report }
  | { readonly type: 'outcome'; readonly data: Outcome };

/** What a receiver of webhooks has seen, once each: by `webhook-id`, in the order in which they first came. */
export function seenBy(received: readonly Received[]): ReadonlyMap<string, Webhook> {
  const bodies = new Map<string, string>();
  for (const { headers, body } of received) {
    const id = headers['webhook-id'] as string;
    const first = bodies.get(id);
    // Whatever comes twice is the same twice.
    if (first === undefined) bodies.set(id, body);
    else expect(body).toBe(first);
  }
  return new Map([...bodies].map(([id, body]) => [id, JSON.parse(body) as Webhook]));
}

/** How often the receiver was told what it knew already. */
export function repeatsOf(received: readonly Received[]): number {
  return received.length - new Set(received.map(({ headers }) => headers['webhook-id'])).size;
}

/** The oracle of reports: acknowledged minus seen is nothing, nothing was seen that was not sent, order is kept. */
export function expectReports(
  meters: Pick<Meters, 'known' | 'sent' | 'acknowledged'>,
  received: readonly Received[],
): void {
  const seen = seenBy(received);
  expect([...meters.acknowledged.keys()].filter((id) => !seen.has(id))).toEqual([]);
  const last = new Map<string, number>();
  for (const [id, { type, data }] of seen) {
    if (type !== 'report' || meters.known[data.unit] === undefined) continue;
    expect(data.id).toBe(id);
    expect(`${id} ${meters.sent.get(id)}`).toBe(`${id} ${textOf(data.fields)}`);
    expect(data.sequence).toBeGreaterThan(last.get(data.unit) ?? 0);
    last.set(data.unit, data.sequence);
  }
}
