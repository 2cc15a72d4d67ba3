import { isIP } from 'node:net';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { defaultIotsocketLimits } from '../dialects/iotsocket/iotsocket-limits.js';
import type { CentralOptions, IotsocketOptions } from '../dialects/iotsocket/iotsocket-options.js';
import type { TlsFiles } from '../links/certificates.js';
import { parseAddress } from './address.js';
import type { ConfigProblem } from './config-problems.js';
import { type Configuration, DEFAULT_NAME, DEFAULT_SHUTDOWN_TIMEOUT_MS, DEFAULT_STORE } from './configuration.js';
import { readablePath } from './credentials.js';
import { limitRanges } from './iotsocket-limits-schema.js';
import {
  DEFAULT_ACCESS_LIST,
  DEFAULT_ANSWER_OCTETS,
  DEFAULT_ANSWER_WAIT_S,
  DEFAULT_IOTSOCKET_PORT,
  DEFAULT_KEEP_SESSION_S,
  DEFAULT_REQUEST_TIMEOUT_S,
  DEFAULT_TOKEN_LIFE_MIN,
  groupOf,
  groupsField,
  MAX_ANSWER_OCTETS,
  MAX_ANSWER_WAIT_S,
  MAX_KEEP_SESSION_S,
  MAX_REQUEST_TIMEOUT_S,
  MAX_TOKEN_LIFE_MIN,
} from './iotsocket-schema.js';
import { certFile, keyFile, pairProblem } from './pem-fields.js';
import { type Checked, listenersTwice, problemsOf } from './schema.js';
import { always, expected, flag, key, section, url, whole } from './schema-fields.js';
import type { Secrets } from './secrets.js';

const ownKeys = ['TCPServer', 'HTTPServer', 'UDPServer', 'KeepSessionSec', 'PoolThreadsCount', 'Central', 'Groups'];
const MAX_PORT = 65_535;

/** How the original cuts up its memory and its threads. */
const withoutMeaning = z.unknown().optional();
/** Where those stand. */
const pathsWithoutMeaning = [
  ['PoolThreadsCount'],
  ['TCPServer', 'SlotsSize'],
  ['TCPServer', 'Backlog'],
  ['HTTPServer', 'SlotsSize'],
  ['HTTPServer', 'Backlog'],
  ['Central', 'WebHooks', 'HTTPBufferSize'],
];

/** True when the object has the keys of the original concentrator's `config.json`. */
export function isLegacyIotsocketFile(raw: unknown): boolean {
  return typeof raw === 'object' && raw !== null && ownKeys.some((name) => Object.hasOwn(raw, name));
}

/** The keys of the file that have no meaning here, in one line; `undefined`: it has none of them. */
export function warningOfMeaningless(raw: unknown): string | undefined {
  const found = pathsWithoutMeaning.filter((path) => valueAt(raw, path) !== undefined).map((path) => path.join('.'));
  if (found.length === 0) return undefined;
  return `${found.join(', ')}: without a meaning here, and passed over; memory and threads need no such bounds in this concentrator`;
}

/** Checks the original's file and says it in our own words (wire/iotsocket.md). Everything wrong with it comes at once. */
export function checkLegacyIotsocket(raw: unknown, file: string, secrets: Secrets): Checked<Configuration> {
  const parsed = fileSchema(secrets).safeParse(raw);
  const problems = [...(parsed.error === undefined ? [] : problemsOf(parsed.error)), ...halvesOfPairs(raw)];
  if (!parsed.success || problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    value: {
      name: DEFAULT_NAME,
      file,
      // The original has no such section; without an API nothing on this machine could ask the base how it is.
      http: { listen: { host: '127.0.0.1', port: 0 } },
      units: undefined,
      pusher: undefined,
      hub: undefined,
      webhooks: [],
      iotsocket: optionsOf(parsed.data, dirname(file)),
      connector: undefined,
      elfin: undefined,
      yamqtt: undefined,
      discovery: undefined,
      handlers: [],
      shutdownTimeoutMs: DEFAULT_SHUTDOWN_TIMEOUT_MS,
      store: DEFAULT_STORE,
      legacy: undefined,
    },
  };
}

