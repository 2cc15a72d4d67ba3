import type { IncomingHttpHeaders } from 'node:http';
import type { Address } from '../../core/address.js';
import type { TlsFiles } from '../../links/certificates.js';
import type { HttpAuthentication } from '../../links/http-authentication.js';
import type { ConnectorLimits } from './connector-limits.js';

/** The devices' side of the cloud connector (wire/connector.md), checked and resolved. */
export interface ConnectorDeviceOptions {
  /** Where devices connect, with the path `/connect`. The original's port is 8080. */
  readonly listen: Address;
  /** Certificate and key, PEM; read anew when they change. `undefined`: ws, in clear. */
  readonly tls: TlsFiles | undefined;
  /** Who may connect: what the header `Authorization` must say, or a function that decides. */
  readonly authenticate: HttpAuthentication | AuthenticateDevice;
  /** How long a device may take to answer a command or a query; at most 30 s. */
  readonly answerTimeoutMs: number;
  /** What devices say goes to the history of the store. */
  readonly history: boolean;
  readonly limits: ConnectorLimits;
}

/**
 * Decides whether a device may connect; only `true` lets it. What throws, rejects or takes longer than
 * `limits.authenticateMs` refuses that one device.
 */
export type AuthenticateDevice = (request: DeviceRequest) => boolean | Promise<boolean>;

/** A device that wants to connect. Nothing of it is proved. */
export interface DeviceRequest {
  readonly deviceId: string;
  /** What it says of itself; cut, and without control characters. */
  readonly name: string | undefined;
  readonly type: string | undefined;
  readonly userAgent: string | undefined;
  /** `192.168.1.20:51234`. */
  readonly remoteAddress: string;
  /** As Node has them: names in small letters. */
  readonly headers: IncomingHttpHeaders;
}
