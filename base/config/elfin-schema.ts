import { resolve } from 'node:path';
import { z } from 'zod';
import { type ElfinListener, type ElfinOptions, framings } from '../dialects/elfin/elfin-options.js';
import { readablePath } from './credentials.js';
import { dateFormat, timeZone } from './date-fields.js';
import { elfinLimitsOf, elfinLimitsSection } from './elfin-limits-schema.js';
import { certFile, keyFile, pairProblem } from './pem-fields.js';
import { address, always, flag, section } from './schema-fields.js';
import type { Secrets } from './secrets.js';

/** The original's (wire/elfin.md), and the two behind it. */
const DEFAULT_PORT = 3_001;
const DEFAULT_TLS_PORT = 3_002;
const DEFAULT_LINE_PORT = 3_003;
/** The original's (wire/elfin.md, `query`). */
const DEFAULT_TIME_ZONE = 'Europe/Budapest';
const DEFAULT_DATE_FORMAT = 'YYYY. MM. DD. HH:mm:ss';

const TCP_EXAMPLE = `"0.0.0.0:${DEFAULT_PORT}"`;
const TLS_EXAMPLE = `"0.0.0.0:${DEFAULT_TLS_PORT}"`;

/** `elfin`. */
export function elfinSection(secrets: Secrets) {
  const shape = {
    tcp: address(DEFAULT_PORT, TCP_EXAMPLE).optional(),
    framing: framing().optional(),
    lineTcp: address(DEFAULT_LINE_PORT, `"0.0.0.0:${DEFAULT_LINE_PORT}"`).optional(),
    tls: tlsSection(secrets).optional(),
    requireKnownUser: flag().optional(),
    timeZone: timeZone().optional(),
    dateFormat: dateFormat(`"${DEFAULT_DATE_FORMAT}"`).optional(),
    limits: elfinLimitsSection().optional(),
  };
  return section(shape, `{ "tcp": ${TCP_EXAMPLE} }`).superRefine((elfin, context) => {
    const say = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
    const has = (name: keyof typeof shape): boolean => name in elfin;
    if (!has('tcp') && !has('lineTcp') && !has('tls')) say([], `listens nowhere; write "tcp": ${TCP_EXAMPLE}`);
    const isForTls = has('tls') && elfin.tls?.framing === undefined;
    if (has('framing') && !has('tcp') && !isForTls) {
      say(['framing'], `has no meaning without elfin.tcp${has('tls') ? '' : ' or elfin.tls'}; take it out`);
    }
  }, always);
}

function tlsSection(secrets: Secrets) {
  const shape = {
    listen: address(DEFAULT_TLS_PORT, TLS_EXAMPLE),
    cert: certFile(secrets),
    key: keyFile(secrets),
    framing: framing().optional(),
  };
  const example = `{ "listen": ${TLS_EXAMPLE}, "cert": "server.crt", "key": "server.key" }`;
  return section(shape, example).superRefine(({ cert, key }, context) => {
    const problem = pairProblem(cert, key);
    if (problem !== undefined) context.addIssue({ code: 'custom', path: [problem.of], message: problem.what });
  }, always);
}

function framing() {
  return z.enum(framings, { error: `must be ${framings.map((name) => JSON.stringify(name)).join(' or ')}` });
}

/** What a checked `elfin` section says, in the form the base uses. `folder` is that of the configuration file. */
export function elfinOf(section: z.output<ReturnType<typeof elfinSection>>, folder: string): ElfinOptions {
  return {
    listeners: listenersOf(section, folder),
    requireKnownUser: section.requireKnownUser ?? true,
    timeZone: section.timeZone ?? DEFAULT_TIME_ZONE,
    dateFormat: section.dateFormat ?? DEFAULT_DATE_FORMAT,
    limits: elfinLimitsOf(section.limits ?? {}),
  };
}

function listenersOf(
  { tcp, lineTcp, tls, framing = 'segment' }: z.output<ReturnType<typeof elfinSection>>,
  folder: string,
): ElfinListener[] {
  const listeners: ElfinListener[] = [];
  if (tcp !== undefined) listeners.push({ setting: 'tcp', listen: tcp, framing, tls: undefined });
  if (lineTcp !== undefined) listeners.push({ setting: 'lineTcp', listen: lineTcp, framing: 'line', tls: undefined });
  if (tls !== undefined) {
    const files = {
      cert: readablePath(resolve(folder, tls.cert!.path)),
      key: readablePath(resolve(folder, tls.key!.path)),
    };
    listeners.push({ setting: 'tls.listen', listen: tls.listen!, framing: tls.framing ?? framing, tls: files });
  }
  return listeners;
}
