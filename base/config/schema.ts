import { dirname } from 'node:path';
import type { z } from 'zod';
import { type Address, addressText } from '../core/address.js';
import { listenersCollide } from './address.js';
import { type ConfigProblem, formatPath } from './config-problems.js';
import {
  type Configuration,
  DEFAULT_HTTP_PORT,
  DEFAULT_HUB_PORT,
  DEFAULT_NAME,
  DEFAULT_SHUTDOWN_TIMEOUT_MS,
} from './configuration.js';
import { connectorOf, connectorSection } from './connector-schema.js';
import type { Definitions } from './definitions.js';
import { discoveryOf, discoverySection, undiscovered } from './discovery-schema.js';
import { elfinOf, elfinSection } from './elfin-schema.js';
import { handlersField, handlersOf } from './handlers-schema.js';
import { hubOf, hubSection } from './hub-schema.js';
import { iotsocketOf, iotsocketSection } from './iotsocket-schema.js';
import { pusherOf, pusherSection } from './pusher-schema.js';
import type { TypedUnits } from './read-flow-rules.js';
import { address, always, section, text, whole } from './schema-fields.js';
import type { Secrets } from './secrets.js';
import { storeOf, storeSection } from './store-schema.js';
import { knownUnitsOf, unitsSection } from './unit-schema.js';
import { webhooksOf, webhooksSection } from './webhooks-schema.js';
import { flowProblems, yamqttOf, yamqttSection } from './yamqtt-schema.js';

const MAX_NAME_CHARACTERS = 64;
const MAX_SHUTDOWN_TIMEOUT_S = 60;
const DEFAULT_HTTP: Address = { host: '127.0.0.1', port: DEFAULT_HTTP_PORT };
const DEFAULT_HUB: Address = { host: '127.0.0.1', port: DEFAULT_HUB_PORT };

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** The whole file, in our own form. */
function fileSchema(definitions: Definitions, secrets: Secrets, folder: string) {
  const shape = {
    name: text('"home"', MAX_NAME_CHARACTERS).optional(),
    http: section(
      { listen: address(DEFAULT_HTTP_PORT, `"127.0.0.1:${DEFAULT_HTTP_PORT}"`).optional() },
      `{ "listen": "127.0.0.1:${DEFAULT_HTTP_PORT}" }`,
    ).optional(),
    units: unitsSection(definitions, secrets).optional(),
    pusher: pusherSection(secrets).optional(),
    hub: hubSection(secrets).optional(),
    webhooks: webhooksSection(secrets).optional(),
    iotsocket: iotsocketSection(secrets, folder).optional(),
    connector: connectorSection(secrets).optional(),
    elfin: elfinSection(secrets).optional(),
    yamqtt: yamqttSection().optional(),
    discovery: discoverySection().optional(),
    store: storeSection().optional(),
    handlers: handlersField(folder).optional(),
    shutdownTimeoutS: whole(1, MAX_SHUTDOWN_TIMEOUT_S, DEFAULT_SHUTDOWN_TIMEOUT_MS / 1_000).optional(),
  };
  return section(shape, '{ "name": "home", … }').superRefine((file, context) => {
    const say = (path: readonly string[], message: string): void =>
      context.addIssue({ code: 'custom', path: [...path], message });
    const twice = listenersTwice({
      'http.listen': file.http && (file.http.listen ?? DEFAULT_HTTP),
      'units.listen': file.units?.listen,
      'hub.listen': file.hub && (file.hub.listen ?? DEFAULT_HUB),
      // UDP has ports of its own.
      'iotsocket.tcp': file.iotsocket?.tcp,
      'iotsocket.websocket': file.iotsocket?.websocket,
      'iotsocket.http': file.iotsocket?.http,
      'connector.websocket': file.connector?.websocket,
      'connector.http': file.connector?.http,
      'elfin.tcp': file.elfin?.tcp,
      'elfin.lineTcp': file.elfin?.lineTcp,
      'elfin.tls.listen': file.elfin?.tls?.listen,
      'yamqtt.tcp': file.yamqtt?.tcp,
    });
    for (const { path, what } of twice) say(path.split('.'), what);
    for (const { path, what } of flowProblems(file.yamqtt?.flows, typedUnits(file.units?.known, definitions)))
      say(path, what);
    if (!('discovery' in file)) for (const { path, what } of undiscovered(file.units?.known)) say(path, what);
  }, always);
}

