import { onTestFinished } from 'vitest';
import type { Outcome } from '../../../base/core/messages.js';
import { systemClock, systemRandom } from '../../../base/system.js';
import { Fleet, type KnownEntry } from '../../../simulator/fleet.js';
import ledLamp from '../../../units/led-lamp.js';

/** Somebody who commands simulated lamps over HTTP, each command another colour, and remembers what became of each. */
export interface Commander {
  readonly known: Record<string, KnownEntry>;
  /** Every command that was asked for: unit and colour by id. */
  readonly asked: ReadonlyMap<string, { readonly unit: string; readonly color: string }>;
  /** What the base answered, by id; a base that was killed answers nothing. */
  readonly answered: ReadonlyMap<string, Outcome>;
  /** When that answer was there at the latest, Unix ms. */
  readonly answeredAt: ReadonlyMap<string, number>;
  /** How often a lamp was set to that colour. */
  timesApplied(color: string): number;
  /** Sends one command after the other to that base, until it is gone. */
  drive(base: { readonly url: string; readonly token: string }): Promise<void>;
}

export async function startCommander(lamps: number): Promise<Commander> {
  const applied = new Map<string, number>();
  const fleet = new Fleet({
    definition: ledLamp,
    uid: 'lamp',
    count: lamps,
    clock: systemClock,
    random: systemRandom,
    hear: (event) => {
      if (event.kind !== 'applied') return;
      const color = String(event.fields.color);
      applied.set(color, (applied.get(color) ?? 0) + 1);
    },
  });
  onTestFinished(() => fleet.stop());
  await fleet.start();
  const names = fleet.units.map(({ uid }) => uid);
  const asked = new Map<string, { unit: string; color: string }>();
  const answered = new Map<string, Outcome>();
  const answeredAt = new Map<string, number>();
  let count = 0;

  const send = async (base: { readonly url: string; readonly token: string }, unit: string): Promise<boolean> => {
    count += 1;
    const id = `c-${count}`;
    const color = `#${count.toString(16).padStart(6, '0')}`;
    asked.set(id, { unit, color });
    try {
      const response = await fetch(`${base.url}/api/v1/units/${unit}/commands`, {
        method: 'POST',
        headers: { authorization: `Bearer ${base.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ id, command: 'setColor', fields: { color }, ttlS: 120 }),
      });
      const body = (await response.json()) as Outcome;
      if (response.ok) {
        answered.set(id, body);
        answeredAt.set(id, Date.now() + 1);
      }
      // Too many requests: it was not looked at.
      else if (response.status === 429) asked.delete(id);
      return true;
    } catch {
      return false;
    }
  };

  return {
    known: fleet.known(),
    asked,
    answered,
    answeredAt,
    timesApplied: (color) => applied.get(color) ?? 0,
    drive: async (base) => {
      await Promise.all(
        names.map(async (unit) => {
          while (await send(base, unit)) await new Promise((resolve) => setTimeout(resolve, 20 * names.length));
        }),
      );
    },
  };
}
