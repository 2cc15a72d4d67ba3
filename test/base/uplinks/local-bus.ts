import type { Bus, MessageKind, MessageOf, Unsubscribe } from '../../../base/core/bus.js';
import type { CoreMessage, Outcome, Presence, Report, UnitRequest, UnitResponse } from '../../../base/core/messages.js';

/** A bus within one test. */
export class LocalBus implements Bus {
  readonly #hearers = new Set<{ kind: MessageKind; hear: (message: never) => void }>();

  get hearers(): number {
    return this.#hearers.size;
  }

  publish(message: CoreMessage): void {
    for (const { kind, hear } of this.#hearers) if (kind === message.kind) hear(message as never);
  }

  subscribe<K extends MessageKind>(kind: K, hear: (message: MessageOf<K>) => void): Unsubscribe {
    const entry = { kind, hear: hear as (message: never) => void };
    this.#hearers.add(entry);
    return () => void this.#hearers.delete(entry);
  }

  hasSubscribers(kind: MessageKind): boolean {
    return [...this.#hearers].some((hearer) => hearer.kind === kind);
  }
}

export function report(unit: string, sequence: number, fields: Report['fields'] = { level: sequence }): Report {
  return {
    kind: 'report',
    id: `${unit}/7/${sequence}`,
    unit,
    definition: 'light-sensor',
    report: 'light',
    fields,
    boot: 7,
    sequence,
    measuredAt: Date.UTC(2026, 0, 1),
    receivedAt: Date.UTC(2026, 0, 1),
  };
}

export function outcome(id: string, unit = 'lamp'): Outcome {
  const at = Date.UTC(2026, 0, 1);
  return { kind: 'outcome', id, unit, command: 'setColor', outcome: 'ok', source: 'pusher', at };
}

export function presence(unit: string): Presence {
  return { kind: 'presence', unit, definition: 'led-lamp', state: 'online', drift: [], at: Date.UTC(2026, 0, 1) };
}

export function request(unit: string, value: string): UnitRequest {
  return { kind: 'request', id: `${unit}/5/r/1`, unit, payload: { format: 'utf8', value }, at: Date.UTC(2026, 0, 1) };
}

export function response(unit: string): UnitResponse {
  return { kind: 'response', id: `${unit}/5/r/1`, unit, code: 0, at: Date.UTC(2026, 0, 1) };
}
