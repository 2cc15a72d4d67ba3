import { maxOctetsOf, messagesOf, type UnitDefinition } from '../protocol/definition/index.js';
import { lineOctetsOf } from './line-octets.js';

/** Octets of a request before the data of its payload block, and of the tag behind it (wire/iotsocket.md, wire/unit.md). */
const REQUEST_HEAD_OCTETS = 6;
const TAG_OCTETS = 8;

/** How much of the wire a message can take. */
export interface MessageSize {
  readonly message: string;
  readonly kind: 'report' | 'command';
  /** The largest, head and tag included; of a line unit the longest line, its end included. */
  readonly octets: number;
}

/** The messages of a unit in the order of their numbers. */
export function messageSizes(definition: UnitDefinition): MessageSize[] {
  return messagesOf(definition).map((message) => {
    const octets =
      definition.wire === 'line'
        ? Math.max(...Object.values(message.fields).map(lineOctetsOf)) + 1
        : sessionOctets(maxOctetsOf(message));
    return { message: message.name, kind: message.kind, octets };
  });
}

/** A request of so much data, as it goes over the wire in a session. */
export function sessionOctets(dataOctets: number): number {
  return REQUEST_HEAD_OCTETS + dataOctets + TAG_OCTETS;
}
