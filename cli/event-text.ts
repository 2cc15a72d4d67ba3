import type { Definitions } from '../base/config/definitions.js';
import type { CoreMessage } from '../base/core/messages.js';
import { fieldsText, harmless, styled } from './terminal.js';

export type UnitEvent = CoreMessage;

const time = (at: number): string => new Date(at).toTimeString().slice(0, 8);

/** A core message as one line for people: `14:05:09  thermometer  reading  temperature 21.5 °C, humidity 48.0 %`. */
export function eventText(event: UnitEvent, definitions: Definitions): string {
  const line = (at: number, kind: string, rest: string): string =>
    `${styled('dim', time(at))}  ${styled('cyan', event.unit.padEnd(16))}  ${kind.padEnd(10)}  ${harmless(rest)}`;
  switch (event.kind) {
    case 'report':
      return line(
        event.receivedAt,
        event.report,
        fieldsText(event.fields, definitions.get(event.definition)?.definition.reports[event.report]?.fields) +
          (event.missing ? `  (${event.missing} before it are missing)` : ''),
      );
    case 'command':
      return line(
        event.acceptedAt,
        'command',
        `${event.command} ${event.line ?? fieldsText(event.fields)}  (from ${event.source})`,
      );
    case 'outcome':
      return line(
        event.at,
        'outcome',
        `${event.command}: ${event.outcome}${event.reason === undefined ? '' : `, ${event.reason}`}`,
      );
    case 'presence':
      return line(
        event.at,
        'presence',
        [event.state, event.reason, ...event.drift].filter((part) => part !== undefined).join(', '),
      );
    case 'log':
      return line(event.at, `log ${event.level}`, event.text);
  }
}
