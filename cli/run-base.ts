import type { DestinationStream } from 'pino';
import { createBase } from '../base/create-base.js';
import { logLines } from '../base/log-lines.js';

interface RunOptions {
  /** The configuration file. */
  readonly config: string;
  readonly logLevel: string;
  /** Log lines as JSON on a terminal too. */
  readonly isJson: boolean;
}

/** Runs the base of a configuration file until the process is told to stop. */
export async function runBase({ config, logLevel, isJson }: RunOptions): Promise<void> {
  const isForPeople = !isJson && process.stdout.isTTY === true;
  const lines = isForPeople ? await prettyLines() : undefined;
  const base = await createBase({ config, log: logLines(logLevel, lines) });
  await base.run();
}

/** On a terminal, for people. */
async function prettyLines(): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty');
  const isPlain = (process.env.NO_COLOR ?? '') !== '';
  return pretty({ colorize: !isPlain, translateTime: 'SYS:HH:MM:ss', sync: true });
}
