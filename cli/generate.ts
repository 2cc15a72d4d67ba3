import type { Command } from 'commander';
import { loadDefinitions } from '../base/config/definitions.js';
import { projectRoot } from '../base/project-root.js';
import type { MemorySize, UnitSizes } from '../codegen/unit-sizes.js';
import { print, printJson, printTable } from './terminal.js';

/** `baseunit generate`: firmware from definitions. */
export function addGenerate(program: Command): void {
  program
    .command('generate')
    .description(
      'write the firmware of the unit types in units/ to firmware/, and their environments to platformio.ini; tell what they take of their boards',
    )
    .argument('[unit...]', 'only these')
    .option('--check', 'write nothing; fail when what is there differs from the definitions')
    .action(async (units: string[], options: { check?: boolean }) => {
      const isJson = program.opts<{ json?: boolean }>().json;
      // Commands load what they alone need when they run: on a Pi, all of it takes seconds.
      const { checkFirmware, writeFirmware } = await import('../codegen/write-firmware.js');
      const definitions = await loadDefinitions();
      const only = units.length > 0 ? { only: units } : {};
      if (options.check) {
        await checkFirmware(projectRoot, definitions, only);
        return isJson
          ? printJson({ fresh: true })
          : print('firmware/ and platformio.ini are what the definitions say.');
      }
      const { written, removed, unchanged } = await writeFirmware(projectRoot, definitions, only);
      const { unitSizes } = await import('../codegen/unit-sizes.js');
      const sizes = [...definitions.values()]
        .filter(({ definition }) => units.length === 0 || units.includes(definition.name))
        .map(({ definition }) => unitSizes(definition));
      if (isJson) return printJson({ written, removed, unchanged, units: sizes });
      for (const path of written) print(`wrote    ${path}`);
      for (const path of removed) print(`removed  ${path}`);
      if (unchanged > 0) print(`${unchanged} ${unchanged === 1 ? 'file was' : 'files were'} up to date.`);
      printSizes(sizes);
    });
}

/** What each unit takes of its boards, and each message of the wire. */
function printSizes(units: readonly UnitSizes[]): void {
  const share = ({ octets, limit }: MemorySize): string =>
    `${octets} of ${limit} (${Math.ceil((octets / limit) * 100)} %)`;
  const rows = units.flatMap(({ unit, boards }) =>
    boards.map(({ board, ram, flash }) => [unit, board, share(ram), share(flash)]),
  );
  print('');
  printTable(['unit', 'board', 'static RAM, octets', 'flash, at most'], rows);
  print('');
  const messages = units.flatMap(({ unit, messages }) =>
    messages.map(({ message, kind, octets }) => [unit, `${kind} ${message}`, String(octets)]),
  );
  printTable(['unit', 'message', 'largest on the wire, octets'], messages);
}
