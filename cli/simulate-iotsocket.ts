import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { systemClock, systemRandom } from '../base/system.js';
import { untilStopped } from '../base/until-stopped.js';
import { ConfigurationError } from '../protocol/errors.js';
import type { IotsocketObjectEvent } from '../simulator/iotsocket-object-event.js';
import { parsePlace } from './place.js';
import { harmless, print, printJson, styled } from './terminal.js';

/** Where a concentrator is. */
type Concentrator = { readonly host: string; readonly port: number } | { readonly url: string };

/** The options of `baseunit simulate` that are for IoTSocket objects alone. */
export interface IotsocketOptions {
  readonly iotsocket?: Concentrator;
  readonly udp?: number;
  readonly every?: number;
  readonly tls?: boolean;
  readonly ca?: string;
  readonly draft?: boolean;
}

interface SharedOptions {
  readonly count: number;
  readonly uid?: string;
  readonly key?: Uint8Array;
  readonly seed?: string;
}

/** As in the original's `config.json`. */
const DEFAULT_PORT = 50_505;
const DEFAULT_UID = 'Obj';
const onlyHere = ['udp', 'every', 'tls', 'ca', 'draft'] as const;
const notHere = ['listen', 'dial', 'firmware'] as const;

export function withIotsocketOptions(command: Command): Command {
  return command
    .option(
      '--iotsocket <address>',
      'instead of units, simulate objects of the IoTSocket concentrator at host[:50505], or at a ws:// or wss:// URL',
      parseConcentrator,
    )
    .option('--udp <port>', 'IoTSocket: send telemetry to this UDP port of the concentrator', parsePort)
    .option('--every <time>', 'IoTSocket: telemetry every so often, as 10s, 500ms or 1min. Default 10s', parseTime)
    .option('--tls', 'IoTSocket: ask for TLS')
    .option(
      '--ca <file>',
      'IoTSocket: certificates (PEM) to trust instead of the public ones; with it, --tls goes without saying',
    )
    .option('--draft', 'IoTSocket: speak draft v0.07 instead of v1.01');
}

/** Throws ConfigurationError `config-invalid` for options that do not go together. */
export function checkIotsocketOptions(definition: string | undefined, options: IotsocketOptions): void {
  const refuse = (what: string): never => {
    throw new ConfigurationError('config-invalid', what);
  };
  if (options.iotsocket === undefined) {
    if (definition === undefined) refuse('name a definition, as led-lamp, or give --iotsocket');
    for (const name of onlyHere) if (options[name] !== undefined) refuse(`--${name} is for --iotsocket`);
    return;
  }
  if (definition !== undefined) refuse('either a definition or --iotsocket: its objects have none');
  const given = options as Readonly<Record<string, unknown>>;
  for (const name of notHere) if (given[name] !== undefined) refuse(`--${name} is not for --iotsocket`);
  if (options.every !== undefined && options.udp === undefined) refuse('--every is for telemetry: give --udp too');
  if ((given.fault as readonly unknown[] | undefined)?.length) refuse('--fault is not for --iotsocket');
}

/** `baseunit simulate --iotsocket …`: objects that are not there, until Ctrl-C. */
export async function simulateIotsocket(options: SharedOptions & IotsocketOptions, isJson: boolean): Promise<void> {
  const { count, key, seed, udp, every, iotsocket, draft } = options;
  const { IotsocketObjects } = await import('../simulator/iotsocket-objects.js');
  await untilStopped(async () => {
    const objects = new IotsocketObjects({
      concentrator: {
        ...iotsocket,
        tls: tlsOf(options),
        version: draft ? 0 : 1,
        udp: udp === undefined ? undefined : { port: udp },
      },
      uid: options.uid ?? DEFAULT_UID,
      count,
      keyOf: key && (() => key),
      everyMs: every,
      seed,
      clock: systemClock,
      random: systemRandom,
      hear: (event) => (isJson ? printJson(event) : show(event)),
    });
    const accessList = objects.accessList();
    if (isJson) printJson({ accessList });
    else
      print(
        `For the access list of the concentrator, acl.json:\n${JSON.stringify(accessList, null, 2)}\n${count} simulated; Ctrl-C ends it.`,
      );
    objects.start();
    return () => objects.stop();
  });
}

function tlsOf({ tls, ca }: IotsocketOptions): false | { readonly ca?: string } {
  if (ca === undefined) return tls ? {} : false;
  try {
    return { ca: readFileSync(ca, 'utf8') };
  } catch (error) {
    throw new ConfigurationError('config-unreadable', `${ca} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function show(event: IotsocketObjectEvent): void {
  const line = (what: string, rest = ''): void =>
    print(`${styled('cyan', event.unit.padEnd(16))}  ${what.padEnd(12)}  ${harmless(rest)}`.trimEnd());
  switch (event.kind) {
    case 'connected':
      return line('connected', event.remote);
    case 'redirected':
      return line('redirected', `to ${event.host}:${event.port}`);
    case 'disconnected':
      return line('disconnected', event.reason ?? (event.code === undefined ? '' : `code ${hex(event.code)}`));
    case 'refusedConnection':
      return line('refused', event.reason);
    case 'token':
      return line('may send telemetry');
    case 'telemetry':
      return line('telemetry', event.sent ? `temperature ${event.temperature.toFixed(1)} °C` : 'not sent');
    case 'answered':
      return line('answered', `${event.octets} octets of ${event.format}`);
  }
}

const hex = (code: number): string => code.toString(16).toUpperCase().padStart(2, '0');

function parseConcentrator(text: string): Concentrator {
  if (/^wss?:\/\//.test(text)) {
    if (URL.canParse(text)) return { url: text };
    throw new InvalidArgumentError(`${JSON.stringify(text)} is no URL.`);
  }
  return parsePlace(text, DEFAULT_PORT);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 0xffff) return port;
  throw new InvalidArgumentError('Write a whole number from 1 to 65535.');
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000 };

/** In ms. */
function parseTime(text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|min)?$/.exec(text) ?? [];
  const ms = Number(number) * units[unit]!;
  if (ms >= 1 && ms <= 86_400_000) return ms;
  throw new InvalidArgumentError('Write it as 10s, 500ms or 1min: at least 1ms, at most a day.');
}
