/** Where to dial or listen. `host` is a name or an IP address without brackets; `port` 0 (listening only) lets the system choose. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A serial port of this machine. */
export interface SerialAddress {
  /** `/dev/ttyUSB0`. */
  readonly serial: string;
  /** Bits a second. */
  readonly baud: number;
}

/** Where a unit can be reached. */
export type UnitAddress = Address | SerialAddress;

/** Where a unit is said to be: at an address, or (`mdns`) wherever discovery finds it. */
export type Whereabouts = UnitAddress | 'mdns';

/** wire/unit.md, "Carriers". */
export const DEFAULT_BAUD = 115_200;
/** What a serial port's address begins with. */
export const SERIAL_SCHEME = 'serial:';

export const isSerial = (where: Whereabouts): where is SerialAddress => typeof where === 'object' && 'serial' in where;

/** An address on the network; `undefined` for others. */
export const networkAddress = (where: Whereabouts | undefined): Address | undefined =>
  where === undefined || where === 'mdns' || isSerial(where) ? undefined : where;

/** As people write it: `host:port` with IPv6 in brackets, `serial:/dev/ttyUSB0`, `serial:/dev/ttyUSB0@9600`, `mdns`. */
export function addressText(where: Whereabouts): string {
  if (where === 'mdns') return where;
  if (isSerial(where)) return `${SERIAL_SCHEME}${where.serial}${where.baud === DEFAULT_BAUD ? '' : `@${where.baud}`}`;
  const { host, port } = where;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An IPv4 address that a socket for both families shows as IPv6 (`::ffff:192.0.2.1`), as it is written. */
export function plainHost(host: string): string {
  return host.startsWith('::ffff:') && host.includes('.') ? host.slice(7) : host;
}
