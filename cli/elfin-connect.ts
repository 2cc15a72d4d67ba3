import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { Address } from '../base/core/address.js';
import { systemClock } from '../base/system.js';
import { DEFAULT_PORT } from '../clients/elfin/client-options.js';
import type { TlsOptions } from '../clients/elfin/index.js';
import { ConfigurationError } from '../protocol/errors.js';
import { parsePlace } from './place.js';
import { parseSeconds } from './seconds.js';
import { readSecretOption } from './secret-option.js';
import { printError } from './terminal.js';

interface ConnectOptions {
  readonly address: Address;
  readonly secret?: string;
  readonly tls?: true;
  readonly ca?: string;
  /** In seconds. */
  readonly wait: number;
}

const HERE: Address = { host: '127.0.0.1', port: DEFAULT_PORT };
const WAIT_S = 2;

/** `baseunit elfin connect`: the standard input and output, through a tunnel to a device. */
export function addElfinConnect(elfin: Command): void {
  elfin
    .command('connect')
    .description('send the standard input to a device, and print what it answers, as it is')
    .argument('<uuid>', 'the user')
    .argument('<mac>', 'the device, as "baseunit elfin devices" lists it')
    .addOption(
      new Option('--address <address>', "the gateway's host[:port], where its framing is line (elfin.lineTcp)")
        .argParser((text) => parsePlace(text, DEFAULT_PORT))
        .default(HERE, `${HERE.host}:${HERE.port}`),
    )
    .option('--secret <where>', "the user's secret: env:NAME or file:path")
    .option('--tls', 'over TLS')
    .option('--ca <file>', 'certificates (PEM) to trust instead of the public ones; with it, --tls goes without saying')
    .option(
      '--wait <seconds>',
      'behind the end of the input: end when nothing has come for so long',
      parseSeconds,
      WAIT_S,
    )
    .action(async (user: string, mac: string, options: ConnectOptions) => {
      const stop = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
      try {
        await connect(user, mac, options, stop.signal);
      } catch (error) {
        // Whoever ends it has no use for what that broke off.
        if (!stop.signal.aborted) throw error;
      }
    });
}

async function connect(
  user: string,
  mac: string,
  { address, wait, ...options }: ConnectOptions,
  signal: AbortSignal,
): Promise<void> {
  const secret = options.secret === undefined ? undefined : readSecretOption(options.secret);
  const tls = tlsOf(options);
  // Commands load what they alone need when they run: on a Pi, all of it takes seconds.
  const [{ ElfinClient }, { pipeTunnel }] = await Promise.all([
    import('../clients/elfin/index.js'),
    import('./pipe-tunnel.js'),
  ]);
  const client = await ElfinClient.connect({ ...address, user, secret, tls }, signal);
  signal.addEventListener('abort', () => void client.close(), { once: true });
  try {
    const tunnel = await client.connectMe(mac);
    // The output is the device's alone.
    if (process.stdin.isTTY) printError(`A tunnel to ${mac} is open; Ctrl-C ends it.`);
    const { stdin: input, stdout: output } = process;
    await pipeTunnel({ tunnel, input, output, waitMs: 1_000 * wait, clock: systemClock, signal });
  } finally {
    await client.close();
  }
}

function tlsOf({ tls, ca }: Pick<ConnectOptions, 'tls' | 'ca'>): false | TlsOptions {
  if (ca === undefined) return tls ? {} : false;
  try {
    return { ca: readFileSync(ca, 'utf8') };
  } catch (error) {
    const what = `${ca} cannot be read: ${(error as Error).message}`;
    throw new ConfigurationError('config-unreadable', what, { cause: error });
  }
}
