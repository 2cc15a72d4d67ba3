import {
  descriptorOf,
  type Fields,
  type FieldType,
  type FieldValue,
  fingerprintOf,
  type MessageDefinition,
  messagesOf,
  type UnitDefinition,
} from '../../protocol/definition/index.js';
import { assertNever } from '../../protocol/errors.js';

/** A definition as JSON: enough to make a form for each command and a label for each value. */
export interface DefinitionView {
  readonly name: string;
  readonly version: string;
  readonly kind: 'read' | 'updatable';
  readonly wire: 'session' | 'line';
  readonly description?: string;
  /** 16 hexadecimal digits. */
  readonly fingerprint: string;
  /** The canonical text of wire/unit.md. */
  readonly descriptor: string;
  /** In the order of their numbers. */
  readonly messages: readonly MessageView[];
}

export interface MessageView {
  readonly kind: 'report' | 'command';
  readonly name: string;
  readonly number: number;
  readonly description?: string;
  readonly fields: readonly FieldView[];
  /** What a command is answered with, when that is more than "done". */
  readonly reply?: readonly FieldView[];
  readonly everyMs?: number;
  readonly timeoutMs?: number;
}

/** A field: what its type does not have is absent. */
export interface FieldView extends TypeView {
  readonly name: string;
}

export interface TypeView {
  readonly type: FieldType['kind'];
  readonly default: FieldValue;
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
  readonly decimals?: number;
  /** Of oneOf. */
  readonly values?: readonly string[];
  /** Of text (UTF-8) and bytes. */
  readonly maxOctets?: number;
  /** Of list. */
  readonly maxItems?: number;
  readonly item?: TypeView;
}

export function definitionView(definition: UnitDefinition): DefinitionView {
  const { name, version, kind, wire, description } = definition;
  return {
    name,
    version,
    kind,
    wire,
    ...(description === undefined ? {} : { description }),
    fingerprint: fingerprintOf(definition),
    descriptor: descriptorOf(definition),
    messages: messagesOf(definition).map(messageView),
  };
}

function messageView(message: MessageDefinition): MessageView {
  const { kind, name, number, description, fields } = message;
  const common = {
    kind,
    name,
    number,
    ...(description === undefined ? {} : { description }),
    fields: fieldViews(fields),
  };
  if (message.kind === 'report')
    return { ...common, ...(message.everyMs === undefined ? {} : { everyMs: message.everyMs }) };
  return {
    ...common,
    ...(message.reply === undefined ? {} : { reply: fieldViews(message.reply) }),
    ...(message.timeoutMs === undefined ? {} : { timeoutMs: message.timeoutMs }),
  };
}

function fieldViews(fields: Fields): FieldView[] {
  return Object.entries(fields).map(([name, type]) => ({ name, ...typeView(type) }));
}

function typeView(type: FieldType): TypeView {
  switch (type.kind) {
    case 'bool':
    case 'rgb':
      return { type: type.kind, default: type.default };
    case 'oneOf':
      return { type: type.kind, default: type.default, values: type.values };
    case 'text':
    case 'bytes':
      return { type: type.kind, default: type.default, maxOctets: type.maxOctets };
    case 'list':
      return { type: type.kind, default: type.default, maxItems: type.maxItems, item: typeView(type.item) };
    case 'f32':
      return { ...numberView(type), decimals: type.decimals };
    case 'u8':
    case 'i8':
    case 'u16':
    case 'i16':
    case 'u32':
    case 'i32':
      return numberView(type);
    default:
      return assertNever(type);
  }
}

function numberView(type: Extract<FieldType, { readonly min: number }>): TypeView {
  const { kind, min, max, unit } = type;
  return { type: kind, default: type.default, min, max, ...(unit === undefined ? {} : { unit }) };
}
