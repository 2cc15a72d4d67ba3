import { ConfigurationError } from '../protocol/errors.js';
import { findPlatformio } from './find-platformio.js';
import { environmentOf } from './platformio.js';
import { runProgram } from './run-program.js';
import { checkFirmware, type DefinitionsByName, unknownUnit } from './write-firmware.js';

export interface FlashOptions {
  readonly unit: string;
  /** One of the definition's `boards`: `nodemcuv2`, `d1_mini`, `uno`. */
  readonly board: string;
  /** `/dev/ttyUSB0`; PlatformIO looks for one when it is not given. */
  readonly port?: string;
  /** The project's root, where `platformio.ini` is. */
  readonly root: string;
  readonly definitions: DefinitionsByName;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

/** What to do where PlatformIO is missing. */
const howToInstall =
  'PlatformIO is not installed (neither `pio` nor `platformio` is in PATH). Install it with\n' +
  '  sudo apt install pipx && pipx install platformio && pipx ensurepath\n' +
  'then open a new terminal and try again.';

/**
 * Builds and uploads a unit's firmware with PlatformIO, whose output is shown as it comes. What is flashed is what the
 * definition says: throws `firmware-stale` when the generated files differ, `definition-missing` for an unknown unit,
 * `config-invalid` for a board that the definition has not, `tool-missing` without PlatformIO.
 */
export async function flash(options: FlashOptions): Promise<{ readonly exitCode: number }> {
  const { unit, board, root, definitions } = options;
  const found = definitions.get(unit);
  if (found === undefined) throw unknownUnit(unit, definitions);
  const { definition, file } = found;
  if (!definition.boards.some((possible) => possible === board)) {
    throw new ConfigurationError(
      'config-invalid',
      `board '${board}' cannot be flashed with ${unit}; possible are: ${definition.boards.join(', ')} (\`boards\` in ${file})`,
    );
  }
  await checkFirmware(root, definitions, { only: [unit] });
  const env = options.env ?? process.env;
  const pio = findPlatformio(env);
  if (pio === undefined) throw new ConfigurationError('tool-missing', howToInstall);
  const args = ['run', '-e', environmentOf(unit, board), '-t', 'upload'];
  if (options.port !== undefined) args.push('--upload-port', options.port);
  const { exitCode } = await runProgram(pio, args, {
    cwd: root,
    env,
    isShown: true,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return { exitCode: exitCode ?? 1 };
}
