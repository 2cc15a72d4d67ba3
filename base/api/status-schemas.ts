import { z } from 'zod';
import { baseStates } from '../core/status.js';
import { DEFAULT_PAGE, MAX_PAGE, unixMs, whole } from './api-schemas.js';

/** What `/status` and `/connections` answer, and what may be asked of them. */

export const connectionSchema = z.object({
  id: z.string().meta({ description: 'A UUID' }),
  unit: z.string().meta({ description: 'UID of the unit that it leads to' }),
  handler: z.string().meta({ description: 'Name of the handler that serves it' }),
  name: z.string().optional().meta({ description: 'What the peer says of itself, as the next two' }),
  type: z.string().optional(),
  userAgent: z.string().optional(),
  remoteAddress: z.string(),
  createdAt: unixMs,
  lastReceivedAt: unixMs.optional(),
  lastSentAt: unixMs.optional(),
  receivedMessages: z.int(),
  receivedPerSecond: z.number().meta({ description: 'Over the last ten seconds' }),
  sentMessages: z.int(),
  sentPerSecond: z.number().meta({ description: 'Over the last ten seconds' }),
  bufferedOctets: z.int().meta({ description: 'Written and not yet taken by the operating system' }),
});

export const connectionsSchema = z.object({
  connections: z.array(connectionSchema).meta({ description: 'In the order in which they were opened' }),
  next: z.int().optional().meta({ description: '`after` of the next page, when there are more' }),
});

export const connectionsQuery = z.strictObject({
  unit: z.string().min(1).optional().meta({ description: 'Connections of this unit only' }),
  limit: whole(1, MAX_PAGE)
    .optional()
    .meta({ description: `At most so many. Default: ${DEFAULT_PAGE}` }),
  after: whole(0, Number.MAX_SAFE_INTEGER).optional().meta({ description: '`next` of the page before' }),
});

const handlerSchema = z.object({
  name: z.string(),
  state: z.enum(['starting', 'running', 'ended', 'failed']).meta({
    description: '`ended`: it stopped listening by itself. `failed`: what it threw ended it',
  }),
  faults: z.int().meta({ description: 'What it threw that the base contained' }),
  lastFault: z.string().optional(),
  counts: z.record(z.string(), z.number()).meta({ description: 'What it counted of its own' }),
  gauges: z.record(z.string(), z.number()).meta({ description: 'What it has of its own, at this moment' }),
});

export const statusSchema = z.object({
  name: z.string(),
  version: z.string(),
  state: z.enum(baseStates),
  startedAt: unixMs,
  uptimeS: z.int(),
  connections: z.int().meta({ description: 'That are open' }),
  totals: z
    .object({
      established: z.int(),
      receivedMessages: z.int(),
      receivedPerSecond: z.number(),
      sentMessages: z.int(),
      sentPerSecond: z.number(),
    })
    .meta({
      description: 'Over all connections since the start, closed ones too; what is per second over the last ten',
    }),
  commandsWaiting: z.int().meta({ description: 'Without an outcome, over all units' }),
  queriesWaiting: z.int(),
  activeHandles: z.int().meta({ description: 'What the process waits for: sockets, timers, files' }),
  memory: z.object({
    systemMiB: z.number().meta({ description: 'Of the process, resident' }),
    allocatedMiB: z.number().meta({ description: "Taken for JavaScript's heap and what lies beside it" }),
    heapAllocatedMiB: z.number().meta({ description: "Of JavaScript's heap, used" }),
  }),
  sseSubscribers: z.int().meta({ description: 'Clients of event streams, over all HTTP servers of the base' }),
  handlers: z.array(handlerSchema),
  subscriberFaults: z.int().meta({ description: 'What subscribers of topics threw' }),
  statisticsFaults: z.int().meta({ description: 'What the storage of connection statistics threw' }),
});
