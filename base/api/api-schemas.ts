import { z } from 'zod';
import { outcomeKinds, presenceStates } from '../core/messages.js';
import { streamKinds } from './event-stream.js';
import { problemKinds } from './problem.js';

/** What the API takes and gives, checked and documented from one place. Times are Unix ms. */

/** A day: what waits longer for a unit is forgotten (reference/limits.md, "Kept session"). */
const MAX_TTL_S = 86_400;
const MAX_ID_CHARACTERS = 64;
const MAX_NAME_CHARACTERS = 64;
/** As a message has at most. */
const MAX_FIELDS = 64;
/** wire/unit.md, "Line units". */
const MAX_LINE_CHARACTERS = 64;

const fieldTypes = [
  ...['bool', 'u8', 'i8', 'u16', 'i16', 'u32', 'i32'],
  ...['f32', 'rgb', 'oneOf', 'text', 'bytes', 'list'],
] as const;

const single = z.union([z.boolean(), z.number(), z.string()]);
const fieldValue = z.union([single, z.array(single)]).meta({ description: "A field's value; of a list an array" });
const values = z.record(z.string(), fieldValue).meta({ description: 'Values by field name' });
const unixMs = z.number().meta({ description: 'Unix time in ms' });

export const problemSchema = z
  .object({
    type: z.enum(problemKinds.map((kind) => `urn:baseunit:problem:${kind}` as const)),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'What to do' }),
  })
  .meta({ description: 'An error, as RFC 9457 has it' });

export const healthSchema = z.object({ status: z.enum(['ok', 'stopping']) });

export const unitSchema = z.object({
  unit: z.string().meta({ description: 'The UID' }),
  definition: z.string(),
  version: z.string().optional().meta({ description: 'As the unit itself told it' }),
  kind: z.enum(['read', 'updatable']),
  wire: z.enum(['session', 'line']),
  address: z.string().optional(),
  state: z.enum(presenceStates),
  reason: z.string().optional().meta({ description: 'Why it is offline' }),
  drift: z.array(z.string()).meta({ description: 'Differences between the flashed definition and the base, by name' }),
  lastSeenAt: unixMs.optional(),
  last: z
    .record(z.string(), z.object({ id: z.string(), fields: values, measuredAt: unixMs }))
    .meta({ description: 'The last report of each name' }),
  counts: z
    .object({ reports: z.int(), commands: z.int(), missing: z.int(), refused: z.int() })
    .meta({ description: 'Since the base started' }),
});

export const unitsSchema = z.object({ units: z.array(unitSchema) });

const typeShape = {
  type: z.enum(fieldTypes),
  default: fieldValue,
  unit: z.string().optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  decimals: z.int().optional(),
  values: z.array(z.string()).optional(),
  maxOctets: z.int().optional(),
  maxItems: z.int().optional(),
};
const field = z.object({ name: z.string(), ...typeShape, item: z.object(typeShape).optional() });

export const definitionSchema = z.object({
  name: z.string(),
  version: z.string(),
  kind: z.enum(['read', 'updatable']),
  wire: z.enum(['session', 'line']),
  description: z.string().optional(),
  fingerprint: z.string().meta({ description: '16 hexadecimal digits' }),
  descriptor: z.string().meta({ description: 'The definition in one canonical text' }),
  messages: z.array(
    z.object({
      kind: z.enum(['report', 'command']),
      name: z.string(),
      number: z.int(),
      description: z.string().optional(),
      fields: z.array(field),
      reply: z.array(field).optional(),
      everyMs: z.int().optional(),
      timeoutMs: z.int().optional(),
    }),
  ),
});

export const unitParams = z.object({ unit: z.string().min(1).meta({ description: 'The UID' }) });

export const commandSchema = z
  .strictObject({
    id: z
      .string()
      .min(1)
      .max(MAX_ID_CHARACTERS)
      .regex(/^[\x20-\x7e]*$/, { error: 'must be printable ASCII' })
      .optional()
      .meta({ description: 'Yours; the same id for the same unit is a duplicate. Default: a new one' }),
    command: z
      .string()
      .min(1)
      .max(MAX_NAME_CHARACTERS)
      .optional()
      .meta({ description: 'Its name in the definition. May be left out with `line`' }),
    fields: z
      .record(z.string(), z.unknown())
      .refine((fields) => Object.keys(fields).length <= MAX_FIELDS, { error: `has more than ${MAX_FIELDS} fields` })
      .optional()
      .meta({ description: 'Values by field name; what is left out has its default' }),
    line: z
      .string()
      .min(1)
      .max(MAX_LINE_CHARACTERS)
      .regex(/^[\x20-\x7e]*$/, { error: 'must be printable ASCII' })
      .optional()
      .meta({ description: 'For line units, instead of fields: the line to write, as it is' }),
    ttlS: z
      .number()
      .positive()
      .max(MAX_TTL_S)
      .optional()
      .meta({ description: "How long it may wait for its delivery. Default: the command's time-out" }),
  })
  .superRefine((body, context) => {
    const say = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if (body.command === undefined && body.line === undefined)
      say('command', 'is missing; name a command of the definition');
    if (body.fields !== undefined && body.line !== undefined) say('line', 'goes instead of fields; send one of them');
  });

export const outcomeSchema = z.object({
  id: z.string(),
  unit: z.string(),
  command: z.string(),
  outcome: z.enum(outcomeKinds),
  reason: z.string().optional().meta({ description: 'Why, when it is not ok' }),
  reply: values.optional().meta({ description: 'What the unit answered with' }),
  at: unixMs,
});

export const eventsQuery = z.strictObject({
  unit: z.string().min(1).optional().meta({ description: 'Events of this unit only' }),
  kind: z.enum(streamKinds).optional().meta({ description: 'Events of this kind only' }),
});

export const eventsHeaders = z.object({
  'last-event-id': z
    .string()
    .regex(/^\d{1,16}$/, { error: 'must be the id of an event of this stream' })
    .optional()
    .meta({ description: 'Of the last event you had: those that followed are sent first' }),
});

export type CheckedInput<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly detail: string };

/** What came, checked; or everything wrong with it, each with its path. */
export function checkInput<S extends z.ZodType>(schema: S, input: unknown, whole: string): CheckedInput<z.output<S>> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return { ok: true, value: parsed.data };
  const details = parsed.error.issues.slice(0, 10).map(({ path, message }) => {
    const where = path.length === 0 ? whole : path.join('.');
    return `${where}: ${message}`.slice(0, 200);
  });
  return { ok: false, detail: details.join('; ') };
}
