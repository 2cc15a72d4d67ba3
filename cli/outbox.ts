import { type Command, InvalidArgumentError } from 'commander';
import type { OutboxStatus } from '../base/core/outbox-port.js';
import type { DeadLetter } from '../base/core/queue.js';
import { ConfigurationError } from '../protocol/errors.js';
import { withBaseOptions } from './base-options.js';
import { BaseClient, type BaseOptions } from './running-base.js';
import { harmless, print, printJson, printTable } from './terminal.js';

/** Of one question to the base, and of one replay by position. */
const PAGE = 1_000;
/** As many as the base keeps for one receiver. */
const MAX_LISTED = 10_000;
/** All dead letters are replayed in one request, which waits for the disk. */
const REPLAY_MS = 60_000;

interface ReplayOptions extends BaseOptions {
  readonly all?: true;
}

/** `baseunit outbox`: the receivers of what happens, and what could not be delivered to them. */
export function addOutbox(program: Command): void {
  const outbox = program
    .command('outbox')
    .description('show the receivers of the running base, and look after what could not be delivered');
  const isJson = (): boolean | undefined => program.opts<{ json?: boolean }>().json;
  const argument = 'the receiver, as "baseunit outbox" lists it';

  withBaseOptions(outbox.command('list', { isDefault: true }))
    .description('list the receivers: what waits for each, what died, what was delivered')
    .action(async (options: BaseOptions) => {
      const { endpoints } = await BaseClient.find(options).request<{ endpoints: OutboxStatus[] }>(
        'GET',
        '/api/v1/outbox',
      );
      if (isJson()) return printJson({ endpoints });
      if (endpoints.length === 0) return print('The base has no receivers: add webhooks to its configuration.');
      printTable(
        ['ENDPOINT', 'WHAT', 'STATE', 'WAITING', 'DEAD', 'DELIVERED'],
        endpoints.map((status) => [
          status.endpoint,
          harmless(status.label),
          stateText(status),
          ...[status.waiting, status.dead, status.delivered].map(String),
        ]),
      );
    });

  withBaseOptions(outbox.command('dead').argument('<endpoint>', argument))
    .description('list what could not be delivered to a receiver, the oldest first')
    .action(async (endpoint: string, options: BaseOptions) => {
      let listed = 0;
      for await (const letter of deadLetters(BaseClient.find(options), endpoint)) {
        listed += 1;
        if (isJson()) printJson(letter);
        else print(letterText(letter));
      }
      if (listed === 0 && !isJson()) print(`There are no dead letters for ${endpoint}.`);
    });

  withBaseOptions(
    outbox
      .command('replay')
      .argument('<endpoint>', argument)
      .argument(
        '[positions...]',
        'the dead letters to send again, as "baseunit outbox dead" lists them',
        parsePosition,
      ),
  )
    .description('send dead letters to a receiver again')
    .option('--all', 'all of them, at most 10 000')
    .action(async (endpoint: string, positions: readonly number[] | undefined, options: ReplayOptions) => {
      const replayed = await replay(endpoint, positions ?? [], options);
      if (isJson()) return printJson({ endpoint, replayed });
      const asked = options.all ? '' : ` of ${positions?.length}`;
      print(`${replayed}${asked} dead letters wait for ${endpoint} again.`);
    });

  withBaseOptions(outbox.command('enable').argument('<endpoint>', argument))
    .description('tell a receiver again what happens, after it was disabled')
    .action(async (endpoint: string, options: BaseOptions) => {
      const status = await BaseClient.find(options).request<OutboxStatus>('POST', `${pathOf(endpoint)}/enable`);
      if (isJson()) return printJson(status);
      const dead = status.dead === 0 ? '' : `; ${status.dead} dead letters: baseunit outbox replay ${endpoint} --all`;
      print(`${endpoint} is ${stateText(status)}${dead}`);
    });
}

const pathOf = (endpoint: string): string => `/api/v1/outbox/${encodeURIComponent(endpoint)}`;

function stateText({ state, reason }: OutboxStatus): string {
  return reason === undefined ? state : `${state}: ${harmless(reason)}`;
}

function letterText({ position, diedAt, key, id, attempts, reason }: DeadLetter): string {
  const at = new Date(diedAt).toISOString();
  return harmless(`${position}  ${at}  ${key}  ${id}  ${attempts} attempts  ${reason}`);
}

async function* deadLetters(base: BaseClient, endpoint: string): AsyncGenerator<DeadLetter> {
  let behind: number | undefined = 0;
  for (let listed = 0; behind !== undefined && listed < MAX_LISTED; listed += PAGE) {
    const path: string = `${pathOf(endpoint)}/dead?behind=${behind}&limit=${PAGE}`;
    const page: { dead: DeadLetter[]; next?: number } = await base.request('GET', path);
    yield* page.dead;
    behind = page.next;
  }
}

async function replay(endpoint: string, positions: readonly number[], options: ReplayOptions): Promise<number> {
  if ((options.all === true) === positions.length > 0)
    throw new ConfigurationError('config-invalid', 'write either the positions of dead letters, or --all');
  const base = BaseClient.find(options);
  const ask = async (body: object): Promise<number> =>
    (await base.request<{ replayed: number }>('POST', `${pathOf(endpoint)}/replay`, body, REPLAY_MS)).replayed;
  if (options.all) return ask({ all: true });
  let replayed = 0;
  for (let from = 0; from < positions.length; from += PAGE)
    replayed += await ask({ positions: positions.slice(from, from + PAGE) });
  return replayed;
}

function parsePosition(text: string, before: readonly number[] | undefined): readonly number[] {
  const position = Number(text);
  if (Number.isSafeInteger(position) && position > 0) return [...(before ?? []), position];
  throw new InvalidArgumentError('Write a whole number above 0.');
}
