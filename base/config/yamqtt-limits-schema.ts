import { MAX_FLOW } from '../../protocol/yamqtt/records.js';
import { defaultYamqttLimits, type YamqttLimits } from '../dialects/yamqtt/yamqtt-limits.js';
import { type LimitsField, limitsField, withDefaults } from './limits-fields.js';

const KIB = 1_024;
const MIB = KIB * KIB;
const GIB = KIB * MIB;
const MIN_MS = 60_000;
/** A bound on a rate or a count that bounds nothing any more. */
const MANY = 1_000_000;
const MOST_COMMANDS = 10_000;
/** One write to a client, which cannot be shortened any more, has less (96 KiB). */
const LEAST_UNSENT = 128 * KIB;
/** Each time that half of it has come, all slow clients are looked at. */
const LEAST_UNSENT_IN_ALL = MIB;

type Name = keyof YamqttLimits;

/** The least and the most that each may be. */
export const yamqttLimitRanges: Readonly<Record<Name, readonly [min: number, max: number]>> = {
  clients: [1, MANY],
  silentClients: [1, MANY],
  silentClientsPerAddress: [1, MANY],
  subscriptionsPerClient: [1, MAX_FLOW],
  subscriptions: [1, 10 * MANY],
  unsentOctets: [LEAST_UNSENT, GIB],
  unsentOctetsInAll: [LEAST_UNSENT_IN_ALL, 16 * GIB],
  stalledMs: [1_000, 10 * MIN_MS],
  messageMs: [100, 10 * MIN_MS],
  commandsAtOnce: [1, MOST_COMMANDS],
  commandsPerClient: [1, MOST_COMMANDS],
  commandsPerS: [1, MANY],
  commandBurst: [1, MANY],
};

const field: LimitsField<Name> = {
  defaults: defaultYamqttLimits,
  ranges: yamqttLimitRanges,
  ordered: [
    ['silentClientsPerAddress', 'silentClients'],
    ['subscriptionsPerClient', 'subscriptions'],
    ['unsentOctets', 'unsentOctetsInAll'],
    ['commandsPerClient', 'commandsAtOnce'],
  ],
};

let made: ReturnType<typeof limitsField<Name>> | undefined;

/** `yamqtt.limits`. The same for all files: to make it takes longer than to check one. */
export function yamqttLimitsSection() {
  made ??= limitsField(field);
  return made;
}

/** With the defaults for what a checked section leaves out. */
export const yamqttLimitsOf = (given: { readonly [N in Name]?: number | undefined }): YamqttLimits =>
  withDefaults(defaultYamqttLimits, given);
