import type { z } from 'zod';
import { type ConnectorApiLimits, defaultConnectorApiLimits } from '../api/connector/connector-api-limits.js';
import { MAX_UID_CHARACTERS } from '../core/unit-uid.js';
import { type ConnectorLimits, defaultConnectorLimits } from '../dialects/connector/connector-limits.js';
import { type LimitsField, limitsField, withDefaults } from './limits-fields.js';
import { always } from './schema-fields.js';

const KIB = 1_024;
const MIB = KIB * KIB;
const GIB = KIB * MIB;
const MIN_MS = 60_000;
const HOUR_MS = 60 * MIN_MS;
/** A bound on a rate or a count that bounds nothing any more. */
const MANY = 1_000_000;
/** A command goes out only while no more than `unsentPauseOctets` are unsent; it must fit between the two. */
const LEAST_BETWEEN = 64 * KIB;
/** A command has 64 KiB; in JSON each of its octets may be written with six. */
const MOST_BODY = 512 * KIB;
/** A browser sends more headers than a device does. */
const LEAST_HEADERS = 16;

/** What the API's limits are called in the file, where devices have limits too. */
const httpNames = {
  httpHeadersTimeoutMs: 'headersTimeoutMs',
  httpRequestTimeoutMs: 'requestTimeoutMs',
  httpBodyOctets: 'bodyOctets',
  httpSockets: 'sockets',
  httpRequestsPerS: 'requestsPerS',
  httpRequestBurst: 'requestBurst',
  httpLoginFailures: 'loginFailures',
  httpStreams: 'streams',
  httpStreamsPerToken: 'streamsPerToken',
  httpStreamBufferOctets: 'streamBufferOctets',
} as const satisfies Record<string, keyof ConnectorApiLimits>;
type HttpName = keyof typeof httpNames;

/** Those that hold for both servers. */
const sharedNames = ['headerOctets', 'headers', 'tlsHandshakeMs'] as const satisfies (keyof ConnectorLimits &
  keyof ConnectorApiLimits)[];

type Name = keyof ConnectorLimits | HttpName;

/** The least and the most that each may be. */
export const connectorLimitRanges: Readonly<Record<Name, readonly [min: number, max: number]>> = {
  sessions: [1, MANY],
  units: [1, MANY],
  idCharacters: [1, MAX_UID_CHARACTERS],
  textCharacters: [1, 1_024],
  headerOctets: [KIB, 64 * KIB],
  headers: [LEAST_HEADERS, 1_000],
  upgradeMs: [100, 5 * MIN_MS],
  tlsHandshakeMs: [100, 5 * MIN_MS],
  authenticateMs: [100, MIN_MS],
  unproved: [1, MANY],
  unprovedPerAddress: [1, MANY],
  loginFailures: [1, MANY],
  connectionsPerMinute: [1, MANY],
  messageOctets: [128, 64 * KIB],
  messagesPerS: [1, MANY],
  messageBurst: [1, MANY],
  reportsAtOnce: [1, 10_000],
  commandsAtOnce: [1, 1_000],
  pingAfterMs: [1_000, 12 * HOUR_MS],
  deadAfterMs: [2_000, 24 * HOUR_MS],
  unsentPauseOctets: [KIB, GIB],
  unsentOctets: [LEAST_BETWEEN + KIB, GIB + LEAST_BETWEEN],
  stalledMs: [1_000, 10 * MIN_MS],
  httpHeadersTimeoutMs: [100, 5 * MIN_MS],
  httpRequestTimeoutMs: [100, 10 * MIN_MS],
  httpBodyOctets: [KIB, MOST_BODY],
  httpSockets: [1, 100_000],
  httpRequestsPerS: [1, MANY],
  httpRequestBurst: [1, MANY],
  httpLoginFailures: [1, MANY],
  httpStreams: [1, 100_000],
  httpStreamsPerToken: [1, 100_000],
  httpStreamBufferOctets: [4 * KIB, 64 * MIB],
};

const httpDefaults = Object.fromEntries(
  Object.entries(httpNames).map(([name, inApi]) => [name, defaultConnectorApiLimits[inApi]]),
) as Record<HttpName, number>;

/** By the names of the file. */
export const defaultConnectorFileLimits: Readonly<Record<Name, number>> = {
  ...defaultConnectorLimits,
  ...httpDefaults,
};

const field: LimitsField<Name> = {
  defaults: defaultConnectorFileLimits,
  ranges: connectorLimitRanges,
  ordered: [
    ['sessions', 'units'],
    ['unprovedPerAddress', 'unproved'],
    ['httpHeadersTimeoutMs', 'httpRequestTimeoutMs'],
    ['httpStreamsPerToken', 'httpStreams'],
  ],
};

let made: ReturnType<typeof makeSection> | undefined;

/** `connector.limits`. The same for all files: to make it takes longer than to check one. */
export function connectorLimitsSection() {
  made ??= makeSection();
  return made;
}

function makeSection() {
  return limitsField(field).superRefine((given, context) => {
    const { pingAfterMs, deadAfterMs, unsentPauseOctets, unsentOctets } = withDefaults(
      defaultConnectorFileLimits,
      given,
    );
    const say = (path: Name, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    // One of another type was refused already.
    const areNumbers = (...values: unknown[]): boolean => values.every((value) => typeof value === 'number');
    if (areNumbers(pingAfterMs, deadAfterMs) && deadAfterMs <= pingAfterMs) {
      say('deadAfterMs', `must be more than pingAfterMs, which is ${pingAfterMs}; it is ${deadAfterMs}`);
    }
    if (areNumbers(unsentOctets, unsentPauseOctets) && unsentOctets - unsentPauseOctets < LEAST_BETWEEN) {
      const pause = `unsentPauseOctets, which is ${unsentPauseOctets}`;
      say('unsentOctets', `must be at least ${LEAST_BETWEEN} more than ${pause}; it is ${unsentOctets}`);
    }
  }, always);
}

type Given = z.output<ReturnType<typeof connectorLimitsSection>>;

/** Of devices, with the defaults for what a checked section leaves out. */
export function deviceLimitsOf(given: Given): ConnectorLimits {
  const all = withDefaults(defaultConnectorFileLimits, given);
  const names = Object.keys(defaultConnectorLimits) as (keyof ConnectorLimits)[];
  return { ...defaultConnectorLimits, ...Object.fromEntries(names.map((name) => [name, all[name]])) };
}

/** Of the API. */
export function apiLimitsOf(given: Given): ConnectorApiLimits {
  const all = withDefaults(defaultConnectorFileLimits, given);
  return {
    ...defaultConnectorApiLimits,
    ...Object.fromEntries(sharedNames.map((name) => [name, all[name]])),
    ...Object.fromEntries(Object.entries(httpNames).map(([name, inApi]) => [inApi, all[name as HttpName]])),
  };
}
