import { boards, type Fields, type UnitDefinition } from './define-unit.js';
import { DefinitionError, type DefinitionProblem } from './definition-error.js';
import { descriptorOf } from './descriptor.js';
import { F32_MAX, type FieldType, integerTypes } from './field-types.js';
import {
  MAX_ANSWER_OCTETS,
  MAX_DESCRIPTOR_OCTETS,
  MAX_MESSAGE_OCTETS,
  maxOctetsOf,
  octetsOfFields,
  REPLY_HEAD_OCTETS,
} from './layout.js';
import { messagesOf } from './messages.js';
import { refusalOf } from './value-check.js';

const MAX_NAME_OCTETS = 32;
const MAX_VERSION_OCTETS = 24;
const MAX_UNIT_OCTETS = 16;
const MAX_FIELDS = 64;
const MAX_LENGTH = 255;
const FIRST_NUMBER = 1;
const LAST_NUMBER = 111;
const MAX_RING = 255;
/** A shorter poll would hold the link of a unit that is to be reached on demand. */
const MIN_POLL_MS = 1_000;
const MAX_POLL_MS = 86_400_000;
const MIN_SLEEP_MS = 10_000;
/** An ESP8266 sleeps for some 3.5 h at most (`ESP.deepSleepMax`). */
const MAX_SLEEP_MS = 3 * 3_600_000;

const identifier = /^[a-z][A-Za-z0-9]*$/;
const unitName = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const oneOfValue = /^[A-Za-z0-9_-]+$/;

/** Words that cannot be a name because the firmware is C++. */
const cppWords = new Set(
  `alignas alignof and asm auto bitand bitor bool break case catch char class compl concept const consteval constexpr constinit
   continue decltype default delete do double else enum explicit export extern false final float for friend goto if inline int
   long mutable namespace new noexcept not nullptr operator or override private protected public register requires return short
   signed sizeof static struct switch template this throw true try typedef typeid typename union unsigned using virtual void
   volatile while xor number`.split(/\s+/),
);

const octets = (value: string): number => new TextEncoder().encode(value).length;

/** Throws {@link DefinitionError} with every problem of the definition. */
export function checkDefinition(definition: UnitDefinition): void {
  const problems: DefinitionProblem[] = [];
  const say = (where: string, what: string): void => void problems.push({ where, what });

  checkUnit(definition, say);
  checkNumbers(definition, say);
  for (const message of messagesOf(definition)) {
    const where = `${message.kind} ${message.name}`;
    checkName(message.name, where, say);
    const fieldsSound = checkFields(message.fields, where, say);
    if (fieldsSound && maxOctetsOf(message) > MAX_MESSAGE_OCTETS) {
      say(
        where,
        `takes up to ${maxOctetsOf(message)} octets; a message may take ${MAX_MESSAGE_OCTETS}. Shorten a text, bytes or list field`,
      );
    }
    if (message.kind === 'command') {
      const reply = message.reply ?? {};
      const answerOctets = REPLY_HEAD_OCTETS + octetsOfFields(reply).max;
      if (checkFields(reply, `${where}, reply`, say) && answerOctets > MAX_ANSWER_OCTETS) {
        say(
          `${where}, reply`,
          `takes up to ${answerOctets} octets; a unit remembers answers of ${MAX_ANSWER_OCTETS}. Send more as a report`,
        );
      }
      checkMs(message.timeoutMs, 'timeoutMs', 1, 300_000, where, say);
    } else {
      checkMs(message.everyMs, 'everyMs', 10, 86_400_000, where, say);
    }
  }
  if (definition.wire === 'line') checkLine(definition, say);
  if (problems.length === 0) checkDescriptor(definition, say);
  if (problems.length > 0) throw new DefinitionError(String(definition.name ?? ''), problems);
}

type Say = (where: string, what: string) => void;

function checkUnit(definition: UnitDefinition, say: Say): void {
  if (
    typeof definition.name !== 'string' ||
    !unitName.test(definition.name) ||
    octets(definition.name) > MAX_NAME_OCTETS
  ) {
    say(
      '',
      `name ${JSON.stringify(definition.name)} must be lower-case letters, digits and single hyphens, at most ${MAX_NAME_OCTETS} octets, as in 'led-lamp'`,
    );
  }
  if (
    typeof definition.version !== 'string' ||
    definition.version === '' ||
    octets(definition.version) > MAX_VERSION_OCTETS
  ) {
    say('', `version ${JSON.stringify(definition.version)} must be 1 to ${MAX_VERSION_OCTETS} octets, as in '1.0.0'`);
  }
  if (definition.kind !== 'read' && definition.kind !== 'updatable') {
    say(
      '',
      `kind ${JSON.stringify(definition.kind)} must be 'read' (its link is always held) or 'updatable' (its link is opened when needed)`,
    );
  }
  if (definition.poll !== undefined && definition.pollMs === undefined) {
    say('', `poll ${JSON.stringify(definition.poll)} must be a number and s, min or h, as in '10 min'`);
  }
  if (definition.pollMs !== undefined && (definition.pollMs < MIN_POLL_MS || definition.pollMs > MAX_POLL_MS)) {
    say('', `poll ${JSON.stringify(definition.poll)} must be from 1 s to 24 h`);
  }
  if (definition.poll !== undefined && definition.kind === 'read') {
    say('', 'poll has no meaning for a read unit: its link is always held. Leave it out');
  }
  checkSleep(definition, say);
  checkBoards(definition, say);
  if (!Number.isInteger(definition.ring) || definition.ring < 1 || definition.ring > MAX_RING) {
    say('', `ring ${definition.ring} must be a whole number from 1 to ${MAX_RING}`);
  }
  if (messagesOf(definition).length === 0) say('', 'has no report and no command: add one to `reports` or `commands`');
}

