import { z } from 'zod';
import { baseStates } from '../../core/status.js';
import type { HttpAuthentication } from '../../links/http-authentication.js';
import { type DeviceMetrics, deviceUnits, type StatusMetrics, statusUnits } from './status-metrics.js';

/** The documented side of each route of the connector's API, for the base's one OpenAPI document. */

type JsonSchema = Readonly<Record<string, unknown>>;

const jsonSchema = (schema: z.ZodType): JsonSchema => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'output' });
  return rest;
};

const json = (description: string, schema: z.ZodType): JsonSchema => ({
  description,
  content: { 'application/json': { schema: jsonSchema(schema) } },
});

const count = z.int().min(0);
const perSecond = z.number().min(0).meta({ description: 'Over the last ten seconds' });
const unixSeconds = z.int().meta({ description: 'Unix time in seconds; 0: there was none' });

const traffic = {
  uptime: count,
  received_messages: count,
  received_messages_per_second: perSecond,
  sent_messages: count,
  sent_messages_per_second: perSecond,
} satisfies Record<keyof DeviceMetrics, z.ZodType>;

const statusMetricsSchema = z.object({
  server_current_state: z.enum(baseStates),
  connections: count,
  start_time: unixSeconds,
  ...traffic,
  commands_waiting: count,
  queries_waiting: count,
  go_routines: count.meta({ description: 'What the process waits for: sockets, timers, files' }),
  system_memory: count,
  allocated_memory: count,
  heap_allocated_memory: count,
  sse_subscribers: count,
} satisfies Record<keyof StatusMetrics, z.ZodType>);

const unitsOf = (units: Readonly<Record<string, string>>) =>
  z
    .object(Object.fromEntries(Object.entries(units).map(([metric, unit]) => [metric, z.literal(unit)])))
    .meta({ description: 'The unit of each; empty: it has none' });

const statusSchema = z.object({ metrics: statusMetricsSchema, units: unitsOf(statusUnits) });
const deviceSchema = z.object({ metrics: z.object(traffic), units: unitsOf(deviceUnits) });

const deviceRecordSchema = z.object({
  id: z.string().meta({ description: 'A UUID' }),
  device_id: z.string(),
  device_name: z.string(),
  device_type: z.string(),
  user_agent: z.string(),
  remote_address: z.string(),
  created_at: unixSeconds,
  last_received_message_ts: unixSeconds,
  last_sent_message_ts: unixSeconds,
  received_messages: count,
  sent_messages: count,
});
const devicesSchema = z.object({ devices: z.union([z.array(z.string()), z.array(deviceRecordSchema)]) });

const errorSchema = z.object({ error: z.string() });
const answeredSchema = z.object({
  response: z.string().meta({ description: "The payload of the device's answer, as text; binary in base64" }),
  errors: z.string().meta({ description: 'Why the device, or the base in its place, would not; empty: it did' }),
});
const notAnsweredSchema = z.object({ response: z.literal(''), error: z.string() });

const problems = {
  400: 'The request cannot be understood',
  401: 'There are no credentials, or not the right ones',
  403: 'The Host header names another machine, or the page is of an origin that is not allowed',
  429: 'Too many requests, wrong logins or event streams; try again after `Retry-After` seconds',
  431: 'More than 50 headers, or more than 8 KiB of them',
  500: "A fault of the base's own; its log has it",
  503: 'The base is stopping, or all its event streams are taken',
} as const;

const common = Object.fromEntries(
  Object.entries(problems).map(([status, description]) => [status, json(description, errorSchema)]),
);

const id = {
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string' },
  description: "The device's id: a UID",
};

const device = (operationId: string): JsonSchema => ({
  operationId,
  summary: 'What came and went over the connection of one device',
  tags: ['connector'],
  parameters: [id],
  responses: { 200: json('Its figures', deviceSchema), 404: json('It has no connection', errorSchema), ...common },
});

