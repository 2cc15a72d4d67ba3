import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { UID_OCTETS } from '../../protocol/iotsocket/uid.js';
import type { CentralOptions, GroupOptions, IotsocketOptions } from '../dialects/iotsocket/iotsocket-options.js';
import { canonicalHost } from './address.js';
import { readablePath } from './credentials.js';
import { limitsOf, limitsSection } from './iotsocket-limits-schema.js';
import { certificatePair, certificates } from './pem-fields.js';
import { address, always, expected, flag, insecureUrl, key, section, text, url, whole } from './schema-fields.js';
import type { Secrets } from './secrets.js';

/** The original's ports; HTTPS on a port that needs no rights of root; WebSocket beside the sessions. */
export const DEFAULT_IOTSOCKET_PORT = 50_505;
const DEFAULT_IOTSOCKET_WEBSOCKET_PORT = 50_506;
const DEFAULT_IOTSOCKET_HTTP_PORT = 8_443;

/** Beside the configuration file, as the original has it. */
export const DEFAULT_ACCESS_LIST = 'acl.json';
/** wire/iotsocket.md, "Session keeping"; reference/limits.md: a day at most. */
export const DEFAULT_KEEP_SESSION_S = 60;
export const MAX_KEEP_SESSION_S = 86_400;
/** reference/limits.md, "Request". */
export const DEFAULT_REQUEST_TIMEOUT_S = 10;
export const MAX_REQUEST_TIMEOUT_S = 300;
/** reference/limits.md, "UDP". A day at most: who overheard a token may use it for so long. */
export const DEFAULT_TOKEN_LIFE_MIN = 15;
export const MAX_TOKEN_LIFE_MIN = 1_440;
/** reference/limits.md, "Heartbeat". */
const DEFAULT_PING_AFTER_S = 15;
const DEFAULT_DEAD_AFTER_S = 45;
const MAX_DEAD_AFTER_S = 86_400;
/** reference/limits.md, "HTTP" and "Webhook". */
export const DEFAULT_ANSWER_OCTETS = 512 * 1_024;
export const MAX_ANSWER_OCTETS = 64 * 1_024 * 1_024;
export const DEFAULT_ANSWER_WAIT_S = 15;
export const MAX_ANSWER_WAIT_S = 300;
/** A house has a few; each object of the access list names one. */
const MAX_GROUPS = 256;
const MAX_ABOVE_SESSIONS = 1_000_000;
const MAX_PATH_CHARACTERS = 4_096;

const SESSIONS_EXAMPLE = `"0.0.0.0:${DEFAULT_IOTSOCKET_PORT}"`;
const GROUP_EXAMPLE = '{ "telemetry": true }';

