import type { Clock } from '../base/core/clock.js';
import type { Random } from '../base/core/random.js';
import { nodeCrypto } from '../base/system.js';
import type { ObjectClientOptions } from '../clients/iotsocket/index.js';
import { ConfigurationError } from '../protocol/errors.js';
import { KEY_OCTETS } from '../protocol/iotsocket/uid.js';
import { toHex } from '../protocol/octets.js';
import { CoarseClock } from './coarse-clock.js';
import { MAX_UNITS } from './fleet.js';
import { fleetNames } from './fleet-names.js';
import { IotsocketObject } from './iotsocket-object.js';
import type { HearIotsocketObjects } from './iotsocket-object-event.js';
import { SeededRandom } from './seeded-random.js';
import { Turns } from './turns.js';

/** Half of what a concentrator lets one address have without a session (reference/limits.md, "Pre-auth sockets"). */
const LOGINS_AT_ONCE = 8;
const DEFAULT_EVERY_MS = 10_000;

export interface IotsocketObjectsOptions {
  /** Where the concentrator is, and how it is spoken to. */
  readonly concentrator: Pick<ObjectClientOptions, 'host' | 'port' | 'url' | 'tls' | 'version' | 'udp'>;
  /** Of a single object; of several the stem: `Obj-1`, `Obj-2` … */
  readonly uid: string;
  /** 1 to 16 384. Default 1. */
  readonly count?: number;
  /** An object's key, 16 octets. Default: random ones. */
  readonly keyOf?: ((uid: string) => Uint8Array) | undefined;
  /** Group in the access list. Default `Devices`. */
  readonly group?: string | undefined;
  /** Between two datagrams of telemetry, in ms. Default 10 s. */
  readonly everyMs?: number | undefined;
  /** Same seed, same measurements at the same distances. */
  readonly seed?: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly hear?: HearIotsocketObjects;
}

/** An entry of a concentrator's `acl.json`. */
export interface AccessListFileEntry {
  readonly GroupName: string;
  /** 32 hexadecimal digits. */
  readonly AuthKey: string;
}

/** Simulated IoTSocket objects in this process. `start` once, `stop` as often as you like. */
export class IotsocketObjects {
  readonly objects: readonly IotsocketObject[];
  readonly #keys: ReadonlyMap<string, Uint8Array>;
  readonly #group: string;

  /** Throws ConfigurationError `config-invalid`. */
  constructor(options: IotsocketObjectsOptions) {
    const { concentrator, uid, count = 1, group = 'Devices', everyMs = DEFAULT_EVERY_MS, seed = '' } = options;
    const { random, hear = () => {} } = options;
    if (!Number.isInteger(count) || count < 1 || count > MAX_UNITS)
      throw new ConfigurationError('config-invalid', `${count} objects: must be 1 to ${MAX_UNITS}`);
    if (!(everyMs >= 1)) throw new ConfigurationError('config-invalid', `every ${everyMs} ms: must be 1 ms or more`);
    const keyOf = options.keyOf ?? (() => random.octets(KEY_OCTETS));
    const names = fleetNames(uid, count, false);
    const clock = new CoarseClock(options.clock);
    const crypto = nodeCrypto(random);
    const turns = new Turns(LOGINS_AT_ONCE);
    this.#group = group;
    this.#keys = new Map(names.map((name) => [name, keyOf(name)]));
    this.objects = names.map((name) => {
      const delays = new SeededRandom(`${seed}/${name}/delays`);
      const platform = { clock, fraction: () => delays.fraction(), crypto };
      return new IotsocketObject({
        client: { ...concentrator, uid: name, key: this.#keys.get(name)!, platform },
        everyMs,
        turns,
        values: new SeededRandom(`${seed}/${name}`),
        random: delays,
        clock,
        hear,
      });
    });
  }

  start(): void {
    for (const object of this.objects) object.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.objects.map((object) => object.stop()));
  }

  /** What a concentrator's `acl.json` must have, for it to let them in. */
  accessList(): Record<string, AccessListFileEntry> {
    return Object.fromEntries(
      [...this.#keys].map(([uid, key]) => [uid, { GroupName: this.#group, AuthKey: toHex(key) }]),
    );
  }
}