function checkSleep({ sleep, sleepMs, wire, poll }: UnitDefinition, say: Say): void {
  if (sleep === undefined) return;
  const shown = `sleep ${JSON.stringify(sleep)}`;
  if (sleepMs === undefined) say('', `${shown} must be a number and s, min or h, as in '10 min'`);
  else if (sleepMs < MIN_SLEEP_MS || sleepMs > MAX_SLEEP_MS) say('', `${shown} must be from 10 s to 3 h`);
  if (wire === 'line')
    say('', `${shown} has no meaning for a line unit: it has no session to say goodbye in. Leave it out`);
  if (poll !== undefined) say('', `poll has no meaning for a unit that sleeps: it dials the base itself. Leave it out`);
}

function checkBoards({ boards: wanted, wire }: UnitDefinition, say: Say): void {
  if (!Array.isArray(wanted) || wanted.length === 0 || new Set(wanted).size !== wanted.length) {
    return say('', `boards ${JSON.stringify(wanted)} must be a list of one or more of ${boards.join(', ')}, each once`);
  }
  for (const board of wanted) {
    if (!boards.includes(board)) say('', `board ${JSON.stringify(board)} is unknown; known are ${boards.join(', ')}`);
  }
  if (wanted.includes('uno') && wire !== 'line') {
    say(
      '',
      "board 'uno' has 2 KiB of RAM, too little for a session: make it a line unit (wire: 'line'), or leave the board out",
    );
  }
}

/** A unit keeps its descriptor in flash and tells it in pieces; the base reads no longer one. */
function checkDescriptor(definition: UnitDefinition, say: Say): void {
  const length = octets(descriptorOf(definition));
  if (length > MAX_DESCRIPTOR_OCTETS)
    say('', `its descriptor has ${length} octets; ${MAX_DESCRIPTOR_OCTETS} are allowed. Use fewer or shorter names`);
}

function checkNumbers(definition: UnitDefinition, say: Say): void {
  const taken = new Map<number, string>();
  for (const message of messagesOf(definition)) {
    const where = `${message.kind} ${message.name}`;
    if (!Number.isInteger(message.number) || message.number < FIRST_NUMBER || message.number > LAST_NUMBER) {
      say(where, `number ${message.number} must be a whole number from ${FIRST_NUMBER} to ${LAST_NUMBER}`);
      continue;
    }
    const other = taken.get(message.number);
    if (other !== undefined)
      say(where, `number ${message.number} is taken by ${other}; reports and commands share one number space`);
    taken.set(message.number, where);
  }
  const names = new Map<string, string>();
  for (const message of messagesOf(definition)) {
    const key = message.name.toLowerCase();
    const other = names.get(key);
    if (other !== undefined)
      say(`${message.kind} ${message.name}`, `has the same name as ${other} (upper and lower case apart)`);
    names.set(key, `${message.kind} ${message.name}`);
  }
}

function checkName(name: string, where: string, say: Say): void {
  if (!identifier.test(name) || octets(name) > MAX_NAME_OCTETS) {
    say(
      where,
      `the name must begin with a lower-case letter and hold only letters and digits, at most ${MAX_NAME_OCTETS} octets`,
    );
  } else if (cppWords.has(name)) {
    say(where, `'${name}' means something else in C++, which the firmware is written in; choose another name`);
  }
}

/** True when the sizes of the fields can be added up. */
function checkFields(fields: Fields, owner: string, say: Say): boolean {
  const before = new Set<string>();
  let sound = true;
  if (Object.keys(fields).length > MAX_FIELDS) {
    say(owner, `has more than ${MAX_FIELDS} fields`);
    sound = false;
  }
  for (const [name, type] of Object.entries(fields)) {
    const where = `${owner}, field ${name}`;
    checkName(name, where, say);
    if (before.has(name.toLowerCase())) say(where, 'another field has this name (upper and lower case apart)');
    before.add(name.toLowerCase());
    const problem = problemOfType(type);
    if (problem !== undefined) {
      say(where, problem);
      sound = false;
    }
  }
  return sound;
}