/** `iotsocket`. `folder` is that of the configuration file. */
export function iotsocketSection(secrets: Secrets, folder: string) {
  const shape = {
    tcp: address(DEFAULT_IOTSOCKET_PORT, SESSIONS_EXAMPLE).optional(),
    websocket: address(DEFAULT_IOTSOCKET_WEBSOCKET_PORT, `"0.0.0.0:${DEFAULT_IOTSOCKET_WEBSOCKET_PORT}"`).optional(),
    udp: address(DEFAULT_IOTSOCKET_PORT, SESSIONS_EXAMPLE).optional(),
    http: address(DEFAULT_IOTSOCKET_HTTP_PORT, `"0.0.0.0:${DEFAULT_IOTSOCKET_HTTP_PORT}"`).optional(),
    tls: certificatePair(secrets).optional(),
    keepSessionS: whole(0, MAX_KEEP_SESSION_S, DEFAULT_KEEP_SESSION_S).optional(),
    requestTimeoutS: whole(1, MAX_REQUEST_TIMEOUT_S, DEFAULT_REQUEST_TIMEOUT_S).optional(),
    central: centralSection(secrets).optional(),
    groups: groupsField(groupSection(), `{ "Devices": ${GROUP_EXAMPLE} }`).optional(),
    accessList: text(`"${DEFAULT_ACCESS_LIST}"`, MAX_PATH_CHARACTERS)
      .superRefine((path, context) => {
        const message = problemOfAccessList(resolve(folder, path));
        if (message !== undefined) context.addIssue({ code: 'custom', message });
      })
      .optional(),
    redirect: redirectSection().optional(),
    allowPlaintext: flag().optional(),
    history: flag().optional(),
    limits: limitsSection().optional(),
  };
  return section(shape, `{ "tcp": ${SESSIONS_EXAMPLE} }`).superRefine((iotsocket, context) => {
    const say = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
    const has = (name: keyof typeof shape): boolean => name in iotsocket;
    const hasSessions = has('tcp') || has('websocket');
    if (!hasSessions && !has('udp') && !has('http')) say([], `listens nowhere; write "tcp": ${SESSIONS_EXAMPLE}`);
    if (has('udp') && !hasSessions) say(['udp'], 'needs tcp or websocket: objects get their telemetry tokens there');
    if (has('http') && !has('central')) say(['http'], 'needs central.key, which is the bearer token of every request');
    const { redirect, tcp } = iotsocket;
    if (typeof redirect?.to?.host !== 'string' || typeof tcp?.host !== 'string') return;
    if (redirect.to.port === tcp.port && canonicalHost(redirect.to.host) === canonicalHost(tcp.host)) {
      say(['redirect', 'to'], 'is where iotsocket.tcp listens itself; write the address of another concentrator');
    }
  }, always);
}

/** What a checked `iotsocket` section says, in the form the base uses. */
export function iotsocketOf(section: z.output<ReturnType<typeof iotsocketSection>>, folder: string): IotsocketOptions {
  const { tls, central, groups, redirect } = section;
  return {
    tcp: section.tcp,
    websocket: section.websocket,
    udp: section.udp,
    http: section.http,
    tls: tls && {
      cert: readablePath(resolve(folder, tls.cert!.path)),
      key: readablePath(resolve(folder, tls.key!.path)),
    },
    keepSessionMs: (section.keepSessionS ?? DEFAULT_KEEP_SESSION_S) * 1_000,
    requestTimeoutMs: (section.requestTimeoutS ?? DEFAULT_REQUEST_TIMEOUT_S) * 1_000,
    central: central && centralOf(central),
    groups: new Map(Object.entries(groups ?? {}).map(([name, group]) => [name, groupOf(group)])),
    accessList: resolve(folder, section.accessList ?? DEFAULT_ACCESS_LIST),
    redirect: redirect && { ...redirect.to!, aboveSessions: redirect.aboveSessions ?? 0 },
    allowPlaintext: section.allowPlaintext ?? false,
    history: section.history ?? true,
    limits: limitsOf(section.limits ?? {}),
  };
}

function centralSection(secrets: Secrets) {
  const webhooks = section(
    {
      request: url('"https://…"').optional(),
      telemetry: url('"https://…"').optional(),
      ca: certificates(secrets).optional(),
      allowHttp: flag().optional(),
      allowPrivate: flag().optional(),
      maxContentLength: whole(1, MAX_ANSWER_OCTETS, DEFAULT_ANSWER_OCTETS).optional(),
      maxWaitS: whole(1, MAX_ANSWER_WAIT_S, DEFAULT_ANSWER_WAIT_S).optional(),
    },
    '{ "request": "https://…" }',
  ).superRefine((value, context) => {
    for (const name of ['request', 'telemetry'] as const) {
      const message = insecureUrl(value[name], value.allowHttp === true);
      if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message });
    }
  }, always);
  return section({ key: key(secrets), webhooks: webhooks.optional() }, '{ "key": "file:central.key" }');
}

