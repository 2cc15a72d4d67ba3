import { z } from 'zod';
import { defineUnit, text as textField } from '../../protocol/definition/index.js';
import { addressText } from '../core/address.js';
import { canonicalHost } from './address.js';
import {
  type Configuration,
  DEFAULT_CHANNEL,
  DEFAULT_NAME,
  DEFAULT_SHUTDOWN_TIMEOUT_MS,
  DEFAULT_STORE,
  DEFAULT_UNIT_PORT,
  type KnownUnit,
  MAX_KNOWN_UNITS,
} from './configuration.js';
import { ownServer, serverOf } from './pusher-schema.js';
import { type Checked, problemsOf } from './schema.js';
import { address, always, expected, headerSecret, insecureUrl, secret, section, text, url } from './schema-fields.js';
import type { Secrets } from './secrets.js';

export { isOnLink } from './on-link.js';

/** wire/iot-base.md: the path of the channel's authorisation where the file names none. */
const DEFAULT_AUTH_PATH = '/api/broadcasting/auth';
/** A line of the original protocol, as wire/unit.md ("Line units") bounds it. */
const MAX_LINE_CHARACTERS = 64;
const reading = new RegExp(`^[A-Za-z0-9.,+:_-]{1,${MAX_LINE_CHARACTERS}}$`);

/** A read unit of the original's file: one line, one reading, of no known type. */
const legacyReadUnit = defineUnit({
  name: 'legacy-reading',
  version: '1.0.0',
  kind: 'read',
  wire: 'line',
  description: 'A read unit of the original iot-base, known by its address',
  reports: { reading: { number: 1, everyMs: 1_000, fields: { value: textField(MAX_LINE_CHARACTERS) } } },
});

/** A lamp that `update.request` names by its address: what the payload says is written to it as a line. */
export const legacyUpdatableUnit = defineUnit({
  name: 'legacy-update',
  version: '1.0.0',
  kind: 'updatable',
  wire: 'line',
  description: 'An updatable unit of the original iot-base, known by its address',
  commands: { update: { number: 1, fields: { value: textField(MAX_LINE_CHARACTERS) } } },
});

/**
 * True for a line that may be a reading of a legacy unit. It becomes a part of a URL of the dashboard, which is called
 * with the token: `../../x` would reach another one.
 */
export function legacyReading(line: string): boolean {
  return reading.test(line) && line !== '.' && line !== '..';
}

/** True when the object has the keys of the original iot-base's `config.json`. */
export function isLegacyFile(raw: unknown): boolean {
  if (typeof raw !== 'object' || raw === null) return false;
  const { pusher } = raw as { readonly pusher?: unknown };
  const isTheirs = typeof pusher === 'object' && pusher !== null && Object.hasOwn(pusher, 'app-key');
  return isTheirs || Object.hasOwn(raw, 'clients') || Object.hasOwn(raw, 'api');
}

function legacySchema(secrets: Secrets) {
  const api = section(
    { url: url('"https://…"'), token: headerSecret(secrets) },
    '{ "url": "https://…", "token": "…" }',
  ).superRefine((value, context) => {
    const say = (message: string): void => context.addIssue({ code: 'custom', path: ['url'], message });
    if (insecureUrl(value.url, false) !== undefined) {
      say('is not encrypted; write https://: the token travels with every reading');
    }
    if (value.url?.includes('?')) say('must end with its path; leave out what is behind ?');
  }, always);
  const pusher = section(
    {
      'app-key': secret(secrets, 'the key of your Pusher app'),
      cluster: text('"eu"', 32).nullish(),
      auth: text(`"${DEFAULT_AUTH_PATH}"`)
        .regex(/^\/(?!\/)/, { error: `must be a path, as "${DEFAULT_AUTH_PATH}"` })
        .optional(),
      ...ownServer,
    },
    '{ "app-key": "…", "cluster": "eu" }',
  ).superRefine((value, context) => {
    if (!value.cluster && !value.host) {
      context.addIssue({
        code: 'custom',
        path: ['cluster'],
        message: 'is missing; write "eu", or the host of a server of your own',
      });
    }
  }, always);
  const shape = {
    clients: z
      .array(address(DEFAULT_UNIT_PORT, '"192.168.1.10"'), { error: expected('a list', '["192.168.1.10"]') })
      .max(MAX_KNOWN_UNITS, { error: `has more than ${MAX_KNOWN_UNITS} addresses` })
      .optional(),
    api,
    pusher,
  };
  return section(shape, '{ "clients": […], "api": {…}, "pusher": {…} }', messageOfUnknownKey).superRefine(
    (file, context) => {
      const taken = new Map<string, number>();
      for (const [index, client] of (Array.isArray(file.clients) ? file.clients : []).entries()) {
        if (client === undefined || typeof client !== 'object') continue;
        const spelling = addressText({ host: canonicalHost(client.host), port: client.port });
        const other = taken.get(spelling);
        const message =
          client.port === 0
            ? 'has port 0, which nobody listens at; write 1 to 65535'
            : other !== undefined && `is clients[${other}] too; take one of them out`;
        if (message) context.addIssue({ code: 'custom', path: ['clients', index], message });
        taken.set(spelling, index);
      }
    },
    always,
  );
}

function messageOfUnknownKey(_key: string, known: readonly string[]): string {
  return `is unknown in a file of the original iot-base, which has ${known.join(', ')}; to use it, write the file in baseunit's own form`;
}

/** Checks the original's file and says it in our own words (wire/iot-base.md). Everything wrong with it comes at once. */
export function checkLegacyConfiguration(raw: unknown, file: string, secrets: Secrets): Checked<Configuration> {
  const parsed = legacySchema(secrets).safeParse(raw);
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error) };
  const { clients, api, pusher } = parsed.data;
  const apiUrl = api.url!.replace(/\/+$/, '');
  const tls = pusher.tls ?? true;
  return {
    ok: true,
    value: {
      name: DEFAULT_NAME,
      file,
      // The original has no such section; without an API nothing on this machine could ask the base how it is.
      http: { listen: { host: '127.0.0.1', port: 0 } },
      units: {
        listen: undefined,
        known: (clients ?? []).map((client, index) => legacyUnit(client!, writtenAt(raw, index))),
      },
      pusher: {
        key: pusher['app-key']!,
        cluster: pusher.cluster ?? undefined,
        ...serverOf(pusher.host, pusher.port, tls),
        tls,
        appId: undefined,
        secret: undefined,
        encryptionKey: undefined,
        events: ['outcome'],
        channel: DEFAULT_CHANNEL,
        auth: { endpoint: `${apiUrl}${pusher.auth ?? DEFAULT_AUTH_PATH}`, token: api.token! },
      },
      hub: undefined,
      webhooks: [],
      iotsocket: undefined,
      connector: undefined,
      elfin: undefined,
      yamqtt: undefined,
      discovery: undefined,
      handlers: [],
      shutdownTimeoutMs: DEFAULT_SHUTDOWN_TIMEOUT_MS,
      store: DEFAULT_STORE,
      legacy: { apiUrl, apiToken: api.token! },
    },
  };
}

/** The dashboard knows a unit by what stands in the file. */
const writtenAt = (raw: unknown, index: number): string =>
  (raw as { readonly clients: readonly string[] }).clients[index]!;

function legacyUnit(unitAddress: NonNullable<KnownUnit['address']>, uid: string): KnownUnit {
  return { uid, definition: legacyReadUnit, address: unitAddress, key: undefined, isLegacy: true };
}
