import type { UnitDefinition } from './define-unit.js';
import { descriptorOf } from './descriptor.js';
import { messagesOf } from './messages.js';

/** How the definition that a unit runs differs from ours. */
export interface Drift {
  /** Each difference by name, for people: `fade.durationMs is u8 there, u16 here`. Empty: none. */
  readonly differences: readonly string[];
  /** Numbers of our messages whose lines are equal there: these keep flowing. */
  readonly equal: ReadonlySet<number>;
}

/** The longest foreign text that gets into a difference. */
const MAX_FOREIGN = 60;
/** More differences than these are counted, not named. */
const MAX_DIFFERENCES = 32;

interface Line {
  readonly text: string;
  readonly kind: string;
  readonly number: number;
  readonly name: string;
  readonly fields: ReadonlyMap<string, string>;
  readonly reply: ReadonlyMap<string, string>;
}

/** Compares the descriptor a unit sent with ours, line by line (wire/unit.md, "Descriptor and fingerprint"). Never throws. */
export function compareDescriptors(theirs: string, definition: UnitDefinition): Drift {
  const ourText = descriptorOf(definition);
  const ourLines = new Set(ourText.split('\n'));
  const theirTexts = theirs.split('\n').filter((line) => line !== '');
  const theirLines = new Set(theirTexts);
  const differences: string[] = [];

  const head = theirTexts[0] ?? '';
  const ourHead = ourText.slice(0, ourText.indexOf('\n'));
  if (head !== ourHead) differences.push(`it says "${cut(head)}" there, "${ourHead}" here`);

  const foreign = theirTexts.slice(1).map(parseLine);
  const ours = ourText.split('\n').slice(1, -1).map(parseLine);
  for (const our of ours) {
    if (theirLines.has(our.text)) continue;
    const their = foreign.find((line) => line.kind === our.kind && line.name === our.name);
    if (their === undefined) differences.push(`${our.kind} ${our.name} is missing there`);
    else differences.push(...differencesOf(their, our));
  }
  for (const their of foreign) {
    if (ourLines.has(their.text)) continue;
    if (!ours.some((line) => line.kind === their.kind && line.name === their.name)) {
      differences.push(`${cut(`${their.kind} ${their.name}`)} is unknown here`);
    }
  }
  const equal = new Set(
    messagesOf(definition)
      .filter((_, index) => theirLines.has(ours[index]!.text))
      .map((message) => message.number),
  );
  return { differences: bounded(differences), equal };
}

function differencesOf(their: Line, our: Line): string[] {
  const found: string[] = [];
  if (their.number !== our.number)
    found.push(`${our.kind} ${our.name} has number ${their.number} there, ${our.number} here`);
  found.push(...fieldDifferences(our.name, their.fields, our.fields));
  found.push(...fieldDifferences(`${our.name} reply`, their.reply, our.reply));
  return found.length > 0 ? found : [`${our.kind} ${our.name} is "${cut(their.text)}" there, "${our.text}" here`];
}

function fieldDifferences(
  owner: string,
  theirs: ReadonlyMap<string, string>,
  ours: ReadonlyMap<string, string>,
): string[] {
  const found: string[] = [];
  for (const [name, type] of ours) {
    const other = theirs.get(name);
    if (other === undefined) found.push(`${owner}.${name} is missing there`);
    else if (other !== type) found.push(`${owner}.${name} is ${cut(other)} there, ${type} here`);
  }
  for (const name of theirs.keys()) if (!ours.has(name)) found.push(`${owner}.${cut(name)} is unknown here`);
  const order = (fields: ReadonlyMap<string, string>): string => [...fields.keys()].join(', ');
  if (found.length === 0 && order(theirs) !== order(ours)) {
    found.push(`the fields of ${owner} come in the order ${cut(order(theirs))} there, ${order(ours)} here`);
  }
  return found;
}

function parseLine(text: string): Line {
  const [head = '', reply = ''] = text.split('->', 2);
  const [kind = '', number = '', name = '', ...rest] = head.split(' ');
  return { text, kind, number: Number(number), name, fields: parseFields(rest.join(' ')), reply: parseFields(reply) };
}

/** `color:rgb,durationMs:u16[ms,0..60000]` by name; commas inside brackets separate nothing. */
function parseFields(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let depth = 0;
  let start = 0;
  for (let at = 0; at <= text.length; at += 1) {
    const character = text[at];
    if (character === '(' || character === '[') depth += 1;
    if (character === ')' || character === ']') depth -= 1;
    if (at === text.length || (character === ',' && depth === 0)) {
      const field = text.slice(start, at);
      const colon = field.indexOf(':');
      if (colon > 0) fields.set(field.slice(0, colon), field.slice(colon + 1));
      start = at + 1;
    }
  }
  return fields;
}

function cut(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a unit's text is made fit for a log line
  const clean = text.replace(/[\u0000-\u001f\u007f]/g, '·');
  return clean.length > MAX_FOREIGN ? `${clean.slice(0, MAX_FOREIGN)}…` : clean;
}

function bounded(differences: string[]): string[] {
  if (differences.length <= MAX_DIFFERENCES) return differences;
  return [...differences.slice(0, MAX_DIFFERENCES), `and ${differences.length - MAX_DIFFERENCES} more`];
}
