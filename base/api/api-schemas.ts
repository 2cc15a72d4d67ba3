import { z } from 'zod';
import { logLevels, outcomeKinds, presenceStates } from '../core/messages.js';
import { payloadFormatNames } from '../core/opaque-payload.js';
import { resolutions } from '../core/store.js';
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
/** The last moment that JavaScript's dates know. */
const MAX_UNIX_MS = 8_640_000_000_000_000;
/** Of one answer of the history: a chart has fewer points across, and the store's thread does nothing else meanwhile. */
const MAX_MOMENTS = 10_000;
/** Of one answer, and of one replay. */
export const MAX_DEAD_LETTERS = 1_000;
/** Units or connections of one answer. */
export const MAX_PAGE = 1_000;
/** The same, where nothing is said. */
export const DEFAULT_PAGE = 100;

const fieldTypes = [
  ...['bool', 'u8', 'i8', 'u16', 'i16', 'u32', 'i32'],
  ...['f32', 'rgb', 'oneOf', 'text', 'bytes', 'list'],
] as const;

const single = z.union([z.boolean(), z.number(), z.string()]);
const fieldValue = z.union([single, z.array(single)]).meta({ description: "A field's value; of a list an array" });
const values = z.record(z.string(), fieldValue).meta({ description: 'Values by field name' });
export const unixMs = z.number().meta({ description: 'Unix time in ms' });

/** A whole number in a query, where everything is text. */
export const whole = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  return z
    .string({ error })
    .regex(/^\d{1,16}$/, { error })
    .transform(Number)
    .pipe(z.int({ error }).min(min, { error }).max(max, { error }));
};

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
  dialect: z.string().meta({
    description:
      'Name of the handler that serves it. `unit`, `line`: the unit is typed. `iotsocket`: an object of the access list. `connector`: a device on a WebSocket. `elfin`: a device of the Elfin gateway. Others: handlers of your own. All but the first two have no definition',
  }),
  definition: z.string().optional().meta({ description: 'Where the unit is typed' }),
  version: z.string().optional().meta({ description: 'As the unit itself told it' }),
  started: z
    .object({
      boot: z.int().meta({ description: 'Its boot number' }),
      at: unixMs.meta({ description: 'When the base first heard of this start, in Unix ms' }),
      resetReason: z.int().optional().meta({
        description:
          "Why it started, in its chip's own numbers. ESP8266: 0 power-on, 1 hardware watchdog, 2 exception, 3 software watchdog, 4 restarted by itself, 5 woke from deep sleep, 6 reset button",
      }),
      reset: z.string().optional().meta({ description: 'The same in words' }),
      freeHeap: z.int().optional().meta({ description: 'Octets of its heap that were free when it last said hello' }),
    })
    .optional()
    .meta({ description: 'How it came up, as its hello said' }),
  kind: z.enum(['read', 'updatable']).optional().meta({ description: 'Where the unit is typed' }),
  wire: z.enum(['session', 'line']).optional().meta({ description: 'Where the unit is typed' }),
  address: z.string().optional(),
  state: z.enum(presenceStates),
  reason: z.string().optional().meta({
    description: 'Why it is so: told of units that are offline, and of others where there is something to say',
  }),
  drift: z.array(z.string()).meta({ description: 'Differences between the flashed definition and the base, by name' }),
  lastSeenAt: unixMs.optional(),
  expectedAt: unixMs
    .optional()
    .meta({ description: 'Of a unit that sleeps: when it is to be heard again, in Unix ms' }),
  last: z
    .record(z.string(), z.object({ id: z.string(), fields: values, measuredAt: unixMs }))
    .meta({ description: 'The last report of each name' }),
  waiting: z.int().meta({ description: 'Commands in its mailbox that have no outcome yet' }),
  counts: z
    .object({ reports: z.int(), commands: z.int(), missing: z.int(), refused: z.int() })
    .meta({ description: 'Since the base started' }),
});

export const unitsSchema = z.object({
  units: z.array(unitSchema),
  next: z.string().optional().meta({ description: '`after` of the next page, when there are more' }),
});

export const unitsQuery = z.strictObject({
  limit: whole(1, MAX_PAGE)
    .optional()
    .meta({
      description: `At most so many. Default: ${DEFAULT_PAGE} with \`after\`; all units without either`,
    }),
  after: z
    .string()
    .optional()
    .meta({ description: 'Only units whose UID comes behind that one, in the order of UIDs' }),
});

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

