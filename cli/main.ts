import { Command, CommanderError } from 'commander';
import { version } from '../base/version.js';
import { StoreError } from '../protocol/errors.js';
import { addAdopt } from './adopt.js';
import { addBackup } from './backup.js';
import { addDoctor } from './doctor.js';
import { addElfin } from './elfin.js';
import { exitCodeOf, exitCodes } from './exit-codes.js';
import { addFlash } from './flash.js';
import { addForget } from './forget.js';
import { addGenerate } from './generate.js';
import { addKeys } from './keys.js';
import { addLogs } from './logs.js';
import { addOutbox } from './outbox.js';
import { addProvision } from './provision.js';
import { addRestore } from './restore.js';
import { addRun } from './run.js';
import { addSend } from './send.js';
import { addService } from './service.js';
import { addSimulate } from './simulate.js';
import { addStart } from './start.js';
import { printError, printJson, styled } from './terminal.js';
import { addUnits } from './units.js';
import { addWatch } from './watch.js';
import { addYamqtt } from './yamqtt.js';

/** The whole command line; exported for the tests of its help. */
export function commandLine(): Command {
  const program = new Command('baseunit')
    .description('Base unit and firmware companion for microcontrollers')
    .version(version)
    .option('--json', 'print JSON, one object a line, for other programs')
    .showHelpAfterError('(baseunit --help tells more)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 wrong usage, configuration or definition, 3 base or unit not reached, 4 outcome other than ok',
    );
  for (const add of subcommands) add(program);
  return program;
}

/** A command, and all below it. */
export function allCommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

const subcommands = [
  ...[addStart, addRun, addGenerate, addFlash, addProvision, addSimulate],
  ...[addSend, addUnits, addAdopt, addWatch, addLogs, addKeys],
  ...[addOutbox, addBackup, addRestore, addForget],
  ...[addElfin, addYamqtt],
  ...[addService, addDoctor],
];

/** Runs a command line and ends the process with its exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = commandLine();
  for (const command of allCommands(program)) command.exitOverride();
  // Who reads our output may leave before we do, as `head` does: that is no failure.
  process.stdout.on('error', () => process.exit());
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    tell(error, program.opts<{ json?: boolean }>().json === true);
  }
  // Libraries may hold sockets open for a while (pusher-js up to 30 s); what is printed goes out first.
  process.stdout.write('', () => process.exit());
}

function tell(error: unknown, isJson: boolean): void {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    // For people, commander has said it already.
    if (isJson && process.exitCode !== exitCodes.ok) printJson({ error: { code: 'usage', message: usageText(error) } });
    return;
  }
  process.exitCode = exitCodeOf(error);
  const { message, code } = error as Error & { readonly code?: string };
  if (isJson) printJson({ error: { code: code ?? 'internal', message } });
  else printError(`${styled('red', 'error', process.stderr)}: ${message}`);
  // A disk that is full is no fault of this program: where it came up helps nobody.
  if (process.exitCode !== exitCodes.failed || error instanceof StoreError) return;
  if (error instanceof Error && error.stack) printError(error.stack);
}

function usageText({ code, message }: CommanderError): string {
  return code === 'commander.help' ? 'name a command; baseunit --help lists them' : message.replace(/^error: /, '');
}
