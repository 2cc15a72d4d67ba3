import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { Secrets } from '../base/config/secrets.js';
import type { UnitView } from '../base/core/unit-view.js';
import type { DiscoveredView } from '../base/discovery/discovery-port.js';
import { ConfigurationError } from '../protocol/errors.js';
import { toHex } from '../protocol/octets.js';
import { withBaseOptions } from './base-options.js';
import { keyFile } from './key-files.js';
import { BaseClient, type BaseOptions } from './running-base.js';
import { harmless, print, printJson, printTable } from './terminal.js';

interface AdoptOptions extends BaseOptions {
  readonly key?: string;
}

const OWN_FILE = 'base.json';

/** `baseunit adopt`: lists the units that announce themselves, and makes one of them a unit of the running base. */
export function addAdopt(program: Command): void {
  const isJson = (): boolean => program.opts<{ json?: boolean }>().json === true;

  withBaseOptions(program.command('adopt').argument('[unit]', 'its UID. Default: list those that announce themselves'))
    .description('add a unit that announces itself on the network to the running base, or list such units')
    .option('--key <where>', 'its key: env:NAME or file:path. Default: keys/<unit>.key beside the configuration')
    .action(async (uid: string | undefined, options: AdoptOptions) => {
      const base = BaseClient.find(options);
      const { units } = await base.request<{ units: DiscoveredView[] }>('GET', '/api/v1/discovered');
      if (uid === undefined) return list(units, isJson());
      const announced = units.find(({ unit }) => unit === uid);
      const key = announced?.key === 'line' && options.key === undefined ? undefined : keyOf(uid, options);
      const path = `/api/v1/discovered/${encodeURIComponent(uid)}/adopt`;
      const view = await base.request<UnitView>('POST', path, key === undefined ? {} : { key: toHex(key) });
      if (isJson()) return printJson(view);
      print(`${harmless(uid)} is a unit of this base now, and stays one over restarts.`);
      print(`See it with: baseunit units. Take it away again with: baseunit forget ${harmless(uid)}`);
      if (announced?.isSame === false)
        print(
          `It runs another version of ${harmless(announced.definition)} than the one here: the base says what differs.`,
        );
    });
}

function list(all: readonly DiscoveredView[], isJson: boolean): void {
  if (isJson) return printJson({ units: all });
  const units = all.filter(({ isKnown }) => !isKnown);
  if (units.length === 0) print(`No unit announces itself that this base does not have; ${all.length} do that it has.`);
  else
    printTable(
      ['UNIT', 'DEFINITION', 'VERSION', 'ADDRESS', 'BOARD', 'KEY', 'HERE'],
      units.map((unit) => cellsOf(unit).map(harmless)),
    );
  for (const { notes } of all) for (const note of notes) print(`Note: ${harmless(note)}`);
  if (units.length > 0) print('Adopt one: baseunit adopt <unit> [--key file:keys/<unit>.key]');
}

function cellsOf({ unit, definition, version, address, board, key, hasDefinition, isSame }: DiscoveredView): string[] {
  const here = isSame ? 'the same' : hasDefinition ? 'differs' : 'no such definition';
  return [unit, definition, version, address, board ?? '-', keyTexts[key], here];
}

const keyTexts: Readonly<Record<DiscoveredView['key'], string>> = {
  none: 'none yet',
  line: 'needs none',
  ours: 'ours',
  other: 'another',
  unknown: 'has one',
};

/** The one that is named, or that `baseunit keys make` has made; `undefined`: there is none. */
function keyOf(uid: string, { key, config = OWN_FILE }: AdoptOptions): Uint8Array | undefined {
  const own = keyFile({ config }, uid);
  if (key === undefined && !existsSync(own)) return undefined;
  if (key !== undefined && !/^(env|file):/.test(key))
    throw new ConfigurationError('config-invalid', '--key: write env:NAME or file:path, not the key itself');
  const read = new Secrets(process.cwd(), process.env).readKey(key ?? `file:${own}`);
  if (read.ok) return read.key;
  throw new ConfigurationError(read.isMissing ? 'secret-missing' : 'config-invalid', `--key ${read.what}`);
}
