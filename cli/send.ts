import { randomUUID } from 'node:crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { loadDefinitions } from '../base/config/definitions.js';
import { findRunning } from '../base/config/running-file.js';
import { stateFolderPath } from '../base/config/state-folder.js';
import type { OutcomeKind } from '../base/core/messages.js';
import { payloadFormatNames } from '../base/core/opaque-payload.js';
import { ConfigurationError } from '../protocol/errors.js';
import type { Payload, PayloadFormat } from '../protocol/iotsocket/payload.js';
import { withBaseOptions } from './base-options.js';
import { payloadText } from './event-text.js';
import { exitCodes } from './exit-codes.js';
import { BaseClient, type BaseOptions } from './running-base.js';
import { parseSeconds } from './seconds.js';
import type { ChannelCommand } from './send-over-channel.js';
import { fieldsText, harmless, print, printJson, styled } from './terminal.js';

interface SendOptions extends BaseOptions {
  readonly line?: string;
  readonly payload?: string;
  readonly format?: PayloadFormat;
  readonly query?: boolean;
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
  readonly payload?: Payload;
}

/** `baseunit send`: one command or query to one unit, and its outcome. */
export function addSend(program: Command): void {
  withBaseOptions(
    program
      .command('send')
      .description('send a command to a unit and wait for its outcome')
      .argument('<unit>', 'its UID, as kitchen-lamp')
      .argument('[command]', 'name of the command in the definition, as setColor')
      .argument('[fields]', 'JSON object of its fields; what is left out has its default', parseFields, {})
      .option('--line <text>', 'for line units, instead of a command: write this line as it is, as red')
      .option(
        '--payload <value>',
        'for units without a definition, instead of a command: what to ask of it, as {"on":true}',
      )
      .addOption(new Option('--format <format>', 'of the payload. Default json').choices(payloadFormatNames))
      .option(
        '--query',
        'only ask: a unit without a definition what --payload says, another one for its last values, of the report that is named instead of a command',
      )
      .option('--id <id>', 'an id of yours: sent again with it, the command is not done twice. Default: a new one')
      .option('--ttl <seconds>', 'let it wait so long for a unit that is away', parseSeconds)
      .option(
        '--via <way>',
        'pusher: over the Pusher channel, as a dashboard does; api: over HTTP; auto: the first if it is configured',
        parseWay,
        'auto',
      ),
  ).action(async (unit: string, command: string | undefined, fields: Fields, options: SendOptions) => {
    const what = options.query ? checkedQuery(command, fields, options) : checkedRequest(command, fields, options);
    const id = options.id ?? randomUUID();
    const request = { id, unit, ...what, ...(options.ttl === undefined ? {} : { ttlS: options.ttl }) };
    const channel = options.via === 'api' || !('command' in request) ? undefined : await channelOf(options);
    const outcome =
      channel === undefined
        ? await BaseClient.find(options).request<SentOutcome>(
            'POST',
            `/api/v1/units/${encodeURIComponent(unit)}/${options.query ? 'queries' : 'commands'}`,
            { ...request, unit: undefined },
            1_000 * (options.ttl ?? 0),
          )
        : await (await import('./send-over-channel.js')).sendOverChannel(channel, request as ChannelCommand);
    show(outcome, channel === undefined ? 'api' : 'pusher', program.opts<{ json?: boolean }>().json);
    process.exitCode = outcome.outcome === 'ok' ? exitCodes.ok : exitCodes.outcome;
  });
}

type Fields = Readonly<Record<string, unknown>>;

type Asked =
  | { readonly command: string; readonly fields: Fields }
  | { readonly line: string }
  | { readonly command: 'request'; readonly payload: unknown; readonly format: PayloadFormat };

/** A command with its fields, a line, or a payload: exactly one of them. */
function checkedRequest(command: string | undefined, fields: Fields, options: SendOptions): Asked {
  const { line, payload, via } = options;
  const given = [command, line, payload].filter((each) => each !== undefined);
  if (given.length !== 1)
    throw new ConfigurationError(
      'config-invalid',
      'write one of these: the name of a command, --line for a line unit, --payload for a unit without a definition',
    );
  if (payload !== undefined) {
    const { format = 'json' } = options;
    return { command: 'request', payload: payloadIn(payload, format), format };
  }
  if (options.format !== undefined) throw new ConfigurationError('config-invalid', '--format is for --payload');
  if (command !== undefined) return { command, fields };
  if (via === 'pusher') throw new ConfigurationError('config-invalid', '--line goes over HTTP: leave --via pusher out');
  return { line: line! };
}

type Query = { readonly report?: string } | { readonly payload: unknown; readonly format: PayloadFormat };

/** A payload, or the name of a report, or nothing. */
function checkedQuery(report: string | undefined, fields: Fields, options: SendOptions): Query {
  const { line, payload, format, via } = options;
  const unfit = (why: string): ConfigurationError => new ConfigurationError('config-invalid', `--query ${why}`);
  if (line !== undefined || Object.keys(fields).length > 0) throw unfit('has neither fields nor --line');
  if (payload !== undefined && report !== undefined) throw unfit('has a payload or the name of a report, not both');
  if (via === 'pusher') throw unfit('goes over HTTP: leave --via pusher out');
  if (payload !== undefined) return { payload: payloadIn(payload, format ?? 'json'), format: format ?? 'json' };
  if (format !== undefined) throw new ConfigurationError('config-invalid', '--format is for --payload');
  return report === undefined ? {} : { report };
}

/** Texts are themselves; the rest is JSON. */
function payloadIn(text: string, format: PayloadFormat): unknown {
  if (format === 'ascii' || format === 'utf8') return text;
  try {
    return JSON.parse(text);
  } catch (error) {
    const example = format === 'json' ? '{"on":true}' : '[1,2,255]';
    throw new ConfigurationError(
      'config-invalid',
      `--payload is no JSON: ${(error as Error).message}. Write it as '${example}', or give --format utf8 for a text`,
    );
  }
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
  const answer =
    outcome.payload === undefined ? '' : `  ${harmless(payloadText(outcome.payload, Number.POSITIVE_INFINITY))}`;
  const reply = outcome.reply === undefined ? answer : `  ${fieldsText(outcome.reply)}`;
  const reason = outcome.reason === undefined ? '' : `: ${harmless(outcome.reason)}`;
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

function parseWay(text: string): SendOptions['via'] {
  if (text === 'auto' || text === 'api' || text === 'pusher') return text;
  throw new InvalidArgumentError('Write auto, api or pusher.');
}
