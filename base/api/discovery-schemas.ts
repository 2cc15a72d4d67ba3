import { z } from 'zod';
import { KEY_OCTETS } from '../../protocol/iotsocket/uid.js';
import { announcedKeys } from '../discovery/discovery-port.js';
import { unitParams } from './api-schemas.js';

/** What `/discovered…` takes and answers. */

export const discoveredParams = unitParams;

const KEY = `must be ${2 * KEY_OCTETS} hexadecimal digits`;

export const adoptSchema = z.strictObject({
  key: z
    .string({ error: KEY })
    .regex(new RegExp(`^[0-9a-fA-F]{${2 * KEY_OCTETS}}$`), { error: KEY })
    .optional()
    .meta({ description: "The unit's key, 32 hexadecimal digits. Absent: it is a line unit" }),
});

export const discoveredSchema = z.object({
  unit: z.string().meta({ description: 'The UID' }),
  definition: z.string().meta({ description: 'That it says it runs' }),
  version: z.string(),
  fingerprint: z.string().meta({ description: '16 hexadecimal digits' }),
  mac: z.string().optional(),
  board: z.string().optional(),
  address: z.string().meta({ description: '`host:port`, the first to be dialled' }),
  host: z.string().meta({ description: 'As `lamp.local`' }),
  key: z.enum(announcedKeys).meta({
    description:
      '`none`: it has none yet. `line`: a line unit, which needs none. `ours`, `other`: of a known unit, whether it has the key that is configured. `unknown`: it has one, and the base has none to compare',
  }),
  isKnown: z.boolean().meta({ description: 'It is a unit of this base' }),
  hasDefinition: z.boolean().meta({ description: 'The base has a definition of that name' }),
  isSame: z.boolean().meta({ description: 'And its fingerprint is the same' }),
  notes: z.array(z.string()).meta({ description: 'What is odd about it' }),
});

export const allDiscoveredSchema = z.object({
  units: z.array(discoveredSchema).meta({ description: 'By UID, at most 1 024' }),
});
