import { isIP, isIPv4, isIPv6 } from 'node:net';
import { type Address, DEFAULT_BAUD, SERIAL_SCHEME, type Whereabouts } from '../core/address.js';

export type ParsedAddress =
  | { readonly ok: true; readonly address: Address }
  /** `what` follows the value: `"lamp:x" has no valid port: …`. */
  | { readonly ok: false; readonly what: string };

const MAX_PORT = 65_535;
/** DNS, RFC 1035 §2.3.4. */
const MAX_HOST_OCTETS = 253;
const hostName = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?$/;

const refuse = (what: string): { readonly ok: false; readonly what: string } => ({ ok: false, what });

/** Reads `host`, `host:port`, `[::1]` and `[::1]:port`. Never throws. */
export function parseAddress(text: string, defaultPort: number): ParsedAddress {
  if (isIPv6(text)) return refuse(`is an IPv6 address without brackets; write "[${text}]:${defaultPort}"`);
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s.exec(text);
  if (match === null) return refuse(`is no address; write "host:${defaultPort}" or "[::1]:${defaultPort}"`);
  const [, bracketed, plain, portText] = match;
  const host = bracketed ?? plain ?? '';
  if (host === '') return refuse(`has no host; write "host:${defaultPort}"`);
  if (bracketed !== undefined && !isIPv6(bracketed)) {
    return refuse(`has no IPv6 address between its brackets; write "[::1]:${defaultPort}"`);
  }
  if (bracketed === undefined && !isHost(host)) {
    return refuse(
      `has no valid host; write a name as "kitchen-lamp.local" or an IP address as "192.168.1.20", without "https://" or a path`,
    );
  }
  const port = portText === undefined ? defaultPort : parsePort(portText);
  if (port === undefined)
    return refuse(`has no valid port; write a whole number from 0 to ${MAX_PORT} behind the colon`);
  return { ok: true, address: { host, port } };
}

export type ParsedWhereabouts =
  | { readonly ok: true; readonly where: Whereabouts }
  | { readonly ok: false; readonly what: string };

/** What microcontrollers' serial lines are run with. */
const MIN_BAUD = 300;
const MAX_BAUD = 3_000_000;

/** Reads what {@link parseAddress} reads, `serial:/dev/ttyUSB0`, `serial:/dev/ttyUSB0@9600` and `mdns`. Never throws. */
export function parseWhereabouts(text: string, defaultPort: number): ParsedWhereabouts {
  if (text === 'mdns') return { ok: true, where: text };
  if (!text.startsWith(SERIAL_SCHEME)) {
    const parsed = parseAddress(text, defaultPort);
    return parsed.ok ? { ok: true, where: parsed.address } : parsed;
  }
  const [, serial = '', baudText] = /^serial:([^@]*)(?:@(.*))?$/s.exec(text) ?? [];
  if (!/^\/[\x21-\x7e]+$/.test(serial))
    return refuse(
      'has no serial port; write its whole path, as "serial:/dev/ttyUSB0"; `baseunit units --serial` lists them',
    );
  const baud = baudText === undefined ? DEFAULT_BAUD : Number(/^\d{1,7}$/.exec(baudText)?.[0] ?? Number.NaN);
  if (!(baud >= MIN_BAUD && baud <= MAX_BAUD))
    return refuse(`has no valid baud rate; write a whole number from ${MIN_BAUD} to ${MAX_BAUD} behind the @`);
  return { ok: true, where: { serial, baud } };
}

/** One spelling for one host: lower case, IPv6 shortened, IPv4-mapped IPv6 as IPv4, no dot at the end. */
export function canonicalHost(host: string): string {
  if (!isIPv6(host)) return host.toLowerCase().replace(/\.$/, '');
  const [address = '', zone] = host.split('%');
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short);
  if (mapped === null) return zone === undefined ? short : `${short}%${zone}`;
  const [high, low] = [Number.parseInt(mapped[1]!, 16), Number.parseInt(mapped[2]!, 16)];
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

/** True for addresses that only this machine reaches: `localhost`, 127.0.0.0/8, `::1`. */
export function isLoopbackHost(host: string): boolean {
  const canonical = canonicalHost(host);
  return (
    canonical === 'localhost' ||
    canonical.endsWith('.localhost') ||
    canonical === '::1' ||
    (isIPv4(canonical) && canonical.startsWith('127.'))
  );
}

/** True where others than this machine may reach what listens there. */
export const isOnNetwork = ({ host }: Address): boolean => !isLoopbackHost(host);

/** True when the system would refuse to listen at both: the same port, and hosts of which one covers the other. */
export function listenersCollide(a: Address, b: Address): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  const [one, other] = [canonicalHost(a.host), canonicalHost(b.host)];
  return (
    one === other ||
    covers(one, other) ||
    covers(other, one) ||
    (isLoopbackHost(one) && isLoopbackHost(other) && (one === 'localhost' || other === 'localhost'))
  );
}

/** `::` takes IPv4 connections too, where the system is not told otherwise. */
function covers(wide: string, host: string): boolean {
  return wide === '::' || (wide === '0.0.0.0' && isIP(host) !== 6);
}

function isHost(host: string): boolean {
  // What looks like a dotted number must be one: "192.168.1.300" is a typing error and no name.
  if (/^[\d.]+$/.test(host)) return isIPv4(host);
  return host.length <= MAX_HOST_OCTETS && hostName.test(host);
}

function parsePort(text: string): number | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= MAX_PORT ? port : undefined;
}
