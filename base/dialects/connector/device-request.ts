import type { IncomingMessage } from 'node:http';
import type { ConnectorLimits } from './connector-limits.js';
import type { DeviceRequest } from './connector-options.js';

/** The header of older clients, and ours (wire/connector.md, "Devices"). */
const idHeaders = ['device_id', 'device-id'] as const;
/** What must not be there twice: which of the two is meant, nobody knows. */
const singleHeaders = [...idHeaders, 'device-name', 'device-type', 'user-agent', 'authorization'] as const;

const control = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
/** Clients take them out of a path before they send it, written as `%2E` too (WHATWG URL, "path state"). */
const pathSteps = /^\.{1,2}$/;
const controls = new RegExp(control, 'gu');

const utf8 = new TextDecoder('utf-8', { fatal: true });

export type DeviceRequestResult =
  | { readonly ok: true; readonly request: DeviceRequest }
  /** To be answered with 400. */
  | { readonly ok: false; readonly error: string };

/** What a device says of itself in the headers of its upgrade. Never throws. */
export function deviceRequestOf(
  { headers, headersDistinct }: Pick<IncomingMessage, 'headers' | 'headersDistinct'>,
  remoteAddress: string,
  limits: Pick<ConnectorLimits, 'idCharacters' | 'textCharacters'>,
): DeviceRequestResult {
  for (const name of singleHeaders)
    if ((headersDistinct[name]?.length ?? 0) > 1) return refuse(`the header ${name} is there more than once`);
  const [older, newer] = idHeaders.map((name) => headersDistinct[name]?.[0]);
  if (older !== undefined && newer !== undefined && older !== newer)
    return refuse('the headers device_id and Device-Id name two devices');
  const deviceId = textOf(newer ?? older ?? '');
  if (deviceId === '') return refuse('the header Device-Id is missing or empty');
  if (deviceId.length > limits.idCharacters)
    return refuse(`the device's id is longer than ${limits.idCharacters} characters`);
  if (pathSteps.test(deviceId)) return refuse("the device's id is a step in a path: no URL could name it");
  if (control.test(deviceId)) return refuse("the device's id has characters that cannot be printed");
  const described = (name: string): string | undefined => {
    const value = headersDistinct[name]?.[0];
    return value === undefined ? undefined : clean(textOf(value), limits.textCharacters) || undefined;
  };
  return {
    ok: true,
    request: {
      deviceId,
      name: described('device-name'),
      type: described('device-type'),
      userAgent: described('user-agent'),
      remoteAddress,
      headers,
    },
  };
}

const refuse = (error: string): DeviceRequestResult => ({ ok: false, error });

/** Node takes each octet for a character; where they are UTF-8, they were meant so. Keeps nothing else alive. */
function textOf(value: string): string {
  const octets = Buffer.from(value, 'latin1');
  try {
    return utf8.decode(octets);
  } catch {
    return octets.toString('latin1');
  }
}

/** Without control characters; cut, but never between the two halves of a character. */
function clean(text: string, characters: number): string {
  const printable = text.replace(controls, '').slice(0, characters);
  const whole = /[\ud800-\udbff]$/.test(printable) ? printable.slice(0, -1) : printable;
  // A copy: what was cut off would be kept in memory with the rest.
  return Buffer.from(whole).toString();
}