function centralOf({ key: octets, webhooks = {} }: z.output<ReturnType<typeof centralSection>>): CentralOptions {
  return {
    key: octets!,
    webhooks: {
      request: webhooks.request,
      telemetry: webhooks.telemetry,
      ca: webhooks.ca,
      allowPrivate: webhooks.allowPrivate ?? false,
      maxContentLength: webhooks.maxContentLength ?? DEFAULT_ANSWER_OCTETS,
      maxWaitMs: (webhooks.maxWaitS ?? DEFAULT_ANSWER_WAIT_S) * 1_000,
    },
  };
}

/** Groups by their names, which travel in 16 octets. */
export function groupsField<G extends z.ZodType>(group: G, example: string) {
  return z.record(z.string(), group, { error: expected('an object', example) }).superRefine((groups, context) => {
    const say = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
    const names = Object.keys(groups);
    if (names.length > MAX_GROUPS) say([], `has ${names.length} groups; at most ${MAX_GROUPS} are taken`);
    for (const name of names) {
      const problem = problemOfName(name);
      if (problem !== undefined) say([name], problem);
    }
  }, always);
}

function problemOfName(name: string): string | undefined {
  if (name === '') return 'is an empty name; a group needs one';
  if (/[\0\p{Surrogate}]/u.test(name)) return 'has a 00 or half a character in its name; take it out';
  const octets = new TextEncoder().encode(name).length;
  return octets > UID_OCTETS ? `is a name of ${octets} octets; at most ${UID_OCTETS} fit the protocol` : undefined;
}

function groupSection() {
  return section(
    {
      telemetry: flag().optional(),
      telemetryTokenExpMin: whole(1, MAX_TOKEN_LIFE_MIN, DEFAULT_TOKEN_LIFE_MIN).optional(),
      pingAfterS: whole(1, MAX_DEAD_AFTER_S, DEFAULT_PING_AFTER_S).optional(),
      deadAfterS: whole(2, MAX_DEAD_AFTER_S, DEFAULT_DEAD_AFTER_S).optional(),
    },
    GROUP_EXAMPLE,
  ).superRefine(({ pingAfterS = DEFAULT_PING_AFTER_S, deadAfterS = DEFAULT_DEAD_AFTER_S }, context) => {
    // One of another type was refused already.
    if (typeof pingAfterS !== 'number' || typeof deadAfterS !== 'number' || deadAfterS > pingAfterS) return;
    const message = `must be more than pingAfterS, which is ${pingAfterS}; it is ${deadAfterS}`;
    context.addIssue({ code: 'custom', path: ['deadAfterS'], message });
  }, always);
}

/** Of what a group's section says; of `{}` the defaults. */
export function groupOf(group: z.output<ReturnType<typeof groupSection>>): GroupOptions {
  return {
    telemetry: group.telemetry ?? false,
    telemetryTokenLifeMs: (group.telemetryTokenExpMin ?? DEFAULT_TOKEN_LIFE_MIN) * 60_000,
    pingAfterMs: (group.pingAfterS ?? DEFAULT_PING_AFTER_S) * 1_000,
    deadAfterMs: (group.deadAfterS ?? DEFAULT_DEAD_AFTER_S) * 1_000,
  };
}

function redirectSection() {
  return section(
    {
      to: address(DEFAULT_IOTSOCKET_PORT, '"node2.example:50505"').refine((to) => to?.port !== 0, {
        error: 'has port 0, which nobody listens at; write 1 to 65535',
      }),
      aboveSessions: whole(0, MAX_ABOVE_SESSIONS, 10_000).optional(),
    },
    '{ "to": "node2.example:50505" }',
  );
}

/** The file itself need not be there: the central may bring the list. */
function problemOfAccessList(path: string): string | undefined {
  const kindOf = (at: string) => statSync(at, { throwIfNoEntry: false });
  try {
    if (kindOf(dirname(path)) === undefined) return `is in the folder ${dirname(path)}, which does not exist; make it`;
    return kindOf(path)?.isFile() === false ? `names ${path}, which is no file; write the name of one` : undefined;
  } catch (error) {
    return `names ${path}, which cannot be looked at (${(error as NodeJS.ErrnoException).code})`;
  }
}