function fileSchema(secrets: Secrets) {
  const group = section(
    {
      Telemetry: flag().nullish(),
      // 0 is "without an end" there. Here a token ends with its session, and is renewed until then.
      TelemetryTokenExpMin: whole(0, MAX_TOKEN_LIFE_MIN, DEFAULT_TOKEN_LIFE_MIN).nullish(),
    },
    '{ "Telemetry": true }',
  );
  const shape = {
    PoolThreadsCount: withoutMeaning,
    KeepSessionSec: whole(1, MAX_KEEP_SESSION_S, DEFAULT_KEEP_SESSION_S).optional(),
    TCPServer: tcpSection(secrets),
    HTTPServer: httpSection(secrets).optional(),
    UDPServer: section(
      { ...listener(DEFAULT_IOTSOCKET_PORT), DatagramMaxSize: limit('datagramOctets').optional() },
      `{ "Addr": "0.0.0.0", "Port": ${DEFAULT_IOTSOCKET_PORT} }`,
    ).optional(),
    Central: centralSection(secrets).optional(),
    Groups: groupsField(group, '{ "Devices": { "Telemetry": true } }').optional(),
  };
  return section(shape, '{ "TCPServer": {…}, "Central": {…}, "Groups": {…} }').superRefine((file, context) => {
    const say = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
    if ('HTTPServer' in file && !('Central' in file)) {
      say(['HTTPServer'], 'needs Central.AuthKey, which is the bearer token of every request');
    }
    const listeners = { TCPServer: listenAt(file.TCPServer), HTTPServer: listenAt(file.HTTPServer) };
    for (const { path, what } of listenersTwice(listeners)) say([path, 'Port'], what);
  }, always);
}

type File = z.output<ReturnType<typeof fileSchema>>;

function optionsOf(
  { KeepSessionSec, TCPServer, HTTPServer, UDPServer, Central, Groups }: File,
  folder: string,
): IotsocketOptions {
  const tls = tlsOf(TCPServer, folder);
  const httpTls = HTTPServer && tlsOf(HTTPServer, folder);
  const isOther = HTTPServer !== undefined && (httpTls?.cert !== tls?.cert || httpTls?.key !== tls?.key);
  const limits = {
    sessions: TCPServer.SlotsCount,
    httpRequests: HTTPServer?.SlotsCount,
    httpBodyOctets: HTTPServer?.MaxContentLength,
    httpMaxWaitMs: inMs(HTTPServer?.MaxSecWaitResponse),
    datagramOctets: UDPServer?.DatagramMaxSize,
  };
  return {
    tcp: listenAt(TCPServer),
    websocket: undefined,
    udp: listenAt(UDPServer),
    http: listenAt(HTTPServer),
    tls,
    ...(isOther ? { httpTls: httpTls ?? null } : {}),
    keepSessionMs: (KeepSessionSec ?? DEFAULT_KEEP_SESSION_S) * 1_000,
    requestTimeoutMs: (TCPServer.ReqTimeoutSec ?? DEFAULT_REQUEST_TIMEOUT_S) * 1_000,
    central: Central && centralOf(Central),
    groups: new Map(
      Object.entries(Groups ?? {}).map(([name, { Telemetry, TelemetryTokenExpMin }]) => [
        name,
        groupOf({
          telemetry: Telemetry ?? false,
          telemetryTokenExpMin: TelemetryTokenExpMin || DEFAULT_TOKEN_LIFE_MIN,
        }),
      ]),
    ),
    accessList: resolve(folder, DEFAULT_ACCESS_LIST),
    redirect: undefined,
    allowPlaintext: false,
    history: true,
    limits: {
      ...defaultIotsocketLimits,
      ...Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined)),
    },
  };
}

function tcpSection(secrets: Secrets) {
  return sslPair(
    section(
      {
        ...listener(DEFAULT_IOTSOCKET_PORT),
        SlotsCount: limit('sessions').optional(),
        SlotsSize: withoutMeaning,
        Backlog: withoutMeaning,
        ...sslFiles(secrets),
        ReqTimeoutSec: whole(1, MAX_REQUEST_TIMEOUT_S, DEFAULT_REQUEST_TIMEOUT_S).optional(),
      },
      `{ "Addr": "0.0.0.0", "Port": ${DEFAULT_IOTSOCKET_PORT} }`,
    ),
  );
}

function httpSection(secrets: Secrets) {
  const [least, most] = limitRanges.httpMaxWaitMs;
  return sslPair(
    section(
      {
        ...listener(443),
        SlotsCount: limit('httpRequests').optional(),
        SlotsSize: withoutMeaning,
        Backlog: withoutMeaning,
        ...sslFiles(secrets),
        MaxContentLength: limit('httpBodyOctets').optional(),
        MaxSecWaitResponse: whole(least / 1_000, most / 1_000, defaultIotsocketLimits.httpMaxWaitMs / 1_000).optional(),
      },
      '{ "Addr": "0.0.0.0", "Port": 443 }',
    ),
  );
}

