import { z } from 'zod';
import { outcomeKinds, presenceStates } from '../../core/messages.js';
import { payloadFormatNames } from '../../core/opaque-payload.js';
import type { StoredCommand, UnitState } from '../../core/store.js';

/**
 * What is kept as JSON, checked when it is read: SQLite does not notice an octet that a failing card has changed within a
 * text, and what it says must not keep the base from starting.
 */

const single = z.union([z.boolean(), z.number(), z.string()]);
const values = z.record(z.string(), z.union([single, z.array(single)]));
const whole = z.int().nonnegative();
const payload = z.object({ format: z.enum(payloadFormatNames), value: z.unknown() });

const unitState: z.ZodType<UnitState> = z.object({
  handler: z.string().optional(),
  boot: whole.optional(),
  nonce: whole.optional(),
  sequence: whole.optional(),
  ownBoot: whole,
  wireId: whole,
  version: z.string().optional(),
  started: z
    .object({ boot: whole, at: z.number(), resetReason: whole.optional(), freeHeap: whole.optional() })
    .optional(),
  drift: z.array(z.string()),
  told: z.object({ state: z.enum(presenceStates), reason: z.string().optional() }),
  lastSeenAt: z.number().optional(),
  last: z.record(z.string(), z.object({ id: z.string(), fields: values, measuredAt: z.number() })),
});

const command = z.object({
  command: z.object({
    kind: z.literal('command'),
    id: z.string(),
    unit: z.string(),
    command: z.string(),
    fields: values,
    line: z.string().optional(),
    payload: payload.optional(),
    source: z.string(),
    origin: z.string().optional(),
    acceptedAt: z.number(),
    expiresAt: z.number(),
  }),
  wireId: whole,
  timeoutMs: z.number(),
  isPatient: z.boolean(),
});

const outcome = z.object({
  kind: z.literal('outcome'),
  id: z.string(),
  unit: z.string(),
  command: z.string(),
  outcome: z.enum(outcomeKinds),
  reason: z.string().optional(),
  reply: values.optional(),
  code: z.int().optional(),
  payload: payload.optional(),
  source: z.string(),
  at: z.number(),
});

/** `undefined`: it is not what it was. */
function read<T>(schema: z.ZodType<T>, text: unknown): T | undefined {
  try {
    return schema.safeParse(JSON.parse(String(text))).data;
  } catch {
    return undefined;
  }
}

/** Any JSON: whoever wrote it checks what it says. */
export function readJson(text: unknown): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(String(text)) };
  } catch {
    return undefined;
  }
}

export const readUnitState = (text: unknown): UnitState | undefined => read(unitState, text);

export const readValues = (text: unknown): z.infer<typeof values> | undefined => read(values, text);

export const readCommand = (text: unknown): Omit<StoredCommand, 'ordinal' | 'sentIn' | 'outcome'> | undefined =>
  read(command, text) as Omit<StoredCommand, 'ordinal'> | undefined;

export const readOutcome = (text: unknown): StoredCommand['outcome'] => read(outcome, text) as StoredCommand['outcome'];

const queueState = z.object({
  failingSince: z.number().optional(),
  disabled: z.object({ at: z.number(), reason: z.string() }).optional(),
});

export const readQueueState = (text: unknown): z.infer<typeof queueState> | undefined => read(queueState, text);
