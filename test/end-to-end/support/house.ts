import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type RunningBase, startBase } from '../../../base/base.js';
import { type Definitions, loadDefinitions } from '../../../base/config/definitions.js';
import { loadConfiguration } from '../../../base/config/load-config.js';
import { type Address, addressText } from '../../../base/core/address.js';
import type { Clock } from '../../../base/core/clock.js';
import { openHere } from '../../../base/engine/embedded/sqlite-port.js';
import { systemClock, systemRandom } from '../../../base/system.js';
import { buildNative } from '../../../codegen/native-build.js';
import { toHex } from '../../../protocol/octets.js';
import { FirmwareUnit } from '../../../simulator/firmware-unit.js';
import { type LogEntry, QuietLog } from '../../support/quiet-log.js';

/** The project's folder. */
export const root = process.cwd();

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'baseunit-house-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Firmware {
  readonly unit: FirmwareUnit;
  readonly definition: string;
  readonly isLine: boolean;
  readonly uid: string;
  /** 32 hexadecimal digits. */
  readonly key: string;
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** What the firmware printed: one line for each change it made. */
  readonly lines: readonly string[];
  /** Resolves when it has printed a line with this text, after as many as `from`. */
  printed(text: string, from?: number): Promise<void>;
}

const lineUnits = new Set(['light-sensor', 'led-lamp-line']);

/** Compiled firmware of an example unit as a process on a free port; ended after the test. */
export async function startFirmware(
  definition: string,
  options: { readonly uid?: string; readonly program?: string; readonly listen?: Address } = {},
): Promise<Firmware> {
  const uid = options.uid ?? definition;
  const key = systemRandom.octets(16);
  const program = options.program ?? (await buildNative(definition, { root })).program;
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const unit = new FirmwareUnit({
    program,
    uid,
    key,
    listen: options.listen ?? { host: '127.0.0.1', port: 0 },
    stateFile: join(temporaryFolder(), 'boot'),
    clock: systemClock,
    hear: (event) => {
      if (event.kind !== 'printed') return;
      lines.push(event.line);
      for (const look of waiting) look();
    },
  });
  onTestFinished(() => unit.stop());
  await unit.start();
  const printed = (text: string, from = 0): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!lines.slice(from).some((line) => line.includes(text))) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  const isLine = lineUnits.has(definition);
  return { unit, definition, isLine, uid, key: toHex(key), address: addressText(unit.address!), lines, printed };
}

export interface House {
  readonly base: RunningBase;
  readonly log: readonly LogEntry[];
}

let definitions: Promise<Definitions> | undefined;

/** A base in this process, from a configuration as a user writes it; stopped after the test. */
export async function startHouse(
  configuration: object,
  own?: Definitions,
  clock: Clock = systemClock,
  stateFolder?: string,
): Promise<House> {
  definitions ??= loadDefinitions();
  const file = join(temporaryFolder(), 'base.json');
  writeFileSync(file, JSON.stringify(configuration));
  chmodSync(file, 0o600);
  const log = new QuietLog();
  const base = await startBase({
    configuration: loadConfiguration(file, own ?? (await definitions), process.env).configuration,
    token: 'token-of-the-test',
    version: '0.0.0',
    stateFolder: stateFolder ?? dirname(file),
    openFile: openHere,
    clock,
    random: systemRandom,
    log,
  });
  onTestFinished(() => base.stop());
  return { base, log: log.lines };
}

/** What `units.known` says of some firmware. */
export function known(...all: readonly Firmware[]): Record<string, object> {
  return Object.fromEntries(
    all.map(({ uid, key, address, definition, isLine }) => [uid, { definition, address, ...(isLine ? {} : { key }) }]),
  );
}

/** Looks until it is true; what it waits for is another process's or the network's doing. */
export async function eventually(what: string, isTrue: () => boolean, withinMs = 15_000): Promise<void> {
  const late = performance.now() + withinMs;
  while (!isTrue()) {
    if (performance.now() > late) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
