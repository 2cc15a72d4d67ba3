import {
  descriptorOf,
  fingerprintOctets,
  fingerprintOf,
  type MessageDefinition,
  messagesOf,
  octetsOfFields,
  type UnitDefinition,
} from '../protocol/definition/index.js';
import { octetsLiteral, stringLiteral } from './cpp-literals.js';
import { handlerNameOf, namespaceOf, typeNameOf } from './cpp-names.js';
import { type FieldView, fieldViews, ramOfStruct } from './field-view.js';
import { NamePool } from './name-pool.js';

/** A struct with its fields: a message, or what a command is answered with. */
export interface StructView {
  readonly type: string;
  readonly fields: readonly FieldView[];
  readonly maxOctets: number;
  readonly ramOctets: number;
  /** Its name and those of its fields in declared order, for a refusal's reason: `fade\0color\0durationMs`, as C++ writes it. */
  readonly names: string;
}

interface MessageView extends StructView {
  readonly name: string;
  readonly number: number;
  readonly description: string;
  readonly isCommand: boolean;
  /** The handler's name in the user's struct. */
  readonly handler: string;
  /** `HasSetColor`, in the namespace for what is ours. */
  readonly has: string;
  readonly reply: StructView | null;
  /** Too large for the stack of the chip. */
  readonly isStatic: boolean;
  readonly hasEvery: boolean;
  readonly everyMs: number;
  /** What a handler looks like: for people, and for the compiler. */
  readonly signature: string;
  readonly pointer: string;
  /** What the compiler says where the handler is missing, as a string literal. */
  readonly complaint: string;
}

/** All that the templates of a unit can ask for. */
export interface UnitView {
  readonly unit: string;
  readonly source: string;
  readonly namespace: string;
  readonly header: string;
  readonly kind: string;
  readonly isLine: boolean;
  readonly isSession: boolean;
  readonly description: string;
  readonly version: string;
  readonly fingerprint: string;
  readonly fingerprintOctets: string;
  readonly descriptorLines: readonly string[];
  readonly messages: readonly MessageView[];
  readonly commands: readonly MessageView[];
  readonly reports: readonly MessageView[];
  readonly hasCommands: boolean;
  readonly ring: number;
  /** Between two visits to the base, in ms; 0: it never sleeps. */
  readonly sleepMs: number;
  readonly maxReportOctets: number;
  readonly maxCommandOctets: number;
  readonly choiceTexts: readonly { readonly name: string; readonly text: string }[];
}

/** A command of more octets is not kept on the stack, of which a frame should take 256 octets (reference/esp8266.md). */
const MAX_STACK_OCTETS = 64;

/** Derives what the templates need from a definition that `defineUnit` has checked. */
export function unitView(definition: UnitDefinition, source: string): UnitView {
  const namespace = namespaceOf(definition.name);
  const types = new NamePool(['Unit']);
  const messages = messagesOf(definition);
  const structs = new Map(messages.map(({ name }) => [name, types.take(typeNameOf(name))]));
  const views = messages.map((message) => {
    const view = messageView(message, structs.get(message.name)!, namespace, types);
    const wanted = `command ${view.name} needs a handler: ${view.signature}`;
    return { ...view, complaint: stringLiteral(`${definition.name} (${source}): ${wanted}`) };
  });
  const commands = views.filter(({ isCommand }) => isCommand);
  const reports = views.filter(({ isCommand }) => !isCommand);
  const descriptor = descriptorOf(definition);
  const isLine = definition.wire === 'line';
  return {
    unit: definition.name,
    source,
    namespace,
    header: headerOf(definition),
    kind: definition.kind,
    isLine,
    isSession: !isLine,
    description: commentText(definition.description ?? ''),
    version: stringLiteral(definition.version),
    fingerprint: fingerprintOf(definition),
    fingerprintOctets: octetsLiteral(fingerprintOctets(descriptor)),
    descriptorLines: descriptor.split(/(?<=\n)/).map(stringLiteral),
    messages: views,
    commands,
    reports,
    hasCommands: commands.length > 0,
    ring: definition.ring,
    sleepMs: definition.sleepMs ?? 0,
    maxReportOctets: Math.max(0, ...reports.map(({ maxOctets }) => maxOctets)),
    maxCommandOctets: Math.max(0, ...commands.map(({ maxOctets }) => maxOctets)),
    choiceTexts: isLine
      ? views.flatMap(({ fields }) =>
          fields.filter(({ choice }) => choice !== null).map(({ name, choices }) => ({ name, text: choices })),
        )
      : [],
  };
}

/** `led_lamp.h`, beside which the user includes nothing of ours. */
export function headerOf(definition: UnitDefinition): string {
  return `${namespaceOf(definition.name)}.h`;
}

function messageView(
  message: MessageDefinition,
  type: string,
  namespace: string,
  types: NamePool,
): Omit<MessageView, 'complaint'> {
  const isCommand = message.kind === 'command';
  const replyFields = isCommand ? (message.reply ?? {}) : {};
  const replyType = Object.keys(replyFields).length > 0 ? types.take(`${type}Reply`) : null;
  const struct = structView(message.name, message.fields, type);
  const handler = handlerNameOf(message.name);
  const everyMs = isCommand ? undefined : message.everyMs;
  const replyParameter = replyType === null ? '' : `, ${namespace}::${replyType}& reply`;
  return {
    ...struct,
    name: message.name,
    number: message.number,
    description: commentText(message.description ?? ''),
    isCommand,
    handler,
    has: types.take(`Has${type}`),
    reply: replyType === null ? null : structView(`${message.name} reply`, replyFields, replyType),
    isStatic: struct.ramOctets > MAX_STACK_OCTETS,
    hasEvery: everyMs !== undefined,
    everyMs: everyMs ?? 0,
    signature: `static bu::Answer ${handler}(const ${namespace}::${type}& command${replyParameter})`,
    pointer: `bu::Answer (*)(const ${type}&${replyType === null ? '' : `, ${replyType}&`})`,
  };
}

function structView(name: string, fields: MessageDefinition['fields'], type: string): StructView {
  const views = fieldViews(fields, type);
  return {
    type,
    // Units come from people, and end up in comments.
    fields: views.map((view) => ({ ...view, note: commentText(view.note) })),
    maxOctets: octetsOfFields(fields).max,
    ramOctets: ramOfStruct(views),
    names: [name, ...Object.keys(fields)].join('\\0'),
  };
}

/** Text that cannot end the comment it stands in, nor draw the next line into it by a backslash at its end. */
function commentText(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('*/', '* /').replaceAll('/*', '/ *').trim().replace(/\\+$/, '$&.');
}
