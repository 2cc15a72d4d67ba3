import { resolve } from 'node:path';
import { z } from 'zod';
import { DEFAULT_ANSWER_TIMEOUT_MS, DEFAULT_STATUS_EVERY_MS } from '../api/connector/connector-api-options.js';
import type { TlsFiles } from '../links/certificates.js';
import { authOf, authSection } from './auth-schema.js';
import {
  type ConnectorConfiguration,
  DEFAULT_CONNECTOR_HTTP_PORT,
  DEFAULT_CONNECTOR_WEBSOCKET_PORT,
} from './configuration.js';
import { apiLimitsOf, connectorLimitsSection, deviceLimitsOf } from './connector-limits-schema.js';
import { readablePath } from './credentials.js';
import { certificatePair } from './pem-fields.js';
import { address, always, expected, flag, section, whole } from './schema-fields.js';
import type { Secrets } from './secrets.js';

const MAX_STATUS_EVERY_S = 3_600;
/** Longer than the core waits for a device that does not answer. */
const MAX_ANSWER_TIMEOUT_S = 30;
/** Pages of a few servers; each is compared with every request of a browser. */
const MAX_ORIGINS = 64;

const WEBSOCKET_EXAMPLE = `"0.0.0.0:${DEFAULT_CONNECTOR_WEBSOCKET_PORT}"`;
const HTTP_EXAMPLE = `"127.0.0.1:${DEFAULT_CONNECTOR_HTTP_PORT}"`;
const ORIGIN_EXAMPLE = '"https://dashboard.example"';

/** `connector`. */
export function connectorSection(secrets: Secrets) {
  const shape = {
    websocket: address(DEFAULT_CONNECTOR_WEBSOCKET_PORT, WEBSOCKET_EXAMPLE).optional(),
    http: address(DEFAULT_CONNECTOR_HTTP_PORT, HTTP_EXAMPLE).optional(),
    auth: authSection(secrets).optional(),
    deviceAuth: authSection(secrets).optional(),
    tls: certificatePair(secrets).optional(),
    httpTls: certificatePair(secrets).nullish(),
    cors: section({ origins: originsField().optional() }, `{ "origins": [${ORIGIN_EXAMPLE}] }`).optional(),
    statusEveryS: whole(1, MAX_STATUS_EVERY_S, DEFAULT_STATUS_EVERY_MS / 1_000).optional(),
    answerTimeoutS: whole(1, MAX_ANSWER_TIMEOUT_S, DEFAULT_ANSWER_TIMEOUT_MS / 1_000).optional(),
    history: flag().optional(),
    limits: connectorLimitsSection().optional(),
  };
  return section(shape, `{ "websocket": ${WEBSOCKET_EXAMPLE} }`).superRefine((connector, context) => {
    const say = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    const has = (name: keyof typeof shape): boolean => name in connector;
    if (!has('websocket') && !has('http')) {
      say([], `listens nowhere; write "websocket": ${WEBSOCKET_EXAMPLE}, "http": ${HTTP_EXAMPLE} or both`);
    }
    // What only one of the two servers uses, without it: a typing error, or something that is believed to protect.
    for (const [name, needs] of [
      ['deviceAuth', 'websocket'],
      ['auth', 'http'],
      ['httpTls', 'http'],
      ['cors', 'http'],
    ] as const) {
      if (has(name) && !has(needs)) say([name], `has no meaning without connector.${needs}; take it out`);
    }
    const origins: unknown = connector.cors?.origins;
    const all = Array.isArray(origins) ? origins.indexOf('*') : -1;
    const isOpen = !has('auth') || connector.auth?.kind === 'none';
    if (all === -1 || !isOpen) return;
    say(
      ['cors', 'origins', all],
      `lets every web page that anybody on your network opens command your devices, since nobody is asked for a password; name the origins, as ${ORIGIN_EXAMPLE}, or write an "auth" of the kind "basic" or "bearer"`,
    );
  }, always);
}

/** What a checked `connector` section says, in the form the base uses. `folder` is that of the configuration file. */
export function connectorOf(
  section: z.output<ReturnType<typeof connectorSection>>,
  folder: string,
): ConnectorConfiguration {
  const { websocket, http, auth, deviceAuth, tls, httpTls, limits = {} } = section;
  const answerTimeoutMs =
    section.answerTimeoutS === undefined ? DEFAULT_ANSWER_TIMEOUT_MS : section.answerTimeoutS * 1_000;
  return {
    devices: websocket && {
      listen: websocket,
      tls: filesOf(tls, folder),
      authenticate: deviceAuth === undefined ? { kind: 'none' } : authOf(deviceAuth),
      answerTimeoutMs,
      history: section.history ?? true,
      limits: deviceLimitsOf(limits),
    },
    api: http && {
      listen: http,
      tls: filesOf(httpTls === undefined ? tls : (httpTls ?? undefined), folder),
      auth: auth === undefined ? { kind: 'none' } : authOf(auth),
      cors: section.cors?.origins?.map((origin) => origin!) ?? [],
      statusEveryMs: section.statusEveryS === undefined ? DEFAULT_STATUS_EVERY_MS : section.statusEveryS * 1_000,
      answerTimeoutMs,
      limits: apiLimitsOf(limits),
    },
  };
}

type Pair = z.output<ReturnType<typeof certificatePair>>;

function filesOf(pair: Pair | undefined, folder: string): TlsFiles | undefined {
  return (
    pair && { cert: readablePath(resolve(folder, pair.cert!.path)), key: readablePath(resolve(folder, pair.key!.path)) }
  );
}

/** Origins as browsers send them (RFC 6454), or `*` for all of them. */
function originsField() {
  const origin = z
    .string({ error: expected('a string', ORIGIN_EXAMPLE) })
    .transform((written, context): string | undefined => {
      const message = written === '*' ? undefined : problemOfOrigin(written);
      if (message === undefined) return written;
      context.addIssue({ code: 'custom', message, input: undefined });
      return undefined;
    });
  return z
    .array(origin, { error: expected('a list', `[${ORIGIN_EXAMPLE}]`) })
    .max(MAX_ORIGINS, { error: `has more than ${MAX_ORIGINS} origins` });
}

function problemOfOrigin(written: string): string | undefined {
  const parsed = URL.canParse(written) ? new URL(written) : undefined;
  if (parsed === undefined || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')) {
    return `is no origin of a web page; write ${ORIGIN_EXAMPLE}, with a port if it is not the usual one`;
  }
  if (parsed.origin === written) return undefined;
  return `is not what a browser sends as its origin, so that it would never be let in; write ${JSON.stringify(parsed.origin)}`;
}
