import { describe, expect, test } from 'vitest';
import { settle } from '../../support/manual-clock.js';
import { up } from './unit-rig.js';

const values = { temperature: 21.5, humidity: 40 };

describe('a unit that sends too much', () => {
  test('is slowed down to 50 transmissions a second after a burst of 200; nothing is lost, the link stays', async () => {
    const { base, unit } = await up();
    // The hello was the first of the burst.
    for (let sequence = 1; sequence <= 300; sequence += 1) {
      unit.report(1, sequence, values);
      if (sequence % 20 === 0) await settle(25);
    }
    await settle(250);
    const atOnce = base.of('report').length;
    expect(atOnce).toBeGreaterThanOrEqual(199);
    expect(atOnce).toBeLessThanOrEqual(201);
    await base.clock.advance(1_000);
    expect(base.of('report').length - atOnce).toBeGreaterThanOrEqual(49);
    expect(base.of('report').length - atOnce).toBeLessThanOrEqual(51);
    await base.clock.advance(2_000);
    expect(base.of('report').map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 300 }, (_, index) => index + 1),
    );
    expect(base.presence()).toEqual(['online']);
  });

  test('fifty a second are taken for ever, and none waits', async () => {
    const { base, unit } = await up();
    for (let second = 1; second <= 30; second += 1) {
      for (let index = 0; index < 50; index += 1) unit.send({ kind: 'ping' });
      expect(await unit.after(base.clock, 1_000)).toHaveLength(50);
    }
    expect(base.presence()).toEqual(['online']);
  });

  test('one chunk of many transmissions is no way around it', async () => {
    const { base, unit } = await up();
    const chunk = Array.from({ length: 400 }, () => unit.seal({ kind: 'ping' }));
    unit.peer.write(Uint8Array.from(chunk.flatMap((octets) => [...octets])));
    await settle();
    expect(unit.heard().length).toBeLessThanOrEqual(201);
    expect((await unit.after(base.clock, 10_000)).length).toBeGreaterThanOrEqual(199);
    expect(base.presence()).toEqual(['online']);
  });
});