function centralSection(secrets: Secrets) {
  const webhooks = section(
    {
      Request: webhookUrl(),
      Telemetry: webhookUrl(),
      HTTPBufferSize: withoutMeaning,
      MaxContentLength: whole(1, MAX_ANSWER_OCTETS, DEFAULT_ANSWER_OCTETS).optional(),
      MaxSecWaitResponse: whole(1, MAX_ANSWER_WAIT_S, DEFAULT_ANSWER_WAIT_S).optional(),
    },
    '{ "Request": "https://…" }',
  );
  return section({ AuthKey: key(secrets), WebHooks: webhooks.nullish() }, '{ "AuthKey": "file:central.key" }');
}

/** The original asks neither for TLS nor where a name leads; that this is in clear, a warning says. */
function centralOf({ AuthKey, WebHooks }: z.output<ReturnType<typeof centralSection>>): CentralOptions {
  return {
    key: AuthKey!,
    webhooks: {
      request: WebHooks?.Request,
      telemetry: WebHooks?.Telemetry,
      ca: undefined,
      allowPrivate: true,
      maxContentLength: WebHooks?.MaxContentLength ?? DEFAULT_ANSWER_OCTETS,
      maxWaitMs: (WebHooks?.MaxSecWaitResponse ?? DEFAULT_ANSWER_WAIT_S) * 1_000,
    },
  };
}

const limit = (name: keyof typeof limitRanges) => whole(...limitRanges[name], defaultIotsocketLimits[name]);

/** Where a server listens. */
const listener = (port: number) => ({
  Addr: z.string({ error: expected('a string', '"0.0.0.0"') }).superRefine((host, context) => {
    const isHost = isIP(host) !== 0 || (!host.includes(':') && parseAddress(host, 1).ok);
    if (!isHost)
      context.addIssue({ code: 'custom', message: 'is no address of this machine; write "0.0.0.0" for all of them' });
  }),
  Port: whole(1, MAX_PORT, port),
});

interface Listener {
  readonly Addr: string;
  readonly Port: number;
}

function listenAt<L extends Listener | undefined>(server: L) {
  // One of another type was refused already.
  if (typeof server?.Addr !== 'string' || typeof server.Port !== 'number') return undefined;
  return { host: server.Addr, port: server.Port };
}

/** Empty, null and absent are the same. */
const filled = (value: unknown): unknown => (value === '' || value === null ? undefined : value);

const sslNames = ['SSLKeyFilename', 'SSLCrtFilename'] as const;
const sslFiles = (secrets: Secrets) => ({
  SSLKeyFilename: z.preprocess(filled, keyFile(secrets).optional()).optional(),
  SSLCrtFilename: z.preprocess(filled, certFile(secrets).optional()).optional(),
});

type SslFiles = { [Name in keyof ReturnType<typeof sslFiles>]?: z.output<ReturnType<typeof sslFiles>[Name]> };

function sslPair<S extends z.ZodType<SslFiles>>(server: S) {
  return server.superRefine(({ SSLKeyFilename, SSLCrtFilename }, context) => {
    const say = (path: keyof SslFiles, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    const problem = pairProblem(SSLCrtFilename, SSLKeyFilename);
    if (problem !== undefined) say(problem.of === 'cert' ? 'SSLCrtFilename' : 'SSLKeyFilename', problem.what);
  }, always);
}

/** A certificate without its key, or a key alone; looked for in what is written, as one that cannot be read is there too. */
function halvesOfPairs(raw: unknown): ConfigProblem[] {
  return ['TCPServer', 'HTTPServer'].flatMap((server) => {
    const missing = sslNames.filter((name) => filled(valueAt(raw, [server, name])) === undefined);
    if (missing.length !== 1) return [];
    return [{ path: `${server}.${missing[0]}`, what: `is missing: ${sslNames.join(' and ')} go together` }];
  });
}

function tlsOf({ SSLKeyFilename, SSLCrtFilename }: SslFiles, folder: string): TlsFiles | undefined {
  if (SSLKeyFilename === undefined || SSLCrtFilename === undefined) return undefined;
  return {
    cert: readablePath(resolve(folder, SSLCrtFilename.path)),
    key: readablePath(resolve(folder, SSLKeyFilename.path)),
  };
}

/** `http://` where none is written, as the original has it. */
function webhookUrl() {
  const withScheme = (value: unknown): unknown => {
    const written = filled(value);
    return typeof written === 'string' && !written.includes('://') ? `http://${written}` : written;
  };
  return z.preprocess(withScheme, url('"https://…"').optional()).optional();
}

const inMs = (seconds: number | undefined): number | undefined => seconds && seconds * 1_000;

function valueAt(raw: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, step) => (typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined),
    raw,
  );
}
