import { describe, expect, test } from 'vitest';
import { settle } from '../../support/manual-clock.js';
import type { DialectRig } from './dialect-rig.js';
import { KEY, ScriptedUnit } from './scripted-unit.js';
import { hall, kitchen, serving, unitOf } from './unit-rig.js';

const place = (last: number, port = 8888) => ({ host: `10.0.0.${last}`, port });
const found = { ...hall, address: 'mdns' as const };
const dialled = (base: DialectRig): string[] => base.dialled.map(({ remote }) => remote);
const moves = (base: DialectRig): string[] =>
  base.log.lines.map(({ message }) => message).filter((message) => message.includes('moved'));

describe('a unit that is to be found by mDNS', () => {
  test('is offline with the reason until it is, then dialled at once', async () => {
    const base = await serving(found);
    expect(base.presence()).toEqual(['offline: hall was not found yet: no unit of that name has announced itself']);
    base.addresses.found('hall', place(7));
    await settle();
    expect(dialled(base)).toEqual(['10.0.0.7:8888']);
    await unitOf(base, hall).greet();
    expect([base.presence().at(-1), moves(base)]).toEqual(['online', []]);
  });

  test('an updatable one is idle when it is found, and dialled for a command', async () => {
    const base = await serving({ ...kitchen, address: 'mdns' });
    expect(base.presence()[0]).toMatch(/^offline: lamp was not found yet/);
    const outcome = await base.command({});
    expect(outcome).toMatchObject({ outcome: 'unreachable', reason: expect.stringMatching(/not found yet/) });
    base.addresses.found('lamp', place(7));
    expect([base.presence().at(-1), dialled(base)]).toEqual(['idle', []]);
    await base.clock.advance(1_000);
    void base.command({});
    await settle();
    expect(dialled(base)).toEqual(['10.0.0.7:8888']);
  });
});

describe('a unit that is found somewhere else', () => {
  test('stays where it is while its link is up; when that is lost it is looked for there, and said to have moved', async () => {
    const base = await serving(hall);
    const first = unitOf(base, hall);
    await first.greet();
    base.addresses.found('hall', place(2));
    await settle();
    expect(dialled(base)).toEqual(['10.0.0.1:8888']);
    first.peer.reset();
    await base.clock.advance(1_000);
    expect(dialled(base)).toEqual(['10.0.0.1:8888', '10.0.0.2:8888']);
    await unitOf(base, hall).greet();
    expect(moves(base)).toEqual(['hall moved from 10.0.0.1:8888 to 10.0.0.2:8888']);
    expect(base.presence().at(-1)).toBe('online');
  });

  test('another device there, with a wrong key, does not lose the place where it is', async () => {
    const base = await serving(hall);
    await unitOf(base, hall).greet();
    base.addresses.found('hall', place(2));
    base.dialled[0]!.peer.reset();
    await base.clock.advance(1_000);
    const fake = unitOf(base, hall, { key: new Uint8Array(16) });
    expect(await fake.prove()).toBe(false);
    await settle();
    // At once, not after the 5 min that follow a refusal.
    expect(dialled(base)).toEqual(['10.0.0.1:8888', '10.0.0.2:8888', '10.0.0.1:8888']);
    await unitOf(base, hall).greet();
    expect([base.presence().at(-1), moves(base)]).toEqual(['online', []]);
    expect(base.warnings()).toContainEqual(expect.stringMatching(/^not where it was said to be .*key/));
    // Nor is it looked for there again.
    expect(base.addresses.placesOf('hall')).toEqual([place(1)]);
  });

  test('is away from both: what each came to is told, and the next attempt is soon', async () => {
    const base = await serving(hall);
    base.away.add('10.0.0.2');
    base.addresses.found('hall', place(2));
    const stranger = async (): Promise<void> => {
      const unit = new ScriptedUnit(base.dialled.at(-1)!, { uid: 'other', definition: hall.definition, key: KEY });
      expect(await unit.prove()).toBe(false);
      await settle();
    };
    await stranger();
    const there = 'at 10.0.0.1:8888 is unit "other", not "hall"; correct the address or the name';
    expect(base.presence()).toEqual([`offline: ${there}`]);
    // It was found elsewhere while it was dialled here: that is looked at, too.
    await stranger();
    expect(base.presence().at(-1)).toBe(`offline: 10.0.0.2 is not there; ${there}`);
    // A refusal alone would have made it 5 min.
    const before = base.dialled.length;
    await base.clock.advance(1_000);
    expect(base.dialled.length).toBe(before + 1);
  });
});

describe('whoever announces a unit that he is not', () => {
  test('holds it up once and no more: the place where it was met comes first from then on', async () => {
    const base = await serving(hall);
    for (const last of [2, 3]) {
      await unitOf(base, hall).greet();
      base.addresses.found('hall', place(last));
      base.dialled.at(-1)!.peer.reset();
      await base.clock.advance(2_000);
      // Who is dialled first says nothing, until its time is over.
      if (last === 2) await base.clock.advance(5_000);
    }
    await unitOf(base, hall).greet();
    expect(base.presence().at(-1)).toBe('online');
    expect(dialled(base)).toEqual(['10.0.0.1:8888', '10.0.0.2:8888', '10.0.0.1:8888', '10.0.0.1:8888']);
  });

  test('one that is found elsewhere while it is tried in vain is tried there at once', async () => {
    const base = await serving(hall);
    const first = base.dialled.at(-1)!;
    base.addresses.found('hall', place(2));
    await settle();
    expect(dialled(base)).toEqual(['10.0.0.1:8888']);
    first.peer.reset();
    await settle();
    expect(dialled(base)).toEqual(['10.0.0.1:8888', '10.0.0.2:8888']);
  });
});

describe('a unit that comes while the base runs', () => {
  test('is served, takes commands, and is let go of', async () => {
    const { UnitDialect } = await import('../../../base/dialects/unit/unit-dialect.js');
    const base = await serving(hall);
    const dialect = base.handler as InstanceType<typeof UnitDialect>;
    expect(dialect.listening).toEqual({ host: '127.0.0.1', port: 0 });
    base.router.add(kitchen);
    base.addresses.configure('lamp', kitchen.address);
    dialect.serve(kitchen);
    void base.command({ fields: { color: '#ff8800' } });
    await settle();
    const lamp = unitOf(base, kitchen);
    await lamp.greet();
    expect(base.presence().at(-1)).toBe('online');
    const released = dialect.release('lamp');
    await base.clock.advance(2_000);
    await released;
    expect(lamp.peer.isDestroyed || lamp.peer.isEnded).toBe(true);
    await dialect.release('lamp');
  });
});
