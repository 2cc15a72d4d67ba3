import type { Command } from 'commander';
import { DEFAULT_UNIT_PORT } from '../base/config/configuration.js';
import { type Address, addressText, DEFAULT_BAUD } from '../base/core/address.js';
import { ConfigurationError } from '../protocol/errors.js';
import { MAX_BASE_OCTETS, MAX_WIFI_NAME_OCTETS, MAX_WIFI_PASSWORD_OCTETS } from '../protocol/serial/improv.js';
import { checkedUid } from './key-files.js';
import { parsePlace } from './place.js';
import type { KeyOptions } from './provision/unit-key.js';
import { print, printJson } from './terminal.js';

interface ProvisionOptions extends KeyOptions {
  readonly port?: string;
  readonly wifi?: string;
  /** `false`: the network is open. */
  readonly password?: string | false;
  readonly base?: Address;
}

/** `baseunit provision`: tells a board at a USB port who it is, and which Wi-Fi to join. */
export function addProvision(program: Command): void {
  program
    .command('provision')
    .description('tell a flashed board, over its USB port, its UID and key and the Wi-Fi it is to join')
    .argument('<unit>', "the unit's UID, as kitchen-lamp: at most 16 octets")
    .option('--port <path>', 'the serial port, as /dev/ttyUSB0. Default: the only one there is')
    .option('--wifi <name>', 'name of the Wi-Fi (2.4 GHz). Without it the unit gets UID and key alone')
    .option('--password <secret>', "the Wi-Fi's password: env:NAME or file:path. Default: it is asked for")
    .option('--no-password', 'the Wi-Fi is open')
    .option(
      '--base <address>',
      'host[:8888] of the base that the unit dials. Default: the base dials the unit',
      parseBase,
    )
    .option(
      '--key <secret>',
      'a key that is there already: env:NAME or file:path. Default: the one in keys/, or a new one',
    )
    .option('--new-key', 'make another key, also when there is one in keys/')
    .option('-c, --config <file>', 'the configuration file; keys/ is beside it', 'base.json')
    .action(async (unit: string, options: ProvisionOptions) => {
      const uid = checkedUid(unit);
      checkOptions(options);
      // Commands load what they alone need when they run: on a Pi, all of it takes seconds.
      const [{ provision }, { theOnlyPort }] = await Promise.all([
        import('./provision/provision-unit.js'),
        import('./provision/the-only-port.js'),
      ]);
      const isJson = program.opts<{ json?: boolean }>().json === true;
      const port = options.port ?? (await theOnlyPort());
      const password = options.wifi === undefined ? '' : await passwordOf(options.wifi, options.password);
      const say = isJson ? () => {} : print;
      const done = await provision({
        ...options,
        uid,
        port: { serial: port, baud: DEFAULT_BAUD },
        password,
        base: options.base && addressText(options.base),
        say,
      });
      if (isJson) printJson(done);
    });
}

const parseBase = (text: string): Address => parsePlace(text, DEFAULT_UNIT_PORT);

function checkOptions({ wifi, password, base }: ProvisionOptions): void {
  if (wifi === undefined && password !== undefined) throw wrong('--password is for a Wi-Fi: name it with --wifi');
  if (wifi !== undefined) checkLength('--wifi', wifi, 1, MAX_WIFI_NAME_OCTETS);
  if (base !== undefined) checkLength('--base', addressText(base), 1, MAX_BASE_OCTETS);
}

async function passwordOf(wifi: string, option: string | false | undefined): Promise<string> {
  if (option === false) return '';
  const password = option === undefined ? await asked(wifi) : await named(option);
  checkLength('the password of the Wi-Fi', password, 1, MAX_WIFI_PASSWORD_OCTETS);
  return password;
}

async function named(option: string): Promise<string> {
  const { readSecretOption } = await import('./secret-option.js');
  return readSecretOption(option, '--password');
}

async function asked(wifi: string): Promise<string> {
  if (process.stdin.isTTY !== true)
    throw wrong('there is no terminal to ask for the password: --password env:NAME or file:path, or --no-password');
  const { askSecret } = await import('./ask-secret.js');
  return askSecret(`Password of the Wi-Fi ${JSON.stringify(wifi)}: `);
}

function checkLength(what: string, text: string, least: number, most: number): void {
  const { length } = new TextEncoder().encode(text);
  if (length < least || length > most) throw wrong(`${what} must have ${least} to ${most} octets, not ${length}`);
}

const wrong = (what: string): ConfigurationError => new ConfigurationError('config-invalid', what);
