import type { Command } from 'commander';
import { loadDefinitions } from '../base/config/definitions.js';
import { projectRoot } from '../base/project-root.js';
import { print, printJson } from './terminal.js';

/** `baseunit generate`: firmware from definitions. */
export function addGenerate(program: Command): void {
  program
    .command('generate')
    .description(
      'write the firmware of the unit types in units/ to firmware/, and their environments to platformio.ini',
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
      if (isJson) return printJson({ written, removed, unchanged });
      for (const path of written) print(`wrote    ${path}`);
      for (const path of removed) print(`removed  ${path}`);
      if (unchanged > 0) print(`${unchanged} ${unchanged === 1 ? 'file was' : 'files were'} up to date.`);
    });
}
