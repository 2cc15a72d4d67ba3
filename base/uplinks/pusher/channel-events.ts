import { z } from 'zod';
import type { Payload, PayloadFormat } from '../../../protocol/iotsocket/payload.js';
import type { Outcome, outcomeKinds } from '../../core/messages.js';
import { payloadFormatNames } from '../../core/opaque-payload.js';

/** A command's id (base/core/command-request.ts). */
export const MAX_ID = 64;
/** A name of 253 characters and a port. */
const MAX_UNIT = 260;
const MAX_NAME = 64;
/** What a lamp takes is 64 characters; up to here the router says so to the sender, past it nothing of it is kept. */
export const MAX_PAYLOAD = 1_024;
/** All fields of a command as JSON, or its payload; the largest message of a definition is 1,024 octets (wire/unit.md, "Fields"). */
export const MAX_FIELDS_OCTETS = 8_192;
/** A mailbox keeps a command for a day at most (reference/limits.md, Kept session). */
export const MAX_TTL_S = 86_400;

/** Of the original dashboard (wire/iot-base.md, "Pusher → base"). */
export interface UpdateRequest {
  /** A host, with its port or without. */
  readonly ip: string;
  readonly payload: string;
}

/** The typed event `command`. */
export interface CommandEvent {
  readonly id: string;
  readonly unit: string;
  readonly command: string;
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
  /** For a unit that is not typed, instead of fields. */
  readonly payload?: unknown;
  readonly format?: PayloadFormat | undefined;
  readonly ttlS?: number | undefined;
}

/** The answer to both: event `outcome`. */
export interface OutcomeEvent {
  readonly id: string;
  readonly unit: string;
  readonly command: string;
  readonly outcome: (typeof outcomeKinds)[number];
  readonly reason?: string;
  readonly reply?: Readonly<Record<string, unknown>>;
  readonly code?: number;
  readonly payload?: Payload;
  readonly at: number;
}

export function outcomeEvent({ id, unit, command, outcome, reason, reply, code, payload, at }: Outcome): OutcomeEvent {
  return {
    id,
    unit,
    command,
    outcome,
    ...(reason === undefined ? {} : { reason }),
    ...(reply === undefined ? {} : { reply }),
    ...(code === undefined ? {} : { code }),
    ...(payload === undefined ? {} : { payload }),
    at,
  };
}

const updateRequest = z.object({
  ip: z.string().min(1).max(MAX_UNIT),
  // the original dashboard writes a number where the value is one
  payload: z.union([z.string().min(1).max(MAX_PAYLOAD), z.number()]).transform(String),
});

const tooLong = `more than ${MAX_FIELDS_OCTETS} octets, or nested too deep`;

function isShort(value: unknown): boolean {
  try {
    return Buffer.byteLength(JSON.stringify(value) ?? '') <= MAX_FIELDS_OCTETS;
  } catch {
    // Deeper than JSON can be written.
    return false;
  }
}

const address = { id: z.string().min(1).max(MAX_ID), unit: z.string().min(1).max(MAX_UNIT) };
// strict: a misspelt ttlS must not be left out in silence
const commandEvent = z.strictObject({
  ...address,
  command: z.string().min(1).max(MAX_NAME),
  fields: z.record(z.string().max(MAX_NAME), z.unknown()).refine(isShort, { error: tooLong }).optional(),
  payload: z.unknown().refine(isShort, { error: tooLong }).optional(),
  format: z.enum(payloadFormatNames).optional(),
  ttlS: z.number().positive().max(MAX_TTL_S).optional(),
});
/** As much of a command as is needed to answer it. */
const answerable = z.object({ ...address, command: z.string().max(MAX_NAME).catch('') });

/** `answerTo`: who asked can be told of the refusal. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string; readonly answerTo?: { id: string; unit: string; command: string } };

export function parseUpdateRequest(data: unknown): Parsed<UpdateRequest> {
  const parsed = updateRequest.safeParse(data);
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, reason: describe(parsed.error) };
}

export function parseCommandEvent(data: unknown): Parsed<CommandEvent> {
  const parsed = commandEvent.safeParse(data);
  if (parsed.success) return { ok: true, value: parsed.data };
  const answerTo = answerable.safeParse(data);
  const reason = describe(parsed.error);
  return answerTo.success ? { ok: false, reason, answerTo: answerTo.data } : { ok: false, reason };
}

/** The first fault, with its path; peers' text may be in it. */
function describe(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'not valid';
  return issue.path.length === 0 ? issue.message : `${issue.path.map(String).join('.')}: ${issue.message}`;
}
