import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { IotsocketOptions } from '../dialects/iotsocket/iotsocket-options.js';
import { isOnNetwork } from './address.js';
import { insecureUrl } from './schema-fields.js';
import { warningOfMode } from './secrets.js';

/** What the keys are called in the file: ours, or the original's. */
export interface IotsocketNames {
  readonly tcp: string;
  readonly websocket: string;
  readonly http: string;
  readonly tls: string;
  readonly allowPlaintext: string;
  readonly webhooks: { readonly request: string; readonly telemetry: string };
}

export const ownNames: IotsocketNames = {
  tcp: 'iotsocket.tcp',
  websocket: 'iotsocket.websocket',
  http: 'iotsocket.http',
  tls: 'iotsocket.tls',
  allowPlaintext: 'iotsocket.allowPlaintext',
  webhooks: { request: 'iotsocket.central.webhooks.request', telemetry: 'iotsocket.central.webhooks.telemetry' },
};

export const originalNames: IotsocketNames = {
  ...ownNames,
  tcp: 'TCPServer',
  http: 'HTTPServer',
  tls: 'SSLKeyFilename and SSLCrtFilename',
  webhooks: { request: 'Central.WebHooks.Request', telemetry: 'Central.WebHooks.Telemetry' },
};

/** What works in a concentrator and should be known: who may read along. Loopback is no network. */
export function iotsocketWarnings(options: IotsocketOptions, names: IotsocketNames): string[] {
  const { tls, central, accessList } = options;
  const httpTls = options.httpTls === undefined ? tls : options.httpTls;
  const warnings: string[] = [];
  for (const name of ['tcp', 'websocket'] as const) {
    const listen = options[name];
    if (tls !== undefined || listen === undefined || !isOnNetwork(listen)) continue;
    warnings.push(
      `${names[name]} without ${names.tls}: sessions without TLS can be read and changed by whoever is on their way, and objects that ask for TLS are refused`,
    );
  }
  if (!httpTls && options.http !== undefined && isOnNetwork(options.http)) {
    warnings.push(`${names.http} without ${names.tls}: the central's key travels in clear with every request`);
  }
  for (const name of ['request', 'telemetry'] as const) {
    if (insecureUrl(central?.webhooks[name], false) === undefined) continue;
    warnings.push(`${names.webhooks[name]} is not encrypted: the central's key travels in clear with every call`);
  }
  if (options.allowPlaintext) {
    warnings.push(
      `${names.allowPlaintext} is true: SESSIONS WITHOUT TLS ARE TAKEN FROM THE INTERNET. Whoever is on their way can read them, change them and speak in the name of the object or of the central`,
    );
  }
  const ofList = isThere(accessList) ? warningOfMode(accessList, basename(accessList)) : undefined;
  return ofList === undefined ? warnings : [...warnings, ofList];
}

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;