/** What a command and a query have in common. */
const asked = {
  id: z
    .string()
    .min(1)
    .max(MAX_ID_CHARACTERS)
    .regex(/^[\x20-\x7e]*$/, { error: 'must be printable ASCII' })
    .optional()
    .meta({ description: 'Yours; the same id for the same unit is a duplicate. Default: a new one' }),
  payload: z.unknown().optional().meta({
    description: 'For a unit without a definition, instead of fields: what is asked of it, as `format` says',
  }),
  format: z.enum(payloadFormatNames).optional().meta({
    description:
      'Of `payload`: `json` is any JSON value (default), `ascii` and `utf8` a string, `binary` an array of octets',
  }),
  ttlS: z
    .number()
    .positive()
    .max(MAX_TTL_S)
    .optional()
    .meta({ description: "How long it may wait for its delivery. Default: the command's time-out" }),
};
const NO_PAYLOAD = 'has no meaning without payload';

export const commandSchema = z
  .strictObject({
    ...asked,
    command: z.string().min(1).max(MAX_NAME_CHARACTERS).optional().meta({
      description:
        'Its name in the definition; `request` or `query` for a unit without one. May be left out with `line`',
    }),
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
  })
  .superRefine((body, context) => {
    const say = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if (body.command === undefined && body.line === undefined)
      say('command', 'is missing; name a command of the definition');
    if (body.fields !== undefined && body.line !== undefined) say('line', 'goes instead of fields; send one of them');
    if (body.payload !== undefined && (body.fields !== undefined || body.line !== undefined))
      say('payload', 'goes instead of fields and line; send one of them');
    if (body.format !== undefined && body.payload === undefined) say('format', NO_PAYLOAD);
  });

export const querySchema = z
  .strictObject({
    ...asked,
    report: z.string().min(1).max(MAX_NAME_CHARACTERS).optional().meta({
      description:
        'For a unit with a definition, and nothing else for it: the report whose last values are wanted. May be left out where there is only one',
    }),
  })
  .superRefine(({ payload, format, report }, context) => {
    const say = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if (report !== undefined && payload !== undefined)
      say('report', 'is for units with a definition, payload for those without; send one of them');
    if (format !== undefined && payload === undefined) say('format', NO_PAYLOAD);
  });

const payloadSchema = z
  .object({ format: z.enum(payloadFormatNames), value: z.unknown() })
  .meta({ description: 'What a unit without a definition answered with' });

export const outcomeSchema = z.object({
  id: z.string(),
  unit: z.string(),
  command: z.string(),
  outcome: z.enum(outcomeKinds),
  reason: z.string().optional().meta({ description: 'Why, when it is not ok' }),
  reply: values.optional().meta({ description: 'What the unit answered with' }),
  code: z.int().optional().meta({ description: 'Return code of a unit without a definition; 0 is valid' }),
  payload: payloadSchema.optional(),
  at: unixMs,
});

export const queryOutcomeSchema = outcomeSchema.extend({
  report: z.string().optional().meta({ description: 'Of a unit with a definition: whose values `reply` has' }),
  measuredAt: unixMs.optional().meta({ description: 'The same: when they were measured' }),
});

export const commandParams = unitParams.extend({
  id: z.string().min(1).meta({ description: 'As the command was sent with, or as the base answered' }),
});

export const commandStatusSchema = z.union([
  z.object({ status: z.literal('waiting'), id: z.string(), unit: z.string() }),
  z.object({ status: z.literal('ended'), id: z.string(), unit: z.string(), outcome: outcomeSchema }),
]);

export const historyQuery = z.strictObject({
  report: z.string().min(1).optional().meta({
    description:
      'Its name in the definition; `telemetry` for a unit without one. May be left out where there is only one',
  }),
  from: whole(0, MAX_UNIX_MS).optional().meta({ description: 'Unix ms, included. Default: 24 h before `to`' }),
  to: whole(0, MAX_UNIX_MS).optional().meta({ description: 'Unix ms, excluded. Default: all up to now' }),
  resolution: z
    .enum(['auto', ...resolutions])
    .optional()
    .meta({ description: 'Default: `auto`, the finest that has something in that time and fits `limit`' }),
  limit: whole(1, MAX_MOMENTS).optional().meta({ description: 'At most so many moments. Default: 1000' }),
});

