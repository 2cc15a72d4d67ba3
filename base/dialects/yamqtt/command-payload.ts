import type { Fields, FieldType, UnitDefinition } from '../../../protocol/definition/index.js';
import type { PayloadFormat } from '../../../protocol/iotsocket/payload.js';
import { jsonDepth } from '../../../protocol/json-depth.js';
import { lineToValue } from '../../../protocol/line/line-value.js';
import type { CommandRequest } from '../../core/command-request.js';
import { MAX_PAYLOAD_DEPTH } from '../../core/opaque-payload.js';

/** What a command is given. */
export type CommandArguments =
  | Required<Pick<CommandRequest, 'fields'>>
  | { readonly payload: unknown; readonly format: PayloadFormat };

export type PublishedArguments =
  | { readonly ok: true; readonly given: CommandArguments }
  /** Why not, with what to publish instead. */
  | { readonly ok: false; readonly reason: string };

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * What a text that is published on a flow gives a command. A typed unit's: a JSON object of its fields, or the bare value of a
 * command's only field; nothing in it matters to a command without fields. Without a definition: the text is the payload, JSON
 * where it is JSON. Whether the values fit is not checked here, nor whether there is such a command.
 */
export function argumentsOf(text: string, command: string, definition: UnitDefinition | undefined): PublishedArguments {
  if (definition === undefined) return { ok: true, given: payloadIn(text) };
  const fields = Object.hasOwn(definition.commands, command) ? (definition.commands[command]!.fields ?? {}) : {};
  const [first, second] = Object.entries(fields);
  if (first === undefined) return { ok: true, given: { fields: {} } };
  const object = objectIn(text);
  if (object !== undefined) return { ok: true, given: { fields: object } };
  if (second !== undefined) return refused(`${command} has several fields; publish ${exampleOf(fields)}`);
  const [name, type] = first;
  const value = bareValue(type, text);
  return value.ok ? { ok: true, given: { fields: { [name]: value.value } } } : refused(`${name} ${value.reason}`);
}

const refused = (reason: string): PublishedArguments => ({ ok: false, reason });

/** `{"color":"#000000","durationMs":1000}`: its defaults. */
const exampleOf = (fields: Fields): string =>
  JSON.stringify(Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, type.default])));

type BareValue = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: string };

/** A text is taken as it is; all else as lines have it, or as JSON has it, as `[1,2]` or `"#ff8800"`. */
function bareValue(type: FieldType, text: string): BareValue {
  if (type.kind === 'text') return { ok: true, value: text };
  const json = jsonIn(text);
  if (typeof json === 'string' || Array.isArray(json)) return { ok: true, value: json };
  if (type.kind === 'bytes' || type.kind === 'list') return { ok: true, value: text.trim() };
  const read = lineToValue(type, text);
  return read.ok ? read : { ok: false, reason: read.refusal.message };
}

function payloadIn(text: string): CommandArguments {
  const json = jsonIn(text);
  return json === undefined ? { payload: text, format: 'utf8' } : { payload: json, format: 'json' };
}

function objectIn(text: string): JsonObject | undefined {
  const json = jsonIn(text);
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as JsonObject) : undefined;
}

/** `undefined`: it is no JSON, or it is nested so deep that it stays text, as everywhere in the base. */
function jsonIn(text: string): unknown {
  if (jsonDepth(text) > MAX_PAYLOAD_DEPTH) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
