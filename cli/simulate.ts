import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { parseAddress } from '../base/config/address.js';
import { DEFAULT_UNIT_PORT } from '../base/config/configuration.js';
import { loadDefinitions } from '../base/config/definitions.js';
import type { Address } from '../base/core/address.js';
import { projectRoot } from '../base/project-root.js';
import { systemClock, systemRandom } from '../base/system.js';
import { untilStopped } from '../base/until-stopped.js';
import { fromHex } from '../protocol/octets.js';
import { type Fault, faultKinds, parseFault } from '../simulator/fault.js';
import { simulate } from '../simulator/simulate.js';
import type { SimulationEvent } from '../simulator/simulation-event.js';
import {
  checkIotsocketOptions,
  type IotsocketOptions,
  simulateIotsocket,
  withIotsocketOptions,
} from './simulate-iotsocket.js';
import { fieldsText, print, printJson, styled } from './terminal.js';

interface SimulateOptions extends IotsocketOptions {
  readonly count: number;
  readonly uid?: string;
  readonly listen?: Address;
  readonly dial?: Address;
  readonly key?: Uint8Array;
  readonly fault: readonly Fault[];
  readonly firmware?: boolean;
  readonly seed?: string;
}

/** `baseunit simulate`: units that are not there, until Ctrl-C. */
export function addSimulate(program: Command): void {
  const command = program
    .command('simulate')
    .description('simulate units of a definition, or objects of IoTSocket, until Ctrl-C')
    .argument('[definition]', 'as led-lamp; not with --iotsocket')
    .option('-n, --count <number>', 'how many', parseCount, 1)
    .option('--uid <uid>', 'UID of the unit; of several the stem. Default: the name of the definition, or Obj')
    .option(
      '--listen <address>',
      'where they listen: host:port, a port each from this one on; port 0: free ones. Default 127.0.0.1:0',
      parsePlace,
    )
    .option('--dial <address>', 'dial the base at host[:8888] instead of listening', parseBase)
    .option('--key <key>', 'their key, 32 hexadecimal digits. Default: a random one each', parseKey)
    .option(
      '--fault <fault>',
      `what they do wrong: ${faultKinds.join(', ')}; cut:<octets>, slow:<ms>. May be given several times`,
      collectFaults,
      [],
    )
    .option('--firmware', 'run the compiled firmware, a process each, instead')
    .option('--seed <text>', 'same seed, same readings');
  withIotsocketOptions(command).action(async (name: string | undefined, options: SimulateOptions) => {
    const isJson = program.opts<{ json?: boolean }>().json === true;
    checkIotsocketOptions(name, options);
    if (name === undefined) return simulateIotsocket(options, isJson);
    const definitions = await loadDefinitions();
    const definition = definitions.get(name)?.definition;
    // Commands load what they alone need when they run: on a Pi, all of it takes seconds.
    const { unknownUnit } = await import('../codegen/write-firmware.js');
    if (definition === undefined) throw unknownUnit(name, definitions);
    const { buildNative } = await import('../codegen/native-build.js');
    await untilStopped(async (signal) => {
      const firmware = options.firmware
        ? {
            program: (await buildNative(name, { root: projectRoot, signal })).program,
            stateFolder: temporaryFolder(),
          }
        : undefined;
      const { key } = options;
      const simulation = await simulate({
        definition,
        count: options.count,
        uid: options.uid ?? (options.count === 1 ? name : undefined),
        listen: options.listen,
        dial: options.dial && { address: options.dial },
        keyOf: key && (() => key),
        faults: options.fault,
        firmware,
        seed: options.seed,
        clock: systemClock,
        random: systemRandom,
        hear: (event) => (isJson ? printJson(event) : show(event)),
      });
      const known = simulation.known();
      if (isJson) printJson({ known });
      else
        print(
          `For units.known of base.json:\n${JSON.stringify(known, null, 2)}\n${options.count} simulated; Ctrl-C ends it.`,
        );
      return () => simulation.stop();
    });
  });
}

/** Where the processes keep their boot numbers; gone however this process ends, short of being killed. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'baseunit-units-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function show(event: SimulationEvent): void {
  const line = (what: string, rest = ''): void =>
    print(`${styled('cyan', event.unit.padEnd(16))}  ${what.padEnd(12)}  ${rest}`.trimEnd());
  switch (event.kind) {
    case 'connected':
      return line('connected', event.remote);
    case 'disconnected':
      return line('disconnected', event.reason);
    case 'refusedConnection':
      return line('refused', event.reason);
    case 'applied':
      return line('applied', `${event.command} ${fieldsText(event.fields)}`);
    case 'refusedCommand':
      return line('refused', `${event.command}: ${event.reason}`);
    case 'restarted':
      return line('restarted', `boot ${event.boot}`);
    case 'woke':
      return line('woke', `boot ${event.boot}`);
    case 'printed':
      return line('says', event.line);
    case 'exited':
      return line('ended', event.reason);
    case 'listening':
    case 'reported':
      return;
  }
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new InvalidArgumentError('Write a whole number, 1 or more.');
}

function parsePlace(text: string, _before?: unknown, defaultPort = 0): Address {
  const parsed = parseAddress(text, defaultPort);
  if (parsed.ok) return parsed.address;
  throw new InvalidArgumentError(`${JSON.stringify(text)} ${parsed.what}.`);
}

function parseBase(text: string): Address {
  const address = parsePlace(text, undefined, DEFAULT_UNIT_PORT);
  if (address.port !== 0) return address;
  throw new InvalidArgumentError('Nobody listens at port 0.');
}

function parseKey(text: string): Uint8Array {
  if (/^[0-9a-fA-F]{32}$/.test(text)) return fromHex(text);
  throw new InvalidArgumentError('Write 32 hexadecimal digits.');
}

function collectFaults(text: string, before: readonly Fault[]): readonly Fault[] {
  return [...before, parseFault(text)];
}
