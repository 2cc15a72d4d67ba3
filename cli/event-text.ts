import type { Definitions } from '../base/config/definitions.js';
import type { CoreMessage, Report } from '../base/core/messages.js';
import type { Fields } from '../protocol/definition/index.js';
import type { Payload } from '../protocol/iotsocket/payload.js';
import { fieldsText, harmless, styled } from './terminal.js';

export type UnitEvent = CoreMessage;

/** Of a payload, on a terminal's line. */
const MAX_SHOWN_CHARACTERS = 200;

const time = (at: number): string => new Date(at).toTimeString().slice(0, 8);

/** A core message as one line for people: `14:05:09  thermometer  reading  temperature 21.5 °C, humidity 48.0 %`. */
export function eventText(event: UnitEvent, definitions: Definitions): string {
  const line = (at: number, kind: string, rest: string): string =>
    `${styled('dim', time(at))}  ${styled('cyan', harmless(event.unit).padEnd(16))}  ${kind.padEnd(10)}  ${harmless(rest)}`;
  switch (event.kind) {
    case 'report':
      return line(
        event.receivedAt,
        event.report,
        fieldsText(event.fields, reportFields(event, definitions)) +
          (event.missing ? `  (${event.missing} before it are missing)` : ''),
      );
    case 'command':
      return line(
        event.acceptedAt,
        'command',
        `${event.command} ${event.line ?? (event.payload ? payloadText(event.payload) : fieldsText(event.fields))}  (from ${event.source})`,
      );
    case 'outcome':
      return line(
        event.at,
        'outcome',
        `${event.command}: ${event.outcome}${event.reason === undefined ? '' : `, ${event.reason}`}${saidText(event.payload)}`,
      );
    case 'request':
      return line(event.at, 'request', payloadText(event.payload));
    case 'response':
      return line(event.at, 'response', `code ${event.code}${saidText(event.payload)}`);
    case 'presence':
      return line(
        event.at,
        'presence',
        [event.state, event.reason, ...event.drift].filter((part) => part !== undefined).join(', '),
      );
    case 'log':
      return line(event.at, `log ${event.level}`, event.text + leftOutText(event.leftOut));
  }
}

/** That a unit wrote more than is kept. */
export const leftOutText = (leftOut: number | undefined): string =>
  leftOut === undefined ? '' : `  (${leftOut} before it are left out: too many came)`;

function reportFields({ definition, report }: Report, definitions: Definitions): Fields | undefined {
  return definition === undefined ? undefined : definitions.get(definition)?.definition.reports[report]?.fields;
}

function saidText(payload: Payload | undefined): string {
  return payload === undefined ? '' : `, ${payloadText(payload)}`;
}

/** What an object said or was told, cut where it is long. May hold control characters. */
export function payloadText({ format, value }: Payload, maxCharacters = MAX_SHOWN_CHARACTERS): string {
  const text =
    format === 'binary'
      ? `binary ${Buffer.from((value as number[]).slice(0, maxCharacters)).toString('hex')}`
      : typeof value === 'string' && format !== 'json'
        ? value
        : JSON.stringify(value);
  return text.length > maxCharacters ? `${text.slice(0, maxCharacters)}…` : text;
}
