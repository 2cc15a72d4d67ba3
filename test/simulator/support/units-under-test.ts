import { systemClock, systemRandom } from '../../../base/system.js';
import type { UnitDefinition } from '../../../protocol/definition/index.js';
import { fromHex } from '../../../protocol/octets.js';
import { Fleet, type FleetOptions } from '../../../simulator/fleet.js';
import type { SimulationEvent } from '../../../simulator/simulation-event.js';
import type { Believed } from './base-under-test.js';

export type EventOf<K extends SimulationEvent['kind']> = Extract<SimulationEvent, { readonly kind: K }>;

/** A fleet whose events are kept. */
export class UnitsUnderTest extends Fleet {
  readonly events: SimulationEvent[];
  readonly #definition: UnitDefinition;

  constructor(options: Pick<FleetOptions, 'definition'> & Partial<FleetOptions>) {
    const events: SimulationEvent[] = [];
    super({ clock: systemClock, random: systemRandom, hear: (event) => events.push(event), ...options });
    this.events = events;
    this.#definition = options.definition;
  }

  of<K extends SimulationEvent['kind']>(kind: K): EventOf<K>[] {
    return this.events.filter((event): event is EventOf<K> => event.kind === kind);
  }

  /** As a base configured with `known()` believes them to be. */
  believed(definition: UnitDefinition = this.#definition): Believed[] {
    const known = this.known();
    return this.units.map(({ uid, address }) => {
      const key = known[uid]?.key;
      return { uid, definition, address, ...(key && { key: fromHex(key) }) };
    });
  }
}
