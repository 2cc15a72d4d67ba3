import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type System, textAt } from './system.js';

/** What `baseunit service install` calls it, unless told otherwise. */
const USUAL_NAME = 'baseunit.service';

/** A unit of systemd that starts a base with the machine. */
export interface InstalledService {
  /** `baseunit.service`. */
  readonly name: string;
  /** It starts a base with the configuration that is looked at. */
  readonly isOfConfiguration: boolean;
  /** Where that base keeps its state, which only root and the service's own user may see. */
  readonly stateFolder: string | undefined;
  /** What is set for the service alone, as far as this user may read it. */
  readonly environment: Readonly<Record<string, string>>;
}

/** `systemd.unit(5)`: what is written on the machine goes before what a package brought. */
const unitFolders = [
  'etc/systemd/system',
  'run/systemd/system',
  'usr/local/lib/systemd/system',
  'usr/lib/systemd/system',
  'lib/systemd/system',
];

/** That of the configuration, whose path is absolute; else the one of the usual name; `undefined`: there is none. */
export function installedService(root: string, configFile: string): InstalledService | undefined {
  const all = unitFolders.flatMap((folder) => basesIn(root, join(root, folder), configFile));
  return all.find(({ isOfConfiguration }) => isOfConfiguration) ?? all.find(({ name }) => name === USUAL_NAME);
}

function basesIn(root: string, folder: string, configFile: string): InstalledService[] {
  return namesIn(folder).flatMap((name) => {
    const text = name.endsWith('.service') ? textAt(join(folder, name)) : undefined;
    const command = /^ExecStart=(.*)$/m.exec(text ?? '')?.[1];
    if (text === undefined || command === undefined || !/\bbaseunit\b/.test(command)) return [];
    const [, state] = /^StateDirectory=(\S+)/m.exec(text) ?? [];
    const [, environment] = /^EnvironmentFile=-?(\S+)/m.exec(text) ?? [];
    const words = command.split(/\s+/).map(unquoted);
    return [
      {
        name,
        isOfConfiguration: words.includes(configFile),
        stateFolder: state === undefined ? undefined : join(root, 'var', 'lib', state),
        environment: environment === undefined ? {} : environmentIn(textAt(join(root, environment)) ?? ''),
      },
    ];
  });
}

/** `systemd.exec(5)`, EnvironmentFile: a line a variable; no shell reads it. */
function environmentIn(text: string): Record<string, string> {
  const lines = text.split('\n').flatMap((line) => {
    const [, name, value] = /^\s*([A-Za-z_]\w*)=(.*?)\s*$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, unquoted(value!)] as const];
  });
  return Object.fromEntries(lines);
}

const unquoted = (word: string): string => word.replace(/^(["'])(.*)\1$/, '$2');

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The process that systemd runs for it; `undefined`: none. */
export async function processOfService(name: string, { run }: Pick<System, 'run'>): Promise<number | undefined> {
  const ran = await run('systemctl', 'show', '-p', 'MainPID', '--value', name);
  const pid = Number(ran?.exitCode === 0 ? ran.output.trim() : '');
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}
