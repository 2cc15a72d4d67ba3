import { z } from 'zod';
import { isUserSecret, isUserUuid, SECRET_RULE, UUID_RULE } from '../../protocol/elfin/account.js';
import { MAX_NAME_CHARACTERS } from '../dialects/elfin/elfin-port.js';
import { unixMs } from './api-schemas.js';

/** What `/elfin…` takes and answers. */

const uuid = z.string().refine(isUserUuid, { error: `is no user: a uuid ${UUID_RULE}` });

export const elfinUserParams = z.object({ uuid: uuid.meta({ description: 'The user' }) });

const changes = {
  name: z
    .string({ error: 'must be a text' })
    .max(MAX_NAME_CHARACTERS, { error: `has more than ${MAX_NAME_CHARACTERS} characters` })
    .regex(/^\P{Cc}*$/u, { error: 'has control characters' })
    .optional()
    .meta({ description: 'For people. Absent: it stays as it is' }),
  secret: z
    .string({ error: 'must be a text, or null' })
    .refine(isUserSecret, { error: `is none: a secret ${SECRET_RULE}` })
    .nullable()
    .optional()
    .meta({ description: 'Every message of the user must carry it. `null`: none. Absent: it stays as it is' }),
};

export const elfinUserInput = z.strictObject(changes);

export const elfinUserSchema = z.object({
  uuid: z.string(),
  name: z.string().optional(),
  hasSecret: z.boolean(),
  devices: z.int().meta({ description: 'How many it has' }),
});

export const elfinUsersSchema = z.object({ users: z.array(elfinUserSchema).meta({ description: 'By uuid' }) });

export const elfinDevicesQuery = z.strictObject({
  user: uuid.optional().meta({ description: 'Devices of this user only' }),
});

export const elfinDeviceSchema = z.object({
  unit: z.string().meta({ description: 'UID of its unit: its MAC in capitals with colons' }),
  mac: z.string().meta({ description: 'As the device writes it' }),
  user: z.string(),
  host: z.string().meta({ description: 'What the device calls itself' }),
  lastSeenAt: unixMs,
  isOnline: z.boolean().meta({ description: 'Seen within the last 60 s' }),
});

export const elfinDevicesSchema = z.object({
  devices: z.array(elfinDeviceSchema).meta({ description: 'Unseen longest last' }),
});

const end = z.object({
  unit: z
    .string()
    .optional()
    .meta({ description: 'UID of the device; absent: the connection that asked for the tunnel' }),
  remoteAddress: z.string(),
  octets: z.int().meta({ description: 'That it has sent into the tunnel' }),
  messages: z.int().meta({ description: 'The same' }),
});

export const elfinTunnelSchema = z.object({
  user: z.string(),
  ends: z.tuple([end, end]),
  openedAt: unixMs,
});

export const elfinTunnelsSchema = z.object({ tunnels: z.array(elfinTunnelSchema) });