/** What of another type is, was refused already, and is no definition here. */
function typedUnits(known: z.output<ReturnType<typeof unitsSection>>['known'], definitions: Definitions): TypedUnits {
  const all = new Set(Array.from(definitions.values(), ({ definition }) => definition));
  const entries = typeof known === 'object' && known !== null ? Object.entries(known) : [];
  return new Map(
    entries.map(([uid, unit]) => {
      const definition = unit?.definition;
      return [uid, definition !== undefined && all.has(definition) ? definition : undefined];
    }),
  );
}

/** Which of these, by their paths, cannot be listened at beside one before them. */
export function listenersTwice(listeners: Readonly<Record<string, Address | undefined>>): ConfigProblem[] {
  // One of another type was refused already, and is no address here.
  const all = Object.entries(listeners).filter(
    (entry): entry is [string, Address] => typeof entry[1]?.host === 'string',
  );
  return all.flatMap(([path, listen], index) => {
    const other = all.slice(0, index).find(([, before]) => listenersCollide(before, listen));
    if (other === undefined) return [];
    const what = `${addressText(listen)} cannot be listened at twice: ${other[0]} is ${addressText(other[1])}; give one of them another port`;
    return [{ path, what }];
  });
}

/** Checks a file in our own form and resolves all it names. Everything wrong with it comes at once. */
export function checkConfiguration(
  raw: unknown,
  file: string,
  definitions: Definitions,
  secrets: Secrets,
): Checked<Configuration> {
  const folder = dirname(file);
  const parsed = fileSchema(definitions, secrets, folder).safeParse(raw);
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error) };
  const { name, http, units, pusher, hub, webhooks, iotsocket, connector, elfin, yamqtt } = parsed.data;
  const { discovery, store, handlers, shutdownTimeoutS } = parsed.data;
  return {
    ok: true,
    value: {
      name: name ?? DEFAULT_NAME,
      file,
      http: http && { listen: http.listen ?? DEFAULT_HTTP },
      units: units && { listen: units.listen, known: knownUnitsOf(units.known) },
      pusher: pusher && pusherOf(pusher),
      hub: hub && hubOf(hub),
      webhooks: webhooksOf(webhooks ?? []),
      iotsocket: iotsocket && iotsocketOf(iotsocket, folder),
      connector: connector && connectorOf(connector, folder),
      elfin: elfin && elfinOf(elfin, folder),
      yamqtt: yamqtt && yamqttOf(yamqtt, typedUnits(units?.known, definitions)),
      discovery: discovery && discoveryOf(discovery, definitions),
      store: storeOf(store ?? {}, folder),
      handlers: handlersOf(handlers ?? [], folder),
      shutdownTimeoutMs: shutdownTimeoutS === undefined ? DEFAULT_SHUTDOWN_TIMEOUT_MS : shutdownTimeoutS * 1_000,
      legacy: undefined,
    },
  };
}

/** What zod found, each with its path as people write it; a section's unknown keys one by one. */
export function problemsOf(error: z.ZodError): ConfigProblem[] {
  return error.issues.flatMap((issue): ConfigProblem[] => {
    if (issue.code === 'unrecognized_keys') {
      const lines = issue.message.split('\n');
      return issue.keys.map((key, index) => ({ path: formatPath([...issue.path, key]), what: lines[index] ?? '' }));
    }
    const isSecret = issue.code === 'custom' && issue.params?.isSecret === true;
    return [{ path: formatPath(issue.path), what: issue.message, ...(isSecret ? { isSecret } : {}) }];
  });
}
