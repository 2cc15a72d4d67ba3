import { z } from 'zod';
import {
  backupSchema,
  commandParams,
  commandSchema,
  commandStatusSchema,
  deadLetterSchema,
  deadQuery,
  deadSchema,
  definitionSchema,
  endpointParams,
  eventsHeaders,
  eventsQuery,
  healthSchema,
  historyQuery,
  historySchema,
  logsQuery,
  logsSchema,
  outboxesSchema,
  outboxSchema,
  outcomeSchema,
  problemSchema,
  queryOutcomeSchema,
  querySchema,
  replayedSchema,
  replaySchema,
  unitParams,
  unitSchema,
  unitsQuery,
  unitsSchema,
} from './api-schemas.js';
import type { ConnectorDocument } from './connector/connector-openapi.js';
import { adoptSchema, allDiscoveredSchema, discoveredParams, discoveredSchema } from './discovery-schemas.js';
import {
  elfinDeviceSchema,
  elfinDevicesQuery,
  elfinDevicesSchema,
  elfinTunnelSchema,
  elfinTunnelsSchema,
  elfinUserInput,
  elfinUserParams,
  elfinUserSchema,
  elfinUsersSchema,
} from './elfin-schemas.js';
import { PROBLEM_TYPE } from './problem.js';
import { connectionSchema, connectionsQuery, connectionsSchema, statusSchema } from './status-schemas.js';

/** The documented side of each route. Requests are checked with the same zod schemas, in the routes. */

type JsonSchema = Readonly<Record<string, unknown>>;

const jsonSchema = (schema: z.ZodType, io: 'input' | 'output' = 'output'): JsonSchema => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
};

const propertiesOf = (schema: z.ZodType): JsonSchema => jsonSchema(schema).properties as JsonSchema;

/** Shared, under `components.schemas`. */
export const components: readonly JsonSchema[] = [
  { $id: 'Problem', ...jsonSchema(problemSchema) },
  { $id: 'Unit', ...jsonSchema(unitSchema) },
  { $id: 'Definition', ...jsonSchema(definitionSchema) },
  { $id: 'Command', ...jsonSchema(commandSchema, 'input') },
  { $id: 'Query', ...jsonSchema(querySchema, 'input') },
  { $id: 'Outcome', ...jsonSchema(outcomeSchema) },
  { $id: 'QueryOutcome', ...jsonSchema(queryOutcomeSchema) },
  { $id: 'CommandStatus', ...jsonSchema(commandStatusSchema) },
  { $id: 'History', ...jsonSchema(historySchema) },
  { $id: 'Logs', ...jsonSchema(logsSchema) },
  { $id: 'Connection', ...jsonSchema(connectionSchema) },
  { $id: 'Status', ...jsonSchema(statusSchema) },
  { $id: 'Outbox', ...jsonSchema(outboxSchema) },
  { $id: 'DeadLetter', ...jsonSchema(deadLetterSchema) },
  { $id: 'Replay', ...jsonSchema(replaySchema, 'input') },
  { $id: 'ElfinUser', ...jsonSchema(elfinUserSchema) },
  { $id: 'ElfinUserInput', ...jsonSchema(elfinUserInput, 'input') },
  { $id: 'ElfinDevice', ...jsonSchema(elfinDeviceSchema) },
  { $id: 'ElfinTunnel', ...jsonSchema(elfinTunnelSchema) },
  { $id: 'Discovered', ...jsonSchema(discoveredSchema) },
  { $id: 'Adopt', ...jsonSchema(adoptSchema, 'input') },
];

const problems = {
  400: 'The request cannot be understood; `detail` names the fault',
  401: 'There is no token, or not the right one',
  403: 'The Host header names another machine',
  404: 'There is no such unit, command, receiver, user or route; `detail` names those that there are',
  413: 'The body is longer than 64 KiB',
  415: 'The body is not application/json',
  429: 'Too many requests, or too many event streams, of one token; try again after `Retry-After` seconds',
  431: 'More than 50 headers, or more than 8 KiB of them',
  500: "An error of the base's own; its log has it",
  503: 'The base is stopping, its store fails, or all its event streams are taken; `type` says which',
} as const;

const refused = (status: keyof typeof problems): [number, JsonSchema] => [
  status,
  {
    description: problems[status],
    content: { [PROBLEM_TYPE]: { schema: { $ref: 'Problem#' } } },
    ...(status === 429
      ? { headers: { 'retry-after': { type: 'integer', description: 'Seconds to wait' } } }
      : status === 401
        ? { headers: { 'www-authenticate': { type: 'string' } } }
        : {}),
  },
];