const column = z.array(z.number().nullable());
const course = z.union([
  z
    .object({ values: z.array(fieldValue.nullable()) })
    .meta({ description: '`raw`: as it was reported; null where a report did not have it' }),
  z
    .object({ count: column, min: column, mean: column, max: column })
    .meta({ description: '`minute`, `hour`: of the values in it; a truth value counts as 0 or 1' }),
]);

export const historySchema = z.object({
  unit: z.string(),
  report: z.string(),
  resolution: z.enum(resolutions),
  from: unixMs,
  to: unixMs,
  at: z.array(unixMs).meta({ description: 'When it was measured, or where the minute or hour begins; ascending' }),
  fields: z.record(z.string(), course).meta({ description: 'By field; each column is as long as `at`' }),
  isCut: z.boolean().meta({ description: 'There is more than `limit`: the oldest are here' }),
});

export const logsQuery = z.strictObject({
  level: z.enum(logLevels).optional().meta({ description: 'Only lines of this level and of more serious ones' }),
});

export const logsSchema = z.object({
  unit: z.string(),
  lines: z
    .array(
      z.object({
        level: z.enum(logLevels),
        text: z.string().meta({ description: 'Without control characters' }),
        at: unixMs,
        leftOut: z.int().optional().meta({
          description: 'So many lines before it are left out, because the unit wrote too many; absent when none is',
        }),
      }),
    )
    .meta({ description: 'The oldest first' }),
  lastEventId: z.string().meta({
    description:
      'Given to the event stream as `Last-Event-ID`, what comes behind these lines follows there, and nothing twice',
  }),
});

export const endpointParams = z.object({
  endpoint: z.string().min(1).meta({ description: 'As the list of receivers names it' }),
});

export const outboxSchema = z.object({
  endpoint: z.string(),
  label: z.string().meta({ description: 'For people' }),
  state: z.enum(['working', 'failing', 'disabled']),
  reason: z.string().optional().meta({ description: 'Why it is disabled' }),
  waiting: z.int(),
  octets: z.int().meta({ description: 'Of what waits' }),
  dead: z.int().meta({ description: 'Dead letters' }),
  delivered: z.int().meta({ description: 'Since the base started' }),
  refused: z.int().meta({
    description: 'Since the base started: not taken, because the queue was full or the receiver disabled',
  }),
});

export const outboxesSchema = z.object({ endpoints: z.array(outboxSchema) });

export const deadQuery = z.strictObject({
  behind: whole(0, Number.MAX_SAFE_INTEGER).optional().meta({ description: 'Only those behind that position' }),
  limit: whole(1, MAX_DEAD_LETTERS).optional().meta({ description: 'At most so many. Default: 100' }),
});

export const deadLetterSchema = z.object({
  position: z.int().meta({ description: 'What it is named by; later ones have higher positions' }),
  id: z.string().meta({ description: 'Its `webhook-id`' }),
  key: z.string().meta({ description: 'The unit it is about' }),
  octets: z.int(),
  attempts: z.int().meta({ description: 'That failed' }),
  diedAt: unixMs,
  reason: z.string(),
});

export const deadSchema = z.object({
  dead: z.array(deadLetterSchema).meta({ description: 'The oldest first' }),
  next: z.int().optional().meta({ description: '`behind` of the next question, when there may be more' }),
});

export const replaySchema = z
  .strictObject({
    positions: z
      .array(z.int({ error: 'must be a whole number' }).positive({ error: 'must be above 0' }))
      .min(1, { error: 'names none' })
      .max(MAX_DEAD_LETTERS, { error: `names more than ${MAX_DEAD_LETTERS}` })
      .optional()
      .meta({ description: 'These dead letters' }),
    all: z.literal(true).optional().meta({ description: 'All dead letters' }),
  })
  .superRefine(({ positions, all }, context) => {
    if ((positions === undefined) === (all === undefined))
      context.addIssue({ code: 'custom', path: [], message: 'must have either positions or all' });
  });

export const replayedSchema = z.object({
  replayed: z.int().meta({ description: 'How many of them there were, and are sent again' }),
});

export const backupSchema = z.object({ path: z.string().meta({ description: "Of the copy, on the base's machine" }) });

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
