import { descriptorOf, type MessageDefinition, messagesOf, type UnitDefinition } from '../protocol/definition/index.js';
import type { Part } from './budget-parts.js';
import { lineOctetsOf } from './line-octets.js';

/** What of the line units' runtime only some have: the names of all colours, and numbers with a point. */
const COLOUR_NAMES = 4_000;
const FLOAT_LINES = 1_500;
/** A message's codec, its handler's glue and what they call; and one field of it. On the generous side. */
const MESSAGE = 130;
const FIELD = 45;

/** What a unit's definition makes it take of an ESP8266's flash: an upper bound. */
export function esp8266Flash(definition: UnitDefinition): Part[] {
  const messages = messagesOf(definition);
  return [
    {
      name: 'its messages',
      octets: messages.reduce((sum, message) => sum + messageOctets(message), 0),
      advice: 'leave out messages and fields',
    },
    {
      name: 'its descriptor',
      octets: descriptorOf(definition).length,
      advice: 'leave out messages and fields, or shorten their names',
    },
    ...(definition.wire === 'line' ? [{ name: 'its value', octets: lineOctets(messages[0]!) }] : []),
  ];
}

function lineOctets({ kind, fields }: MessageDefinition): number {
  const [type] = Object.values(fields);
  // What a line unit begins with lies in flash, the memory of its lines too; that of a command is always as long.
  const memory = kind === 'report' ? 2 * lineOctetsOf(type!) : 0;
  if (type!.kind === 'f32') return memory + FLOAT_LINES;
  return memory + (type!.kind === 'rgb' && kind === 'command' ? COLOUR_NAMES : 0);
}

function messageOctets(message: MessageDefinition): number {
  const fields = Object.keys({ ...message.fields, ...(message.kind === 'command' ? message.reply : {}) });
  const names = [message.name, ...fields].reduce((octets, name) => octets + name.length + 1, 0);
  return MESSAGE + fields.length * FIELD + names;
}
