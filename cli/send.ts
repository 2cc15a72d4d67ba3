import { randomUUID } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { loadDefinitions } from '../base/config/definitions.js';
import { findRunning } from '../base/config/running-file.js';
import { stateFolderPath } from '../base/config/state-folder.js';
import type { OutcomeKind } from '../base/core/messages.js';
import { ConfigurationError } from '../protocol/errors.js';
import { withBaseOptions } from './base-options.js';
import { exitCodes } from './exit-codes.js';
import { BaseClient, type BaseOptions } from './running-base.js';
import type { ChannelCommand } from './send-over-channel.js';
import { fieldsText, print, printJson, styled } from './terminal.js';

interface SendOptions extends BaseOptions {
  readonly line?: string;
  readonly id?: string;
  readonly ttl?: number;
  readonly via: 'auto' | 'api' | 'pusher';
}

/** A command's outcome, as the API and the channel tell it. */
export interface SentOutcome {
  readonly id: string;
  readonly unit: string;
  readonly command: string;
  readonly outcome: OutcomeKind;
  readonly reason?: string;
  readonly reply?: Readonly<Record<string, unknown>>;
}

/** `baseunit send`: one command to one unit, and its outcome. */
export function addSend(program: Command): void {
  withBaseOptions(
    program
      .command('send')
      .description('send a command to a unit and wait for its outcome')
      .argument('<unit>', 'its UID, as kitchen-lamp')
      .argument('[command]', 'name of the command in the definition, as setColor')
      .argument('[fields]', 'JSON object of its fields; what is left out has its default', parseFields, {})
      .option('--line <text>', 'for line units, instead of a command: write this line as it is, as red')
      .option('--id <id>', 'an id of yours: sent again with it, the command is not done twice. Default: a new one')
      .option('--ttl <seconds>', 'let it wait so long for a unit that is away', parseSeconds)
      .option(
        '--via <way>',
        'pusher: over the Pusher channel, as a dashboard does; api: over HTTP; auto: the first if it is configured',
        parseWay,
        'auto',
      ),
  ).action(async (unit: string, command: string | undefined, fields: Fields, options: SendOptions) => {
    const what = checkedRequest(command, fields, options);
    const id = options.id ?? randomUUID();
    const request = { id, unit, ...what, ...(options.ttl === undefined ? {} : { ttlS: options.ttl }) };
    const channel = options.via === 'api' || !('command' in request) ? undefined : await channelOf(options);
    const outcome =
      channel === undefined
        ? await BaseClient.find(options).request<SentOutcome>(
            'POST',
            `/api/v1/units/${encodeURIComponent(unit)}/commands`,
            { ...request, unit: undefined },
            1_000 * (options.ttl ?? 0),
          )
        : await (await import('./send-over-channel.js')).sendOverChannel(channel, request as ChannelCommand);
    show(outcome, channel === undefined ? 'api' : 'pusher', program.opts<{ json?: boolean }>().json);
    process.exitCode = outcome.outcome === 'ok' ? exitCodes.ok : exitCodes.outcome;
  });
}

type Fields = Readonly<Record<string, unknown>>;

/** A command with its fields, or a line: exactly one of the two. */
function checkedRequest(
  command: string | undefined,
  fields: Fields,
  { line, via }: SendOptions,
): { readonly command: string; readonly fields: Fields } | { readonly line: string } {
  if (command !== undefined && line === undefined) return { command, fields };
  if (command !== undefined || line === undefined)
    throw new ConfigurationError(
      'config-invalid',
      'write either the name of a command, or --line with a line for a line unit',
    );
  if (via === 'pusher') throw new ConfigurationError('config-invalid', '--line goes over HTTP: leave --via pusher out');
  return { line };
}

/** The channel of the running base's configuration, where it can be published to from here. */
async function channelOf({ via, config, url }: SendOptions) {
  if (via === 'auto' && url !== undefined) return undefined;
  const folder = stateFolderPath({ environment: process.env, ...(config === undefined ? {} : { configFile: config }) });
  const running = findRunning(folder);
  // Nobody would answer on the channel; over HTTP that shows at once.
  if (via === 'auto' && running === undefined) return undefined;
  const file = config ?? running?.configFile;
  const { loadConfiguration } = await import('../base/config/load-config.js');
  const pusher = file === undefined ? undefined : loadConfiguration(file, await loadDefinitions()).configuration.pusher;
  if (pusher?.appId !== undefined && pusher.secret !== undefined)
    return { ...pusher, appId: pusher.appId, secret: pusher.secret };
  if (via === 'auto') return undefined;
  throw new ConfigurationError(
    'config-invalid',
    'to send over Pusher, the configuration needs pusher.appId and pusher.secret',
  );
}

function show(outcome: SentOutcome, via: string, isJson: boolean | undefined): void {
  if (isJson) return printJson(outcome);
  const colour = outcome.outcome === 'ok' ? 'green' : 'yellow';
  const reply = outcome.reply === undefined ? '' : `  ${fieldsText(outcome.reply)}`;
  const reason = outcome.reason === undefined ? '' : `: ${outcome.reason}`;
  print(`${styled(colour, outcome.outcome)}${reason}${reply}  (${outcome.unit} ${outcome.command}, via ${via})`);
}

function parseFields(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw new InvalidArgumentError(`It is no JSON: ${(error as Error).message}. Write it as '{"color":"#ff8800"}'.`);
  }
  throw new InvalidArgumentError(`Write a JSON object, as '{"color":"#ff8800"}'.`);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds > 0) return seconds;
  throw new InvalidArgumentError('Write a number of seconds above 0.');
}

function parseWay(text: string): SendOptions['via'] {
  if (text === 'auto' || text === 'api' || text === 'pusher') return text;
  throw new InvalidArgumentError('Write auto, api or pusher.');
}
