import { realpathSync } from 'node:fs';
import { SERIAL_SCHEME } from '../../base/core/address.js';
import type { UnitView } from '../../base/core/unit-view.js';
import { BaseClient, type BaseOptions } from '../running-base.js';

/** The path of a serial unit's port, as the API has its address; `undefined` for others. */
export function portOf(address: string | undefined): string | undefined {
  if (address?.startsWith(SERIAL_SCHEME) !== true) return undefined;
  return address.slice(SERIAL_SCHEME.length).replace(/@\d+$/, '');
}

/** Whether both paths lead to one port: `/dev/serial/by-id/…` are links. */
export function isSamePort(one: string, other: string): boolean {
  return truePath(one) === truePath(other);
}

/** What to do about the running base, when it is that which holds the port; `undefined`: it is not, or none runs here. */
export async function holderText(port: string, config: string): Promise<string | undefined> {
  const units = await unitsOfBase({ config });
  const unit = units?.find(({ address }) => isSamePort(portOf(address) ?? '', port));
  if (unit === undefined) return undefined;
  return `${port} is held by the running base, for ${unit.unit}: stop the base (sudo systemctl stop baseunit, or Ctrl-C where it runs), and start it again afterwards`;
}

/** The units of the base that runs here; `undefined` when none runs, or it does not answer. */
export async function unitsOfBase(options: BaseOptions): Promise<readonly UnitView[] | undefined> {
  try {
    const base = await BaseClient.findIfThere(options);
    return (await base?.request<{ units: UnitView[] }>('GET', '/api/v1/units'))?.units;
  } catch {
    return undefined;
  }
}

function truePath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
