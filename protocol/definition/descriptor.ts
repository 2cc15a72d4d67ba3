import type { Fields, UnitDefinition } from './define-unit.js';
import { F32_MAX, type FieldType, integerTypes } from './field-types.js';
import { messagesOf } from './messages.js';

/**
 * The definition in one canonical text, a line per message, every line ended by LF (wire/unit.md, "Descriptor and
 * fingerprint"). Defaults, poll times, line ends and descriptions are not in it: they change nothing on the wire.
 */
export function descriptorOf(definition: UnitDefinition): string {
  const lines = [`unit ${definition.name} ${definition.kind}`];
  for (const message of messagesOf(definition)) {
    const head = `${message.kind} ${message.number} ${message.name}`;
    const fields = Object.keys(message.fields).length === 0 ? '' : ` ${fieldsText(message.fields)}`;
    const reply =
      message.kind === 'command' && message.reply && Object.keys(message.reply).length > 0
        ? `->${fieldsText(message.reply)}`
        : '';
    lines.push(head + fields + reply);
  }
  return `${lines.join('\n')}\n`;
}

function fieldsText(fields: Fields): string {
  return Object.entries(fields)
    .map(([name, type]) => `${name}:${typeText(type)}`)
    .join(',');
}

function typeText(type: FieldType): string {
  switch (type.kind) {
    case 'bool':
    case 'rgb':
      return type.kind;
    case 'oneOf':
      return `oneOf(${type.values.join('|')})`;
    case 'text':
    case 'bytes':
      return `${type.kind}(${type.maxOctets})`;
    case 'list':
      return `list(${typeText(type.item)},${type.maxItems})`;
    case 'f32':
      return `f32${limitsText(type.unit, type.min, type.max, -F32_MAX, F32_MAX)}`;
    default:
      return `${type.kind}${limitsText(type.unit, type.min, type.max, integerTypes[type.kind].min, integerTypes[type.kind].max)}`;
  }
}

function limitsText(unit: string | undefined, min: number, max: number, ownMin: number, ownMax: number): string {
  const unitText = unit === undefined ? '' : escapeUnit(unit);
  const rangeText = min === ownMin && max === ownMax ? '' : `,${plainNumber(min)}..${plainNumber(max)}`;
  return unitText + rangeText === '' ? '' : `[${unitText}${rangeText}]`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control octets are what is escaped here
const escapedInUnit = /[\u0000-\u0020\u007f%,[\]()|]/g;

/** `% , [ ] ( ) |`, space and control octets become `%XX`; other octets stay as they are. */
function escapeUnit(unit: string): string {
  return unit.replace(
    escapedInUnit,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** JavaScript's shortest form, written without an exponent. */
function plainNumber(value: number): string {
  const shortest = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(shortest);
  if (!match) return shortest;
  const [, sign, first, rest = '', exponentText] = match;
  const digits = first + rest;
  const exponent = Number(exponentText);
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  return sign + digits.padEnd(exponent + 1, '0');
}
