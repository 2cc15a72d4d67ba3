import { defaultElfinLimits, type ElfinLimits } from '../dialects/elfin/elfin-limits.js';
import { type LimitsField, limitsField, withDefaults } from './limits-fields.js';

const KIB = 1_024;
const GIB = KIB * KIB * KIB;
const MIN_MS = 60_000;
const HOUR_MS = 60 * MIN_MS;
/** A bound on a rate or a count that bounds nothing any more. */
const MANY = 1_000_000;
/** The longest message without its payload, with a uuid and a secret of 64 characters each, has less. */
const LEAST_CONTROL = 256;
/** It is noted with its device, and a record has 4 KiB. */
const MOST_HOST = 256;
/** One read brings 64 KiB, which go into the tunnel before its sender can be slowed down. */
const LEAST_UNSENT = 128 * KIB;

type Name = keyof ElfinLimits;

/** The least and the most that each may be. */
export const elfinLimitRanges: Readonly<Record<Name, readonly [min: number, max: number]>> = {
  users: [1, MANY],
  devices: [1, MANY],
  devicesPerUser: [1, MANY],
  controlOctets: [LEAST_CONTROL, 64 * KIB],
  hostCharacters: [1, MOST_HOST],
  messagesPerS: [1, MANY],
  messageBurst: [1, MANY],
  connections: [1, MANY],
  unproved: [1, MANY],
  unprovedPerAddress: [1, MANY],
  proveMs: [1_000, 24 * HOUR_MS],
  loginFailures: [1, MANY],
  onlineMs: [1_000, 24 * HOUR_MS],
  recordEveryMs: [1_000, HOUR_MS],
  unsentOctets: [LEAST_UNSENT, GIB],
  stalledMs: [1_000, 10 * MIN_MS],
};

const field: LimitsField<Name> = {
  defaults: defaultElfinLimits,
  ranges: elfinLimitRanges,
  ordered: [
    ['devicesPerUser', 'devices'],
    ['unprovedPerAddress', 'unproved'],
  ],
};

let made: ReturnType<typeof limitsField<Name>> | undefined;

/** `elfin.limits`. The same for all files: to make it takes longer than to check one. */
export function elfinLimitsSection() {
  made ??= limitsField(field);
  return made;
}

/** With the defaults for what a checked section leaves out. */
export const elfinLimitsOf = (given: { readonly [N in Name]?: number | undefined }): ElfinLimits =>
  withDefaults(defaultElfinLimits, given);
