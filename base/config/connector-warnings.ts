import type { HttpAuthentication } from '../links/http-authentication.js';
import { isOnNetwork } from './address.js';
import type { ConnectorConfiguration } from './configuration.js';

/** What works in a cloud connector and should be known: who may get in, and read along. Loopback is no network. */
export function connectorWarnings({ devices, api }: ConnectorConfiguration): string[] {
  const warnings: string[] = [];
  if (devices !== undefined && isOnNetwork(devices.listen) && typeof devices.authenticate !== 'function') {
    if (devices.authenticate.kind === 'none') {
      warnings.push(
        'connector.websocket without connector.deviceAuth: whoever reaches it can connect as any device, and take the place of one that is there',
      );
    } else if (devices.tls === undefined) {
      warnings.push(inClear('websocket', 'tls', devices.authenticate, 'connection of a device'));
    }
  }
  if (api !== undefined && isOnNetwork(api.listen)) {
    if (api.auth.kind === 'none') {
      warnings.push(
        'connector.http without connector.auth: WHOEVER REACHES IT CAN COMMAND EVERY DEVICE, with no password. Write "auth", or listen at 127.0.0.1',
      );
    } else if (api.tls === undefined) {
      warnings.push(inClear('http', 'tls', api.auth, 'request'));
    }
  }
  return warnings;
}

function inClear(server: string, tls: string, { kind }: HttpAuthentication, each: string): string {
  const secret = kind === 'basic' ? 'the password' : 'the token';
  return `connector.${server} without connector.${tls}: ${secret} travels in clear with every ${each}`;
}