function problemOfType(type: FieldType): string | undefined {
  switch (type.kind) {
    case 'bool':
    case 'rgb':
      return problemOfDefault(type);
    case 'oneOf':
      return problemOfChoices(type.values) ?? problemOfDefault(type);
    case 'text':
    case 'bytes':
      return problemOfBound('length', type.maxOctets) ?? problemOfDefault(type);
    case 'list': {
      if ((type.item as FieldType).kind === 'list') return 'a list of lists is not possible; use two fields';
      const inItem = problemOfType(type.item);
      return inItem === undefined
        ? (problemOfBound('count', type.maxItems) ?? problemOfDefault(type))
        : `in the list: ${inItem}`;
    }
    case 'f32':
      return problemOfNumber(type, -F32_MAX, F32_MAX) ?? problemOfDecimals(type.decimals) ?? problemOfDefault(type);
    default: {
      const own = integerTypes[type.kind];
      if (own === undefined)
        return `type ${JSON.stringify((type as { kind: unknown }).kind)} is unknown; use bool, u8 … i32, f32, rgb, oneOf, text, bytes or list`;
      if (!Number.isInteger(type.min) || !Number.isInteger(type.max))
        return `min and max of ${type.kind} must be whole numbers`;
      return problemOfNumber(type, own.min, own.max) ?? problemOfDefault(type);
    }
  }
}

function problemOfNumber(
  type: { readonly kind: string; readonly unit: string | undefined; readonly min: number; readonly max: number },
  lowest: number,
  highest: number,
): string | undefined {
  if (!Number.isFinite(type.min) || !Number.isFinite(type.max)) return 'min and max must be finite numbers';
  if (type.max > highest)
    return `max ${type.max} is above what ${type.kind} holds (${highest}); use a larger type or a smaller max`;
  if (type.min < lowest)
    return `min ${type.min} is below what ${type.kind} holds (${lowest}); use another type or a larger min`;
  if (type.min > type.max) return `min ${type.min} is above max ${type.max}`;
  if (type.unit !== undefined && (type.unit === '' || octets(type.unit) > MAX_UNIT_OCTETS)) {
    return `unit ${JSON.stringify(type.unit)} must have 1 to ${MAX_UNIT_OCTETS} octets of UTF-8`;
  }
  return undefined;
}

function problemOfDecimals(decimals: number): string | undefined {
  return Number.isInteger(decimals) && decimals >= 0 && decimals <= 6
    ? undefined
    : `decimals ${decimals} must be a whole number from 0 to 6`;
}

function problemOfBound(what: string, bound: number): string | undefined {
  return Number.isInteger(bound) && bound >= 1 && bound <= MAX_LENGTH
    ? undefined
    : `the greatest ${what} ${bound} must be a whole number from 1 to ${MAX_LENGTH}`;
}

function problemOfChoices(values: readonly string[]): string | undefined {
  if (values.length < 1 || values.length > MAX_LENGTH) return `oneOf needs 1 to ${MAX_LENGTH} values`;
  const odd = values.find((value) => !oneOfValue.test(value));
  if (odd !== undefined) return `value ${JSON.stringify(odd)} of oneOf may hold only letters, digits, _ and -`;
  const cppNames = values.map((value) => value.replaceAll('-', '_').toLowerCase());
  const twice = values.find((_, index) => cppNames.indexOf(cppNames[index]!) !== index);
  return twice === undefined
    ? undefined
    : `value ${JSON.stringify(twice)} of oneOf is there twice (case, - and _ apart)`;
}

function problemOfDefault(type: FieldType): string | undefined {
  const refusal = refusalOf(type, type.default);
  return refusal === undefined ? undefined : `default ${JSON.stringify(type.default)} ${refusal.message}`;
}

function checkMs(value: number | undefined, name: string, min: number, max: number, where: string, say: Say): void {
  if (value === undefined) return;
  if (!Number.isInteger(value) || value < min || value > max)
    say(where, `${name} ${value} must be a whole number from ${min} to ${max}`);
}

/** wire/unit.md, "Line units": one field a line, and no way to tell two messages apart. */
function checkLine(definition: UnitDefinition, say: Say): void {
  const messages = messagesOf(definition);
  const wanted = definition.kind === 'read' ? 'report' : 'command';
  if (messages.length !== 1 || messages[0]!.kind !== wanted) {
    say(
      '',
      `a line unit of kind '${definition.kind}' has exactly one ${wanted} and nothing else; use wire: 'session' for more`,
    );
    return;
  }
  const message = messages[0]!;
  const where = `${message.kind} ${message.name}`;
  const types = Object.values(message.fields);
  if (types.length !== 1) say(where, `a line carries exactly one field, this has ${types.length}`);
  if (types.some((type) => type.kind === 'list' || type.kind === 'bytes'))
    say(where, 'a line cannot carry a list or bytes field');
  if (message.kind === 'report' && message.everyMs === undefined)
    say(where, 'a line unit needs everyMs: silence is how a lost unit is noticed');
  if (message.kind === 'command' && message.reply !== undefined)
    say(where, 'a line unit answers nothing: leave reply out');
}
