/** What is answered to `connthem` and `connme` (wire/elfin.md), with its `\n`. */
export const SUCCESS = '{"status":"success"}\n';
export const FAILED = '{"status":"failed"}\n';

/** A device as `query` tells it. */
export interface ListedDevice {
  readonly hostname: string;
  readonly macaddress: string;
  /** Local time of the gateway, as it is configured: `2026. 11. 20. 14:05:09`. */
  readonly lastseendate: string;
  readonly status: 'online' | 'offline';
}

/** The answer to `query`: one line of JSON, with its `\n`. */
export const encodeDeviceList = (devices: readonly ListedDevice[]): string => `${JSON.stringify(devices)}\n`;

/** Whether a tunnel is there; `undefined`: the line is no such answer. */
export function decodeStatus(line: string): boolean | undefined {
  const status = (parsed(line) as { readonly status?: unknown } | undefined)?.status;
  return status === 'success' ? true : status === 'failed' ? false : undefined;
}

/** The devices of a line; `undefined`: it is no list of devices. */
export function decodeDeviceList(line: string): readonly ListedDevice[] | undefined {
  const list = parsed(line);
  return Array.isArray(list) && list.every(isListed) ? list : undefined;
}

function isListed(value: unknown): value is ListedDevice {
  if (typeof value !== 'object' || value === null) return false;
  const { hostname, macaddress, lastseendate, status } = value as { readonly [Key in keyof ListedDevice]?: unknown };
  return [hostname, macaddress, lastseendate].every((each) => typeof each === 'string') && isStatus(status);
}

const isStatus = (status: unknown): boolean => status === 'online' || status === 'offline';

/** `undefined`: it is no object and no list. */
function parsed(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
