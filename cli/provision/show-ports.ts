import { existsSync, readFileSync } from 'node:fs';
import { parseJsonText } from '../../base/core/json-text.js';
import { type ListedPort, listPorts } from '../../base/links/serial/port-list.js';
import type { BaseOptions } from '../running-base.js';
import { harmless, print, printJson, printTable } from '../terminal.js';
import { isSamePort, portOf, unitsOfBase } from './port-holder.js';

/** Where a command that names no configuration looks for one. */
const OWN_FILE = 'base.json';

interface PortUser {
  readonly unit: string;
  /** The unit's state in the running base; `undefined`: none runs. */
  readonly state: string | undefined;
  readonly path: string;
}

/** `baseunit units --serial`: the ports there are, and the units of the base or its configuration that are at them; `root` is `/`. */
export async function showPorts(options: BaseOptions, isJson: boolean, root = '/'): Promise<void> {
  const [ports, users] = await Promise.all([listPorts(root), usersOf(options)]);
  const shown = ports.map((port) => ({
    ...port,
    users: users.filter(({ path }) => isSamePort(path, port.path)).map(({ unit, state }) => ({ unit, state })),
  }));
  const absent = users.filter(({ path }) => !ports.some((port) => isSamePort(path, port.path)));
  if (isJson) return printJson({ ports: shown, absent });
  if (ports.length === 0) print('No board is plugged in (no /dev/ttyUSB*, /dev/ttyACM* or /dev/ttyAMA*).');
  else
    printTable(
      ['PORT', 'BOARD', 'USB', 'SERIAL NUMBER', 'UNIT'],
      shown.map(({ users: of, ...port }) =>
        [port.path, boardText(port), usbText(port), port.serialNumber ?? '-', of.map(userText).join(', ') || '-'].map(
          harmless,
        ),
      ),
    );
  for (const { path, lasting } of ports)
    if (lasting !== undefined) print(`${path} is also ${harmless(lasting)}, whatever else is plugged in.`);
  for (const user of absent) print(`${harmless(userText(user))} is configured at ${harmless(user.path)}.`);
}

async function usersOf(options: BaseOptions): Promise<readonly PortUser[]> {
  const units = await unitsOfBase(options);
  const known = units?.map(({ unit, state, address }) => ({ unit, state, address })) ?? configuredUnits(options.config);
  return known.flatMap(({ unit, state, address }) => {
    const path = portOf(address);
    return path === undefined ? [] : [{ unit, state, path }];
  });
}

/** What the configuration says of addresses; whatever else is wrong with it, `baseunit doctor` tells. */
function configuredUnits(config = OWN_FILE): { unit: string; state: undefined; address: string | undefined }[] {
  const parsed = existsSync(config) ? parseJsonText(readFileSync(config, 'utf8')) : undefined;
  const known = parsed?.ok ? (parsed.value as { units?: { known?: unknown } } | null)?.units?.known : undefined;
  if (typeof known !== 'object' || known === null) return [];
  return Object.entries(known as Record<string, unknown>).map(([unit, said]) => {
    const address = (said as { readonly address?: unknown } | null)?.address;
    return { unit, state: undefined, address: typeof address === 'string' ? address : undefined };
  });
}

const boardText = ({ manufacturer, product }: ListedPort): string =>
  [manufacturer, product].filter((name) => name !== undefined).join(' ') || '-';
const usbText = ({ vendorId, productId }: ListedPort): string =>
  vendorId === undefined ? '-' : `${vendorId}:${productId ?? '?'}`;
const userText = ({ unit, state }: Omit<PortUser, 'path'>): string =>
  state === undefined ? unit : `${unit} (${state})`;
