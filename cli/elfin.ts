import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type {
  ElfinDeviceView,
  ElfinEndView,
  ElfinTunnelView,
  ElfinUserView,
} from '../base/dialects/elfin/elfin-port.js';
import { ConfigurationError } from '../protocol/errors.js';
import { withBaseOptions } from './base-options.js';
import { addElfinConnect } from './elfin-connect.js';
import { findElfinUsers, madeSecret } from './elfin-users.js';
import { BaseClient, type BaseOptions } from './running-base.js';
import { readSecretOption } from './secret-option.js';
import { harmless, print, printJson, printTable } from './terminal.js';

interface AddOptions extends BaseOptions {
  readonly name?: string;
  /** False: `--no-secret`. */
  readonly secret?: string | false;
  readonly newSecret?: true;
}

/** `baseunit elfin`: the Elfin gateway's users, devices and tunnels, and a tunnel for a program. */
export function addElfin(program: Command): void {
  const elfin = program.command('elfin').description('look after the Elfin gateway, and reach its devices');
  const isJson = (): boolean => program.opts<{ json?: boolean }>().json === true;

  addUsers(elfin, isJson);

  withBaseOptions(elfin.command('devices').argument('[uuid]', 'of this user only'))
    .description('list the devices of the running base, those that are away too')
    .action(async (uuid: string | undefined, options: BaseOptions) => {
      const query = uuid === undefined ? '' : `?user=${encodeURIComponent(uuid)}`;
      const { devices } = await BaseClient.find(options).request<{ devices: ElfinDeviceView[] }>(
        'GET',
        `/api/v1/elfin/devices${query}`,
      );
      if (isJson()) return printJson({ devices });
      if (devices.length === 0) return print('No device has said a word yet.');
      printTable(
        ['DEVICE', 'USER', 'HOST', 'STATE', 'LAST SEEN'],
        devices.map(({ unit, user, host, isOnline, lastSeenAt }) =>
          [unit, user, host, isOnline ? 'online' : 'offline', new Date(lastSeenAt).toISOString()].map(harmless),
        ),
      );
    });

  withBaseOptions(elfin.command('tunnels'))
    .description('list the tunnels of the running base, and what went through them')
    .action(async (options: BaseOptions) => {
      const { tunnels } = await BaseClient.find(options).request<{ tunnels: ElfinTunnelView[] }>(
        'GET',
        '/api/v1/elfin/tunnels',
      );
      if (isJson()) return printJson({ tunnels });
      if (tunnels.length === 0) return print('There are no tunnels.');
      printTable(
        ['USER', 'FROM', 'SENT', 'TO', 'SENT', 'SINCE'],
        tunnels.map(({ user, ends: [first, second], openedAt }) =>
          [user, ...endCells(first), ...endCells(second), new Date(openedAt).toISOString()].map(harmless),
        ),
      );
    });

  addElfinConnect(elfin);
}

function addUsers(elfin: Command, isJson: () => boolean): void {
  const users = elfin.command('users').description('add, list and remove the users of the gateway');

  withBaseOptions(users.command('add').argument('[uuid]', 'what it is called on the wire. Default: one is made'))
    .description('add a user, or change one: what is left out stays as it is')
    .option('--name <name>', 'for people')
    .option('--secret <where>', 'what each of its messages must carry: env:NAME or file:path')
    .option('--new-secret', 'make one, and print it this once')
    .option('--no-secret', 'whoever knows the uuid is the user')
    .action(async (given: string | undefined, options: AddOptions) => {
      const { name, newSecret } = options;
      if (newSecret && options.secret !== undefined)
        throw new ConfigurationError('config-invalid', 'write one of these: --secret, --new-secret, --no-secret');
      const secret = newSecret ? madeSecret() : asked(options.secret);
      const user = await (await findElfinUsers(options)).put({ uuid: given ?? randomUUID(), name, secret });
      const shown = newSecret ? { ...user, secret } : user;
      if (isJson()) return printJson(shown);
      print(userText(user));
      if (newSecret) {
        print(`Its secret, which is shown this once: ${secret}`);
        print(`Adapters and programs write both where they wrote the uuid: ${user.uuid}:${secret}`);
      }
    });

  withBaseOptions(users.command('list', { isDefault: true }))
    .description('list the users')
    .action(async (options: BaseOptions) => {
      const all = await (await findElfinUsers(options)).all();
      if (isJson()) return printJson({ users: all });
      if (all.length === 0) return print('There are no users. Add one: baseunit elfin users add');
      printTable(
        ['USER', 'NAME', 'SECRET', 'DEVICES'],
        all.map(({ uuid, name = '', hasSecret, devices }) =>
          [uuid, name, hasSecret ? 'yes' : 'no', String(devices)].map(harmless),
        ),
      );
    });

  withBaseOptions(users.command('remove').argument('<uuid>', 'the user, as "baseunit elfin users" lists it'))
    .description('remove a user, with its devices and its tunnels')
    .action(async (uuid: string, options: BaseOptions) => {
      await (await findElfinUsers(options)).remove(uuid);
      if (isJson()) return printJson({ user: uuid, removed: true });
      print(`The user ${harmless(uuid)} is removed, with its devices.`);
    });
}

/** `null`: none from now on. */
function asked(secret: string | false | undefined): string | null | undefined {
  if (secret === false) return null;
  return secret === undefined ? undefined : readSecretOption(secret);
}

function userText({ uuid, name, hasSecret, devices }: ElfinUserView): string {
  const named = name === undefined || name === '' ? '' : ` (${harmless(name)})`;
  const secret = hasSecret ? 'with a secret' : 'without a secret: whoever knows the uuid may use it';
  return `The user ${harmless(uuid)}${named} is there, ${secret}; devices: ${devices}.`;
}

const endCells = ({ unit, remoteAddress, octets }: ElfinEndView): string[] => [
  unit ?? remoteAddress,
  `${octets} octets`,
];