/** Every route can be refused so, `/healthz` only the first way. */
const everywhere = [403, 431] as const;
const withToken = [401, 429, 500, 503] as const;

const refusals = (others: readonly (keyof typeof problems)[]): [number, JsonSchema][] =>
  [...everywhere, ...withToken, ...others].map(refused);

const responses = (ok: JsonSchema, ...others: readonly (keyof typeof problems)[]): JsonSchema =>
  Object.fromEntries([[200, ok], ...refusals(others)]);

const unit = { params: jsonSchema(unitParams) };
const endpoint = { params: jsonSchema(endpointParams) };
const elfinUser = { params: jsonSchema(elfinUserParams) };
const NO_DISCOVERY = '404 where the base does not look for units.';
const NO_GATEWAY = '404 where the base is no Elfin gateway.';

/** An object with one list of such things. */
const listOf = (name: string, item: string, schema: z.ZodObject): JsonSchema => {
  const { items: _, ...rest } = propertiesOf(schema)[name] as JsonSchema;
  const properties = { [name]: { ...rest, items: { $ref: `${item}#` } } };
  return { ...jsonSchema(z.object({ [name]: z.unknown() })), properties };
};

export const routeDocs = {
  healthz: {
    operationId: 'health',
    summary: 'Whether the base runs',
    description: 'Needs no token.',
    tags: ['base'],
    security: [],
    response: {
      200: { description: 'It runs', ...jsonSchema(healthSchema) },
      503: { description: 'It is stopping', ...jsonSchema(healthSchema) },
      ...Object.fromEntries(everywhere.map(refused)),
    },
  },
  units: {
    operationId: 'listUnits',
    summary: 'All units, with their state and last reports',
    description: 'All at once, or by pages: with `limit` or `after`, in the order of UIDs.',
    tags: ['units'],
    querystring: jsonSchema(unitsQuery, 'input'),
    response: responses(
      {
        description: 'The units',
        ...jsonSchema(unitsSchema.extend({ units: z.array(z.unknown()) })),
        properties: { ...propertiesOf(unitsSchema), units: { type: 'array', items: { $ref: 'Unit#' } } },
      },
      400,
    ),
  },
  unit: {
    operationId: 'getUnit',
    summary: 'One unit, with its state and last reports',
    tags: ['units'],
    ...unit,
    response: responses({ description: 'The unit', $ref: 'Unit#' }, 404),
  },
  definition: {
    operationId: 'getDefinition',
    summary: 'What a unit reports and can be told: messages, fields, ranges, defaults',
    tags: ['units'],
    ...unit,
    response: responses({ description: 'The definition the base believes it runs', $ref: 'Definition#' }, 404),
  },
  commands: {
    operationId: 'sendCommand',
    summary: 'Tell a unit to do something, and learn how it ended',
    description:
      'Answers when the command has its outcome, with status 200 whatever the outcome is. 503 `stopping` says that the base keeps the command and goes on with it when it runs again.',
    tags: ['units'],
    ...unit,
    body: { $ref: 'Command#' },
    response: responses({ description: 'How it ended', $ref: 'Outcome#' }, 400, 404, 413, 415),
  },
  queries: {
    operationId: 'sendQuery',
    summary: 'Ask a unit something',
    description:
      'A unit without a definition is sent the payload as a query, and its answer is in the outcome. Of a unit with one, `reply` has the last values that the base knows, and the unit is not disturbed. Otherwise as a command.',
    tags: ['units'],
    ...unit,
    body: { $ref: 'Query#' },
    response: responses({ description: 'How it ended', $ref: 'QueryOutcome#' }, 400, 404, 413, 415),
  },
  command: {
    operationId: 'getCommand',
    summary: 'How a command stands, also after the base was started anew',
    description:
      'A command is known until it has its outcome; outcomes are known for 10 minutes, the last 256 of a unit.',
    tags: ['units'],
    params: jsonSchema(commandParams),
    response: responses({ description: 'Its outcome, or that it waits', $ref: 'CommandStatus#' }, 404),
  },
  logs: {
    operationId: 'getLogs',
    summary: 'The last lines that a unit wrote to its own log',
    description:
      'At most 200 of a unit and 4 MiB of all, since the base started: they are not on disk. More than 5 lines a second of one unit, behind the first 100, are left out.',
    tags: ['units'],
    ...unit,
    querystring: jsonSchema(logsQuery, 'input'),
    response: responses({ description: 'The lines', $ref: 'Logs#' }, 400, 404),
  },
  history: {
    operationId: 'getHistory',
    summary: 'The course of one report, in columns as chart libraries take them',
    description:
      '`auto` takes the finest of `raw`, `minute` and `hour` that has something in that time, all of it within `limit`; where none has, the coarsest that has something. A report without numbers and truth values is always `raw`. The answer says which it is.',
    tags: ['units'],
    ...unit,
    querystring: jsonSchema(historyQuery),
    response: responses({ description: 'The course', $ref: 'History#' }, 400, 404),
  },
  forget: {
    operationId: 'forgetUnit',
    summary: 'Erase everything that is stored about a unit, from backups too',
    description:
      'Also of a unit that is not configured any more. One that was adopted is none of this base from then on. One that is configured goes on to be served, and what it reports from then on is stored.',
    tags: ['units'],
    ...unit,
    response: Object.fromEntries([
      [204, { description: 'Nothing is left of it', type: 'null' }],
      ...refusals([400]),
    ]) as JsonSchema,
  },
  discovered: {
    operationId: 'listDiscovered',
    summary: 'Units that announce themselves by mDNS at this moment',
    description: `Nothing of it is proved. ${NO_DISCOVERY}`,
    tags: ['units'],
    response: responses({ description: 'The units', ...listOf('units', 'Discovered', allDiscoveredSchema) }, 404),
  },
  adopt: {
    operationId: 'adoptUnit',
    summary: 'Make a unit that announces itself one of this base, over restarts',
    description: `Answers when it is on disk. \`DELETE /units/{unit}\` takes it away again. 400 says what keeps it from being adopted. ${NO_DISCOVERY}`,
    tags: ['units'],
    params: jsonSchema(discoveredParams),
    body: { $ref: 'Adopt#' },
    response: responses({ description: 'The unit', $ref: 'Unit#' }, 400, 404, 413, 415),
  },
  connections: {
    operationId: 'listConnections',
    summary: 'Who is connected, over all handlers',
    tags: ['base'],
    querystring: jsonSchema(connectionsQuery),
    response: responses(
      {
        description: 'Connections',
        ...jsonSchema(connectionsSchema.extend({ connections: z.array(z.unknown()) })),
        properties: {
          ...propertiesOf(connectionsSchema),
          connections: { type: 'array', items: { $ref: 'Connection#' } },
        },
      },
      400,
    ),
  },
  status: {
    operationId: 'getStatus',
    summary: 'How the base is doing: its life, connections, memory, handlers',
    tags: ['base'],
    response: responses({ description: 'How it is doing', $ref: 'Status#' }),
  },
  metrics: {
    operationId: 'getMetrics',
    summary: 'Figures for Prometheus',
    tags: ['base'],
    response: responses({
      description: "Prometheus's exposition format 0.0.4",
      content: { 'text/plain': { schema: { type: 'string' } } },
    }),
  },
  outbox: {
    operationId: 'listReceivers',
    summary: 'All receivers of what happens, and how it stands with each',
    tags: ['outbox'],
    response: responses({
      description: 'The receivers',
      ...jsonSchema(outboxesSchema.extend({ endpoints: z.array(z.unknown()) })),
      properties: { endpoints: { type: 'array', items: { $ref: 'Outbox#' } } },
    }),
  },
  dead: {
    operationId: 'listDeadLetters',
    summary: 'What could not be delivered to a receiver, the oldest first',
    tags: ['outbox'],
    ...endpoint,
    querystring: jsonSchema(deadQuery),
    response: responses(
      {
        description: 'Dead letters',
        ...jsonSchema(deadSchema.extend({ dead: z.array(z.unknown()) })),
        properties: { ...propertiesOf(deadSchema), dead: { type: 'array', items: { $ref: 'DeadLetter#' } } },
      },
      400,
      404,
    ),
  },
  replay: {
    operationId: 'replayDeadLetters',
    summary: 'Send dead letters again',
    description: 'At most 10 000 at once.',
    tags: ['outbox'],
    ...endpoint,
    body: { $ref: 'Replay#' },
    response: responses({ description: 'How many', ...jsonSchema(replayedSchema) }, 400, 404, 413, 415),
  },
  enable: {
    operationId: 'enableReceiver',
    summary: 'Tell a receiver again what happens, after it was disabled',
    tags: ['outbox'],
    ...endpoint,
    response: responses({ description: 'How it stands with it', $ref: 'Outbox#' }, 404),
  },
  elfinUsers: {
    operationId: 'listElfinUsers',
    summary: 'The users of the Elfin gateway',
    description: NO_GATEWAY,
    tags: ['elfin'],
    response: responses({ description: 'The users', ...listOf('users', 'ElfinUser', elfinUsersSchema) }, 404),
  },
  putElfinUser: {
    operationId: 'putElfinUser',
    summary: 'Add a user, or change one',
    description: `What is left out stays as it is. A new secret holds at once: messages with the old one, or with none, count for nothing any more. ${NO_GATEWAY}`,
    tags: ['elfin'],
    ...elfinUser,
    body: { $ref: 'ElfinUserInput#' },
    response: responses({ description: 'The user', $ref: 'ElfinUser#' }, 400, 404, 413, 415),
  },
  removeElfinUser: {
    operationId: 'removeElfinUser',
    summary: 'Remove a user, with its devices and its tunnels',
    tags: ['elfin'],
    ...elfinUser,
    response: Object.fromEntries([
      [204, { description: 'It is gone', type: 'null' }],
      ...refusals([404]),
    ]) as JsonSchema,
  },
  elfinDevices: {
    operationId: 'listElfinDevices',
    summary: 'The devices of the Elfin gateway, those that are away too',
    description: NO_GATEWAY,
    tags: ['elfin'],
    querystring: jsonSchema(elfinDevicesQuery, 'input'),
    response: responses({ description: 'Devices', ...listOf('devices', 'ElfinDevice', elfinDevicesSchema) }, 400, 404),
  },
  elfinTunnels: {
    operationId: 'listElfinTunnels',
    summary: 'Who talks to whom through the Elfin gateway',
    description: NO_GATEWAY,
    tags: ['elfin'],
    response: responses({ description: 'Tunnels', ...listOf('tunnels', 'ElfinTunnel', elfinTunnelsSchema) }, 404),
  },
  backups: {
    operationId: 'makeBackup',
    summary: 'Copy the store into the folder of backups',
    description: "One a day is made without asking; one more of the same day replaces the day's. 7 are kept.",
    tags: ['base'],
    response: responses({ description: 'Where the copy is', ...jsonSchema(backupSchema) }),
  },
  events: {
    operationId: 'streamEvents',
    summary: 'Reports, outcomes, presence, requests of units and log lines as they come, as Server-Sent Events',
    description:
      'Each event has `event:` (its kind), `id:` (increasing) and `data:` (JSON). With `Last-Event-ID` those of the last 1 000 events that you missed are sent first; `event: gap` with `{"missed": number | null}` says how many are gone (null: nobody knows, the base was started anew). An event of more than 16 KiB comes without its `payload`. A comment comes every 20 s.',
    tags: ['events'],
    querystring: jsonSchema(eventsQuery, 'input'),
    headers: jsonSchema(eventsHeaders, 'input'),
    response: responses(
      {
        description: 'Events, until either side ends it',
        content: { 'text/event-stream': { schema: { type: 'string' } } },
      },
      400,
      404,
    ),
  },
  openapi: {
    operationId: 'getOpenApi',
    summary: 'This description',
    tags: ['base'],
    response: responses({ description: 'OpenAPI 3.1', type: 'object', additionalProperties: true }),
  },
};

