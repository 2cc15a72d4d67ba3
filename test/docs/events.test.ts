import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import {
  commandSchema,
  commandStatusSchema,
  historySchema,
  outcomeSchema,
  queryOutcomeSchema,
  querySchema,
} from '../../base/api/api-schemas.js';
import { outcomeKinds } from '../../base/core/messages.js';
import type { Told } from '../../base/core/outboxes.js';
import { commandPayload } from '../../base/dialects/iotsocket/typed-units.js';
import { parseCommandEvent, parseUpdateRequest } from '../../base/uplinks/pusher/channel-events.js';
import { webhookItem } from '../../base/uplinks/webhooks/webhook-events.js';
import { type Block, blocks, codeIn, tableRows } from './support/documents.js';

const random = { octets: (count: number) => new Uint8Array(count), fraction: () => 0 };

/** What is wrong with a block's JSON, by what it is said to be; `undefined`: nothing. */
const checks: Readonly<Record<string, (value: unknown) => string | undefined>> = {
  command: (value) => refusal(parseCommandEvent(value)),
  'update.request': (value) => refusal(parseUpdateRequest(value)),
  'api-command': (value) => commandSchema.safeParse(value).error?.message,
  'api-query': (value) => querySchema.safeParse(value).error?.message,
  'query-outcome': (value) => queryOutcomeSchema.strict().safeParse(value).error?.message,
  outcome: (value) => outcomeSchema.strict().safeParse(value).error?.message,
  'command-status': (value) => complaint(commandStatusSchema, value),
  history: (value) => complaint(historySchema, value),
  'command-payload': (value) => commandPayload.safeParse(value).error?.message,
  'answer-payload': (value) =>
    outcomeSchema.pick({ outcome: true, reason: true, reply: true }).strict().safeParse(value).error?.message,
  webhook: (value) => {
    const { type: kind, data } = value as { readonly type: Told['kind']; readonly data: object };
    const message = { ...data, kind } as Told;
    const { body, id } = webhookItem(message, random);
    const isOwnId = message.kind === 'report' || message.kind === 'request';
    const hasId = !isOwnId || id === message.id;
    return isDeepStrictEqual(JSON.parse(body), value) && hasId ? undefined : `the base sends ${body}`;
  },
};

/** What the schema does not take of it, or would leave out. */
const complaint = (schema: z.ZodType, value: unknown): string | undefined => {
  const { data, error } = schema.safeParse(value);
  if (error !== undefined) return error.message;
  return isDeepStrictEqual(data, value) ? undefined : `the base answers ${JSON.stringify(data)}`;
};

const refusal = (
  parsed: { readonly ok: true } | { readonly ok: false; readonly reason: string },
): string | undefined => (parsed.ok ? undefined : parsed.reason);

const complaintOf = ({ where, kind, text }: Block): string[] => {
  const check = checks[kind];
  const complaint = check === undefined ? `"${kind}" is nothing this test knows` : check(JSON.parse(text));
  return complaint === undefined ? [] : [`${where}: ${complaint}`];
};

test('every event that a document shows is one that the base takes or sends', () => {
  // An access list is no event; the test of the configuration looks at it, and that of the page at those of the connector.
  const events = blocks('json').filter(({ kind }) => !/^$|^access-list$|^connector-/.test(kind));
  expect(new Set(events.map(({ kind }) => kind))).toEqual(new Set(Object.keys(checks)));
  expect(events.flatMap(complaintOf)).toEqual([]);
});

test('the table of outcomes has each, and no other', () => {
  const documented = tableRows('docs/commands-and-outcomes.md', 'The outcome')
    .map(([first]) => codeIn(first))
    .filter((name) => name !== undefined);
  expect(documented.sort()).toEqual([...outcomeKinds].sort());
});
