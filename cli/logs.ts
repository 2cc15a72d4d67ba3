import { type Command, Option } from 'commander';
import { type LogLevel, type LogLine, logLevels } from '../base/core/messages.js';
import { withBaseOptions } from './base-options.js';
import { leftOutText } from './event-text.js';
import { followEvents } from './follow-events.js';
import { BaseClient, type BaseOptions } from './running-base.js';
import { harmless, print, printError, printJson, styled } from './terminal.js';

interface LogsOptions extends BaseOptions {
  readonly follow?: boolean;
  readonly level: LogLevel;
}

type Line = Pick<LogLine, 'level' | 'text' | 'at' | 'leftOut'>;

/** The answer of `/units/{unit}/logs`. */
interface Logs {
  readonly lines: readonly Line[];
  readonly lastEventId: string;
}

/** `baseunit logs`: what a unit wrote to its own log. */
export function addLogs(program: Command): void {
  withBaseOptions(program.command('logs').argument('<unit>', 'UID of the unit'))
    .description('show the last lines that a unit wrote to its log')
    .option('-f, --follow', 'go on with those that come, until Ctrl-C')
    .addOption(
      new Option('--level <level>', 'only lines of this level and of more serious ones')
        .choices(logLevels)
        .default('debug'),
    )
    .action(async (unit: string, { follow, level, ...options }: LogsOptions) => {
      const isJson = program.opts<{ json?: boolean }>().json;
      const show = (line: Line): void => {
        if (isJson) printJson({ unit, ...line });
        else print(lineText(line));
      };
      const base = BaseClient.find(options);
      const path = `/api/v1/units/${encodeURIComponent(unit)}/logs?level=${level}`;
      const { lines, lastEventId } = await base.request<Logs>('GET', path);
      for (const line of lines) show(line);
      if (!follow) {
        if (lines.length === 0 && !isJson) printError(nothing(unit, level));
        return;
      }
      const from = logLevels.indexOf(level);
      await followEvents(
        base,
        { unit, kind: 'log' },
        (kind, data) => {
          if (kind === 'gap') return printError('Lines may be missing here: the base had more events than it keeps.');
          const { unit: _unit, ...line } = JSON.parse(data) as LogLine;
          if (kind === 'log' && logLevels.indexOf(line.level) >= from) show(line);
        },
        lastEventId,
      );
    });
}

const styles = { debug: 'dim', info: 'green', warn: 'yellow', error: 'red' } as const;

/** `2026-11-26 14:05:09  warn   sensor lost`, in this machine's time. */
function lineText({ level, text, at, leftOut }: Line): string {
  const time = styled('dim', localTime(at));
  return `${time}  ${styled(styles[level] ?? 'dim', harmless(level).padEnd(5))}  ${harmless(text)}${leftOutText(leftOut)}`;
}

function localTime(at: number): string {
  const date = new Date(at);
  const two = (part: number): string => String(part).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${date.toTimeString().slice(0, 8)}`;
}

const nothing = (unit: string, level: LogLevel): string =>
  level === 'debug'
    ? `${harmless(unit)} has written nothing to its log since the base started.`
    : `${harmless(unit)} has written nothing of level ${level} or above to its log since the base started.`;
