import type { Address } from '../../core/address.js';
import type { TlsFiles } from '../../links/certificates.js';
import type { IotsocketLimits } from './iotsocket-limits.js';

/** The concentrator's configuration, checked and resolved. A listener that is `undefined` is switched off. */
export interface IotsocketOptions {
  /** Sessions of objects and of the central. The original's port is 50505. */
  readonly tcp: Address | undefined;
  /** The same sessions, as binary messages of a WebSocket. */
  readonly websocket: Address | undefined;
  /** Telemetry. */
  readonly udp: Address | undefined;
  /** `POST /acl` and `POST /request` of the central. */
  readonly http: Address | undefined;
  /** Certificate and key, PEM; read anew when they change. `undefined`: sessions that ask for TLS are refused, HTTP is in clear. */
  readonly tls: TlsFiles | undefined;
  /** The same for HTTP, where it is not `tls` (the original's file names one for each); `null`: in clear. Absent: `tls`. */
  readonly httpTls?: TlsFiles | null;
  /** How long what is for a peer that is away is kept. */
  readonly keepSessionMs: number;
  /** How long an answer to a request over a session may take. */
  readonly requestTimeoutMs: number;
  readonly central: CentralOptions | undefined;
  /** By name. */
  readonly groups: ReadonlyMap<string, GroupOptions>;
  /** Absolute path of the file with the access list, `{UID: {GroupName, AuthKey}}`. */
  readonly accessList: string;
  /** Where newcomers are sent; `undefined`: nowhere, they are taken. */
  readonly redirect: RedirectOptions | undefined;
  /** Sessions without TLS from public addresses are taken. */
  readonly allowPlaintext: boolean;
  /** Telemetry goes to the history of the store. */
  readonly history: boolean;
  readonly limits: IotsocketLimits;
}

export interface CentralOptions {
  /** 16 octets. */
  readonly key: Uint8Array;
  readonly webhooks: CentralWebhookOptions;
}

export interface CentralWebhookOptions {
  /** `undefined`: there is none. */
  readonly request: string | undefined;
  readonly telemetry: string | undefined;
  /** Certificate authority (PEM) to trust instead of the public ones. */
  readonly ca: string | undefined;
  /** The names in the URLs may lead to private addresses. */
  readonly allowPrivate: boolean;
  /** Octets of an answer. */
  readonly maxContentLength: number;
  /** How long an answer may take. */
  readonly maxWaitMs: number;
}

export interface GroupOptions {
  readonly telemetry: boolean;
  readonly telemetryTokenLifeMs: number;
  /** A ping after so long without octets from the object, and the end after so long without any. */
  readonly pingAfterMs: number;
  readonly deadAfterMs: number;
}

export interface RedirectOptions {
  readonly host: string;
  readonly port: number;
  /** From so many sessions on; 0: always. */
  readonly aboveSessions: number;
}
