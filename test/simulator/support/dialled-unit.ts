import { nodeCrypto, systemRandom } from '../../../base/system.js';
import type { UnitDefinition } from '../../../protocol/definition/index.js';
import { SimulatedUnit, type SimulatedUnitOptions } from '../../../simulator/simulated-unit.js';
import type { SimulationEvent } from '../../../simulator/simulation-event.js';
import { unitModel } from '../../../simulator/unit-model.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { type PipeEnd, pipe, type Tap } from './pipe.js';

export const KEY = new Uint8Array(16).fill(7);

/** A unit that dials through pipes in memory, with a clock that the test moves. */
export class DialledUnit {
  readonly clock = new ManualClock();
  readonly events: SimulationEvent[] = [];
  readonly unit: SimulatedUnit;
  /** The base's ends of the connections it has dialled. */
  readonly carriers: PipeEnd[] = [];

  constructor(definition: UnitDefinition, options: Partial<SimulatedUnitOptions> & { readonly tap?: Tap } = {}) {
    const { tap, ...rest } = options;
    this.unit = new SimulatedUnit({
      uid: 'unit-1',
      model: unitModel(definition),
      key: KEY,
      place: { kind: 'dial', address: { host: 'pipe', port: 1 } },
      dial: async () => {
        const ends = pipe(tap);
        this.carriers.push(ends.base);
        return ends.unit;
      },
      crypto: nodeCrypto(systemRandom),
      clock: this.clock,
      random: systemRandom,
      hear: (event) => this.events.push(event),
      ...rest,
    });
  }

  /** The base's end of the connection of the moment. */
  async carrier(): Promise<PipeEnd> {
    await this.unit.start();
    await settle();
    return this.carriers.at(-1)!;
  }

  of<K extends SimulationEvent['kind']>(kind: K): Extract<SimulationEvent, { readonly kind: K }>[] {
    return this.events.filter((event): event is Extract<SimulationEvent, { readonly kind: K }> => event.kind === kind);
  }

  /** Stops it; its goodbye needs time to pass when nobody answers. */
  async stop(): Promise<void> {
    const stopped = this.unit.stop();
    await this.clock.advance(5_000);
    await stopped;
  }
}
