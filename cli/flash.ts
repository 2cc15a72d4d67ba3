import type { Command } from 'commander';
import { loadDefinitions } from '../base/config/definitions.js';
import { projectRoot } from '../base/project-root.js';
import { exitCodes } from './exit-codes.js';
import { printJson } from './terminal.js';

/** `baseunit flash`: PlatformIO's upload for one unit type and board. */
export function addFlash(program: Command): void {
  program
    .command('flash')
    .description("build a unit type's firmware with PlatformIO and upload it to the board at the USB port")
    .argument('<unit>', 'name of its definition, as led-lamp')
    .requiredOption('--board <board>', 'one that its definition names: nodemcuv2, d1_mini or uno')
    .option('--port <port>', 'serial port, as /dev/ttyUSB0; default: the first that PlatformIO finds')
    .action(async (unit: string, { board, port }: { board: string; port?: string }) => {
      const { flash } = await import('../codegen/flash.js');
      const definitions = await loadDefinitions();
      const { exitCode } = await flash({
        unit,
        board,
        root: projectRoot,
        definitions,
        ...(port === undefined ? {} : { port }),
      });
      if (program.opts<{ json?: boolean }>().json) printJson({ unit, board, flashed: exitCode === 0 });
      process.exitCode = exitCode === 0 ? exitCodes.ok : exitCodes.failed;
    });
}
