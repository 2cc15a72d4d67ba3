import type { Address } from '../base/core/address.js';
import { addressText } from '../base/core/address.js';
import type { Clock } from '../base/core/clock.js';
import type { Random } from '../base/core/random.js';
import { TcpDialer } from '../base/links/tcp-dialer.js';
import { nodeCrypto } from '../base/system.js';
import type { UnitDefinition } from '../protocol/definition/index.js';
import { ConfigurationError } from '../protocol/errors.js';
import { KEY_OCTETS } from '../protocol/iotsocket/uid.js';
import { toHex } from '../protocol/octets.js';
import { CoarseClock } from './coarse-clock.js';
import type { Fault, FaultSwitch } from './fault.js';
import { FirmwareUnit } from './firmware-unit.js';
import { fleetNames } from './fleet-names.js';
import { SimulatedLineUnit } from './simulated-line-unit.js';
import { SimulatedUnit } from './simulated-unit.js';
import type { HearSimulation } from './simulation-event.js';
import type { CommandHandler } from './unit-commands.js';
import { unitModel } from './unit-model.js';

/** One process has file descriptors for so many units and their connections (LimitNOFILE 65536, three each). */
export const MAX_UNITS = 16_384;
const MAX_PORT = 65_535;

export interface FleetOptions {
  readonly definition: UnitDefinition;
  /** 1 to 16 384. Default 1. */
  readonly count?: number;
  /** Of a single unit; of several the stem: `lamp-1`, `lamp-2` … Default: the definition's name and a number. */
  readonly uid?: string | undefined;
  /** Where they listen: from this port on, a port each; port 0: free ones. Default free ports of 127.0.0.1. */
  readonly listen?: Address | undefined;
  /** They dial this base instead of listening. Typed units only. `sleepMs`: between two visits. Default: the definition's. */
  readonly dial?: { readonly address: Address; readonly sleepMs?: number } | undefined;
  /** A unit's key, 16 octets. Default: random ones. */
  readonly keyOf?: ((uid: string) => Uint8Array) | undefined;
  /** What every unit does wrong from the start. */
  readonly faults?: readonly Fault[] | undefined;
  /** Same seed, same values. */
  readonly seed?: string | undefined;
  readonly handler?: CommandHandler;
  /** They run this compiled firmware, a process each, with their boot numbers in that folder. */
  readonly firmware?: { readonly program: string; readonly stateFolder: string } | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly hear?: HearSimulation;
}

/** What a base's `units.known` says of a unit. */
export interface KnownEntry {
  readonly definition: string;
  readonly address?: string;
  /** 32 hexadecimal digits. */
  readonly key?: string;
}

/** What all kinds of units in a fleet can do. */
export interface FleetUnit {
  readonly uid: string;
  readonly address: Address | undefined;
  /** Absent on compiled firmware, which has no faults on demand. */
  readonly faults?: FaultSwitch;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Units of one definition in this process, or as processes of its firmware. `start` once, `stop` as often as you like. */
export class Fleet {
  readonly units: readonly FleetUnit[];
  readonly #options: FleetOptions;
  readonly #keys: ReadonlyMap<string, Uint8Array>;

  /** Throws ConfigurationError `config-invalid`. */
  constructor(options: FleetOptions) {
    const { definition, count = 1, random } = options;
    if (!Number.isInteger(count) || count < 1 || count > MAX_UNITS)
      throw new ConfigurationError('config-invalid', `${count} units: must be 1 to ${MAX_UNITS}`);
    const wantsDial = options.dial !== undefined;
    if (wantsDial && (definition.wire === 'line' || options.firmware !== undefined))
      throw new ConfigurationError('config-invalid', 'line units and compiled firmware do not dial; they listen');
    if (definition.sleepMs !== undefined && !wantsDial)
      throw new ConfigurationError(
        'config-invalid',
        `${definition.name} sleeps, and dials its base when it wakes: say which with --dial host[:8888]`,
      );
    const port = options.listen?.port ?? 0;
    if (port !== 0 && port + count - 1 > MAX_PORT)
      throw new ConfigurationError('config-invalid', `${count} ports from ${port} on go past ${MAX_PORT}`);
    const names = fleetNames(options.uid ?? definition.name, count, options.uid === undefined);
    const keyOf = options.keyOf ?? (() => random.octets(KEY_OCTETS));
    this.#options = options;
    this.#keys = new Map(definition.wire === 'line' ? [] : names.map((uid) => [uid, keyOf(uid)]));
    this.units = this.#make(names);
  }

  unit(uid: string): FleetUnit | undefined {
    return this.units.find((unit) => unit.uid === uid);
  }

  /** Starts them one after the other. When one cannot, all are stopped and its error is thrown. */
  async start(): Promise<void> {
    try {
      for (const unit of this.units) await unit.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.units.map((unit) => unit.stop()));
  }

  /** Faults of one unit, or of all. */
  setFault(fault: Fault, uid?: string): void {
    for (const unit of this.units) if (uid === undefined || unit.uid === uid) unit.faults?.set(fault);
  }

  clearFaults(uid?: string): void {
    for (const unit of this.units) if (uid === undefined || unit.uid === uid) unit.faults?.clear();
  }

  /** The `units.known` of a base that serves them, to paste into base.json. Addresses are there once they listen. */
  known(): Record<string, KnownEntry> {
    return Object.fromEntries(
      this.units.map(({ uid, address }) => {
        const key = this.#keys.get(uid);
        const entry: KnownEntry = {
          definition: this.#options.definition.name,
          ...(address && { address: addressText(address) }),
          ...(key && { key: toHex(key) }),
        };
        return [uid, entry];
      }),
    );
  }

  #make(names: readonly string[]): FleetUnit[] {
    const { definition, listen, dial, firmware, clock, random } = this.#options;
    const { sleepMs } = definition;
    const hear = this.#options.hear ?? (() => {});
    const placeOf = (index: number): Address => {
      const { host, port } = listen ?? { host: '127.0.0.1', port: 0 };
      return { host, port: port === 0 ? 0 : port + index };
    };
    if (firmware !== undefined) {
      const { program, stateFolder } = firmware;
      return names.map((uid, index) => {
        const stateFile = `${stateFolder}/${uid}.state`;
        return new FirmwareUnit({
          uid,
          program,
          key: this.#keys.get(uid),
          listen: placeOf(index),
          stateFile,
          clock,
          hear,
        });
      });
    }
    const { faults = [], seed = '', handler } = this.#options;
    const shared = { faults, seed, clock: new CoarseClock(clock), hear };
    if (definition.wire === 'line')
      return names.map((uid, index) => new SimulatedLineUnit({ ...shared, uid, definition, listen: placeOf(index) }));
    const model = unitModel(definition);
    const crypto = nodeCrypto(random);
    const dialer = new TcpDialer(shared.clock);
    return names.map(
      (uid, index) =>
        new SimulatedUnit({
          ...shared,
          uid,
          model,
          key: this.#keys.get(uid)!,
          place: dial === undefined ? { kind: 'listen', address: placeOf(index) } : { kind: 'dial', sleepMs, ...dial },
          dial: (address, signal) => dialer.dial(address, signal),
          ...(handler && { handler }),
          crypto,
          random,
        }),
    );
  }
}
