import { expect } from 'vitest';
import type { Report } from '../../../base/core/messages.js';
import { eventually } from '../../end-to-end/support/house.js';
import type { FaultReceiver } from './fault-receiver.js';
import type { Gauges } from './gauges.js';
import { expectReports } from './seen.js';

/** The `webhooks` of a configuration: reports to each of these. */
export const hooks = (...receivers: readonly { readonly url: string }[]): object[] =>
  receivers.map(({ url }) => ({ url, secret: 'a secret', events: ['report'] }));

/** Acknowledged readings that the receiver has not seen. */
export function missing(gauges: Gauges, { ids }: FaultReceiver): string[] {
  const seen = new Set(ids);
  return [...gauges.acknowledged.keys()].filter((id) => !seen.has(id));
}

export function untilTold(gauges: Gauges, receiver: FaultReceiver, withinMs?: number): Promise<void> {
  return eventually(
    `${receiver.url} to see everything`,
    () => missing(gauges, receiver).length === 0 && receiver.received.length >= gauges.acknowledged.size,
    withinMs,
  );
}

/** Nothing lost, nothing invented, the same id always the same body, each unit in order: repeats too. */
export function expectInOrder(gauges: Gauges, receiver: FaultReceiver): void {
  expectReports(gauges, receiver.received);
  const last = new Map<string, number>();
  for (const { body } of receiver.received) {
    const { unit, sequence } = (JSON.parse(body) as { data: Report }).data;
    expect(sequence).toBeGreaterThanOrEqual(last.get(unit) ?? 0);
    last.set(unit, sequence);
  }
}

/** As {@link expectInOrder}, and nothing twice. */
export function expectOnce(gauges: Gauges, receiver: FaultReceiver): void {
  expectInOrder(gauges, receiver);
  expect(receiver.ids.length).toBe(new Set(receiver.ids).size);
}
