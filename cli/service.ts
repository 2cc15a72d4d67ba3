import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { projectRoot } from '../base/project-root.js';
import { ConfigurationError } from '../protocol/errors.js';
import { UNIT_MARK } from './service-unit.js';
import { print, printError, printJson, styled } from './terminal.js';

const UNIT_FOLDER = '/etc/systemd/system';
/** systemd reads it as root; nothing in it is a secret. */
const UNIT_MODE = 0o644;

interface UnitOption {
  readonly name: string;
  readonly unitFolder: string;
}

interface PrintOptions extends UnitOption {
  readonly config: string;
}

interface InstallOptions extends PrintOptions {
  readonly force?: boolean;
  readonly now?: boolean;
}

interface UninstallOptions extends UnitOption {
  readonly now?: boolean;
}

/** `baseunit service`: the base as a service of systemd, which starts it with the machine. */
export function addService(program: Command): void {
  const service = program.command('service').description('run the base as a hardened service of systemd');
  const isJson = (): boolean => program.opts<{ json?: boolean }>().json === true;
  const withUnit = (command: Command): Command =>
    command
      .option('--name <name>', 'of the service, when there is more than one', 'baseunit')
      .option('--unit-folder <folder>', 'where units are', UNIT_FOLDER);
  const config = ['-c, --config <file>', 'the configuration file of the base', 'base.json'] as const;

  withUnit(service.command('print').description('print the unit that install would write'))
    .option(...config)
    .action(async (options: PrintOptions) => {
      const { unit, warnings } = await plan(options);
      if (isJson()) return printJson({ file: fileOf(options), unit, warnings });
      print(unit.trimEnd());
      warn(warnings);
    });

  withUnit(service.command('install').description('write the unit; say what to do next'))
    .option(...config)
    .option('--force', 'replace a file that this program did not write')
    .option('--now', 'enable and start it too')
    .action(async (options: InstallOptions) => {
      const { unit, warnings } = await plan(options);
      const file = fileOf(options);
      if (existsSync(file) && !isOurs(file) && options.force !== true)
        throw refused(`${file} is there and was not written by this program; --force replaces it`);
      writeUnit(file, unit, `install -c ${resolve(options.config)} --name ${options.name}`);
      if (options.now === true) systemctl(['daemon-reload'], ['enable', '--now', options.name]);
      if (isJson()) return printJson({ written: file, warnings });
      print(`${file} is written.`);
      warn(warnings);
      if (options.now === true) return print(`It runs. Its log: journalctl -u ${options.name} -f`);
      print('Next:');
      print(`  ${styled('green', 'sudo systemctl daemon-reload')}`);
      print(`  ${styled('green', `sudo systemctl enable --now ${options.name}`)}`);
      print(`  ${styled('green', `journalctl -u ${options.name} -f`)}`);
    });

  withUnit(service.command('uninstall').description('take the unit away; what the base has stored stays'))
    .option('--now', 'stop it first')
    .action((options: UninstallOptions) => {
      const file = fileOf(options);
      if (!existsSync(file)) throw refused(`there is no ${file}`);
      if (!isOurs(file)) throw refused(`${file} was not written by this program: remove it by hand`);
      checkRoot(options.unitFolder, `uninstall --name ${options.name}`);
      if (options.now === true) systemctl(['disable', '--now', options.name]);
      rmSync(file);
      if (options.now === true) systemctl(['daemon-reload']);
      if (isJson()) return printJson({ removed: file });
      print(`${file} is removed. What the base has stored stays in /var/lib/${options.name}.`);
      if (options.now !== true) print(`Next: sudo systemctl daemon-reload; sudo systemctl stop ${options.name}`);
    });
}

const fileOf = ({ unitFolder, name }: UnitOption): string => join(resolve(unitFolder), `${name}.service`);
const isOurs = (file: string): boolean => readFileSync(file, 'utf8').startsWith(UNIT_MARK);

async function plan(options: PrintOptions): ReturnType<typeof import('./service-plan.js').planService> {
  // Commands load what they alone need when they run: on a Pi, all of it takes seconds.
  const { planService } = await import('./service-plan.js');
  return planService(options);
}

function writeUnit(file: string, unit: string, words: string): void {
  checkRoot(resolve(file, '..'), words);
  try {
    writeFileSync(file, unit, { mode: UNIT_MODE });
  } catch (cause) {
    throw refused(`${file} cannot be written: ${(cause as Error).message}`, cause);
  }
}

/** Only root may write where systemd looks. */
function checkRoot(folder: string, words: string): void {
  if (resolve(folder) !== UNIT_FOLDER || process.getuid?.() === 0) return;
  const command = `sudo ${process.execPath} ${join(projectRoot, 'cli', 'baseunit.mjs')} service ${words}`;
  throw refused(`only root may write to ${UNIT_FOLDER}: ${command}`);
}

function systemctl(...calls: readonly (readonly string[])[]): void {
  for (const words of calls) {
    try {
      execFileSync('systemctl', [...words], { stdio: ['ignore', 2, 2] });
    } catch (cause) {
      const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
      if (isMissing)
        throw new ConfigurationError('tool-missing', 'systemctl is not there: does systemd run this machine?');
      throw refused(`systemctl ${words.join(' ')} failed: see above`, cause);
    }
  }
}

function warn(warnings: readonly string[]): void {
  for (const warning of warnings) printError(`${styled('yellow', 'note', process.stderr)}: ${warning}`);
}

const refused = (message: string, cause?: unknown): ConfigurationError =>
  new ConfigurationError('request-refused', message, { cause });