/** Options of `@fastify/swagger`. */
export function swaggerOptions(name: string, version: string) {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: `baseunit: ${name}`,
        description: 'Units, commands, history, live events, connections and receivers of one base.',
        version,
      },
      tags: [
        { name: 'units', description: 'Devices, and what they can be told' },
        { name: 'events', description: 'What happens, as it happens' },
        { name: 'outbox', description: 'Who is told what happens, and what could not be delivered' },
        { name: 'elfin', description: 'Users, devices and tunnels of the Elfin gateway' },
        { name: 'base', description: 'The base itself' },
      ],
      components: {
        securitySchemes: {
          token: {
            type: 'http' as const,
            scheme: 'bearer',
            description: "In the file api-token in the base's state folder",
          },
        },
      },
      security: [{ token: [] }],
    },
    refResolver: {
      buildLocalReference: ({ $id }: { readonly $id?: unknown }, _base: unknown, _fragment: unknown, index: number) =>
        typeof $id === 'string' ? $id : `Schema${index}`,
    },
  };
}

/** What of a document another one is put into. */
interface Document {
  readonly paths?: object;
  readonly tags?: readonly object[];
  readonly components?: { readonly securitySchemes?: object };
}

/** The document with the routes of the connector's API in it, which are on a server of their own. */
export function withConnector(document: Document, connector: ConnectorDocument | undefined): Document {
  if (connector === undefined) return document;
  const { paths, tags = [], components } = document;
  const securitySchemes = { ...components?.securitySchemes, ...connector.securitySchemes };
  return {
    ...document,
    tags: [...tags, ...connector.tags],
    components: { ...components, securitySchemes },
    paths: { ...paths, ...connector.paths },
  };
}