const ask = (asking: 'command' | 'query', summary: string): JsonSchema => ({
  operationId: `connector${asking === 'command' ? 'Command' : 'Query'}`,
  summary,
  description:
    'A unit without a definition gets the payload as it is. One with a definition takes `{"command": …, "fields": {…}}` as its payload, a line unit a line; a query of such a unit is answered with the last values of the report that the payload names, of all reports where it is empty.',
  tags: ['connector'],
  parameters: [id],
  requestBody: {
    description: 'Anything but JSON with a `payload` is the payload itself',
    content: {
      'application/json': { schema: jsonSchema(z.object({ payload: z.string() })) },
      'text/plain': { schema: { type: 'string' } },
    },
  },
  responses: {
    200: json('It answered', answeredSchema),
    404: json('There is no such device, or it cannot be reached', notAnsweredSchema),
    408: json('It did not answer in time', notAnsweredSchema),
    413: json('The body is longer than 64 KiB', errorSchema),
    ...common,
  },
});

/** Path items by path. */
export const connectorPaths = {
  '/cloud-connector/status': {
    get: {
      operationId: 'connectorStatus',
      summary: 'How the base is doing',
      tags: ['connector'],
      responses: { 200: json('Its figures, and their units', statusSchema), ...common },
    },
  },
  '/cloud-connector/status/stream': {
    get: {
      operationId: 'connectorStatusStream',
      summary: 'The same as Server-Sent Events, as it changes',
      description:
        '`event: system_status`, `data: {"metric": string, "value": string}`. First all metrics, then those that have changed, every 5 s unless it is configured otherwise. A comment comes every 20 s.',
      tags: ['connector'],
      responses: {
        200: { description: 'Events, until either side ends it', content: { 'text/event-stream': {} } },
        ...common,
      },
    },
  },
  '/devices': {
    get: {
      operationId: 'connectorDevices',
      summary: 'The ids of the devices that are connected now, or their connections',
      tags: ['connector'],
      parameters: [
        {
          name: 'details',
          in: 'query',
          schema: { enum: ['0', '1'] },
          description: '`1`: the records of their connections',
        },
      ],
      responses: { 200: json('The devices', devicesSchema), ...common },
    },
  },
  '/devices/{id}/show': { get: device('connectorDevice') },
  '/devices/status/{id}': { get: device('connectorDeviceStatus') },
  '/devices/command/{id}': { post: ask('command', 'Tell a device to do something, and wait for its answer') },
  '/devices/query/{id}': { post: ask('query', 'Ask a device something, and wait for its answer') },
} as const;

export type ConnectorPath = keyof typeof connectorPaths;

const schemes = {
  none: undefined,
  basic: { type: 'http', scheme: 'basic', description: 'User and password of `connector.auth`' },
  bearer: { type: 'http', scheme: 'bearer', description: 'Token of `connector.auth`' },
} as const;

/** Name of the security scheme of these routes in the whole document. */
const SCHEME = 'connector';

export interface ConnectorDocument {
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly securitySchemes: Readonly<Record<string, object>>;
  /** Path items by path, each with the server that it is on. */
  readonly paths: Readonly<Record<string, object>>;
}

/** What the base's OpenAPI document says of a connector's API that listens at `url`. */
export function connectorDocument(url: string, auth: HttpAuthentication['kind']): ConnectorDocument {
  const scheme = schemes[auth];
  const security = scheme === undefined ? [] : [{ [SCHEME]: [] }];
  const paths = Object.entries(connectorPaths).map(([path, item]) => {
    const operations = Object.entries(item).map(([method, operation]) => [method, { ...operation, security }]);
    return [path, { servers: [{ url }], ...Object.fromEntries(operations) }];
  });
  return {
    tags: [{ name: 'connector', description: 'The API of IoT Cloud Connector, on a port of its own' }],
    securitySchemes: scheme === undefined ? {} : { [SCHEME]: scheme },
    paths: Object.fromEntries(paths),
  };
}
