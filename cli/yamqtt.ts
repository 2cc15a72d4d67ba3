import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseAddress } from '../base/config/address.js';
import { untilStopped } from '../base/until-stopped.js';
import { type ClientEvent, type FlowMessage, YamqttClient } from '../clients/yamqtt/index.js';
import { DEFAULT_PORT, MAX_FLOW, RECORD_OCTETS } from '../protocol/yamqtt/records.js';
import { exitCodes } from './exit-codes.js';
import { parseSeconds } from './seconds.js';
import { linesOf } from './stdin-lines.js';
import { harmless, print, printError, printJson, styled } from './terminal.js';

interface Place {
  readonly host: string;
  readonly port: number;
}

interface YamqttCommandOptions {
  readonly address: Place;
  /** In seconds. */
  readonly wait?: number;
}

/** This machine: it is where most bases are tried. */
const DEFAULT_HOST = '127.0.0.1';

/** `baseunit yamqtt`: publishes on flows, and shows what is published on them. */
export function addYamqtt(program: Command): void {
  const yamqtt = program.command('yamqtt').description('publish on flows of a YAMQTT server, and watch them');
  const isJson = (): boolean => program.opts<{ json?: boolean }>().json === true;

  withAddress(yamqtt.command('pub'))
    .description('publish a message on a flow, or each line of the standard input')
    .argument('<flow>', `its number, 1 to ${MAX_FLOW}`, parseFlow)
    .argument('[text]', 'the message. Default: a message for each line of the standard input')
    .option(
      '--wait <seconds>',
      'stay connected so long behind the last message: where a flow commands a unit, that is when it shows that it did not',
      parseSeconds,
    )
    .action(async (flow: number, text: string | undefined, options: YamqttCommandOptions) =>
      publish(flow, text, options, isJson()),
    );

  withAddress(yamqtt.command('sub'))
    .description('show what is published on flows, until Ctrl-C')
    .argument('<flow...>', `their numbers, 1 to ${MAX_FLOW}`, (flow: string, flows: readonly number[] | undefined) => [
      ...(flows ?? []),
      parseFlow(flow),
    ])
    .action(async (flows: readonly number[], options: YamqttCommandOptions) => watch(flows, options, isJson()));
}

const withAddress = (command: Command): Command =>
  command.addOption(
    new Option('--address <address>', `the server's host[:${DEFAULT_PORT}]`)
      .argParser(parsePlace)
      .default({ host: DEFAULT_HOST, port: DEFAULT_PORT } satisfies Place, `${DEFAULT_HOST}:${DEFAULT_PORT}`),
  );

async function publish(
  flow: number,
  text: string | undefined,
  { address, wait }: YamqttCommandOptions,
  isJson: boolean,
): Promise<void> {
  const client = new YamqttClient(address);
  const errors: string[] = [];
  const over = new AbortController();
  let lost: Error | undefined;
  client.onEvent((event) => {
    if (event.kind === 'error') errors.push(event.text);
    if (event.kind === 'error' && !isJson) printError(errorText(event));
    if (event.kind !== 'closed') return;
    lost = event.error;
    over.abort();
  });
  const stop = (): void => over.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  await client.connect();
  let published = 0;
  try {
    for await (const message of text === undefined ? stdinLines(over.signal) : [text]) {
      await client.publish(flow, message);
      published += 1;
    }
    if (wait !== undefined) await waiting(1_000 * wait, over.signal);
  } finally {
    await client.close();
  }
  if (lost !== undefined) throw lost;
  if (isJson) printJson({ flow, published, errors });
  else print(`published ${published} ${published === 1 ? 'message' : 'messages'} on flow ${flow}`);
  process.exitCode = errors.length === 0 ? exitCodes.ok : exitCodes.outcome;
}

/** Ends early when the signal aborts. */
async function* stdinLines(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { stdin } = process;
  const leave = (): void => void stdin.destroy();
  signal.addEventListener('abort', leave, { once: true });
  try {
    yield* linesOf(stdin, RECORD_OCTETS, 'write it as several, or publish less of it');
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

const waiting = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });

async function watch(flows: readonly number[], { address }: YamqttCommandOptions, isJson: boolean): Promise<void> {
  await untilStopped(async (signal) => {
    const client = new YamqttClient({ ...address, reconnect: true });
    let isConnected = false;
    let failure: Error | undefined;
    signal.addEventListener('abort', () => void client.close(), { once: true });
    client.onMessage((message) => (isJson ? printJson(jsonOf(message)) : print(lineOf(message, flows.length > 1))));
    client.onEvent((event) => {
      if (event.kind === 'connected') isConnected = true;
      if (event.kind === 'retrying' && !isConnected) {
        // Where nobody listens at all, whoever started this wants to know it.
        failure = event.error;
        void client.close();
      } else if (event.kind !== 'connected' && event.kind !== 'closed') printError(errorText(event));
    });
    for (const flow of flows) client.subscribe(flow);
    try {
      await client.connect();
    } catch (error) {
      throw failure ?? error;
    }
    return () => client.close();
  });
}

const jsonOf = ({ flow, text, data }: FlowMessage) => ({ flow, text, data: Buffer.from(data).toString('base64') });

const lineOf = ({ flow, text }: FlowMessage, isNamed: boolean): string =>
  `${isNamed ? `${styled('cyan', String(flow).padEnd(5))}  ` : ''}${harmless(text)}`;

function errorText(event: Extract<ClientEvent, { readonly kind: 'error' | 'misunderstood' | 'retrying' }>): string {
  switch (event.kind) {
    case 'error':
      return `the server says: ${harmless(event.text)}`;
    case 'misunderstood':
      return `left out: ${harmless(event.error.message)}`;
    case 'retrying': {
      const why = event.error?.message ?? 'the connection ended';
      return `${harmless(why)}; again in ${(event.inMs / 1_000).toFixed(1)} s`;
    }
  }
}

function parsePlace(text: string): Place {
  const parsed = parseAddress(text, DEFAULT_PORT);
  if (!parsed.ok) throw new InvalidArgumentError(`${JSON.stringify(text)} ${parsed.what}.`);
  if (parsed.address.port === 0) throw new InvalidArgumentError('Nobody listens at port 0.');
  return parsed.address;
}

function parseFlow(text: string): number {
  const flow = Number(text);
  if (/^\d{1,5}$/.test(text) && flow >= 1 && flow <= MAX_FLOW) return flow;
  throw new InvalidArgumentError(`Write a whole number from 1 to ${MAX_FLOW}.`);
}
