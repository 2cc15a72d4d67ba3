import { describe, expect, test } from 'vitest';
import { AddressBook } from '../../../base/core/address-book.js';
import { CONTESTED_MS, DiscoveredUnits, FOLLOWED, type KnownFacts } from '../../../base/discovery/discovered-units.js';
import { type Announced, MAX_SERVICES } from '../../../base/discovery/mdns.js';
import { keyMarker } from '../../../protocol/iotsocket/key-marker.js';
import lamp from '../../../units/led-lamp.js';
import thermometer from '../../../units/thermometer.js';
import { countingCrypto } from '../../protocol/crypto.js';
import { ManualClock } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';
import { announced } from './announcements.js';

const key = new Uint8Array(16).fill(7);
const crypto = countingCrypto(0);
const marker = keyMarker(crypto, key, 'lamp');
const at = (last: number, port = 8888) => ({ host: `10.0.0.${last}`, port });
const from = (last: number, changes: object = {}): Announced =>
  announced('lamp', {
    addresses: [`10.0.0.${last}`],
    txt: { key: marker, mac: `f0:fe:6b:01:02:0${last}` },
    ...changes,
  });

/** Discovery of a base that has the unit `lamp`, configured to be where it is said. */
function discovering(where: Parameters<AddressBook['configure']>[1] = 'mdns') {
  const [addresses, clock, log] = [new AddressBook(), new ManualClock(), new QuietLog()];
  const known = new Map<string, KnownFacts>([['lamp', { definition: lamp, key }]]);
  const dialled: string[] = [];
  addresses.configure('lamp', where);
  addresses.onFound((uid) => void dialled.push(`${uid} ${JSON.stringify(addresses.of(uid))}`));
  const units = new DiscoveredUnits({
    addresses,
    known: (uid) => known.get(uid),
    definitions: new Map([[lamp.name, lamp]]),
    crypto,
    clock,
    log,
  });
  const up = (service: Announced): void => units.hear({ kind: 'up', service });
  const warnings = (): string[] => log.lines.splice(0).map(({ message }) => message);
  return { units, addresses, known, clock, up, warnings, dialled };
}

describe('a known unit that announces itself', () => {
  test('is looked for there, over again when it says so again, and followed when it says another place', () => {
    const { addresses, up, dialled, units } = discovering();
    up(from(1));
    expect(addresses.of('lamp')).toEqual(at(1));
    units.hear({ kind: 'down', name: 'lamp' });
    up(from(1));
    up(from(1, { port: 9999 }));
    up(from(2));
    expect(addresses.of('lamp')).toEqual(at(2));
    expect(dialled).toHaveLength(4);
    expect(units.list()).toMatchObject([{ unit: 'lamp', isKnown: true, key: 'ours', isSame: true, notes: [] }]);
  });

  test('stays where it is while that is one of its addresses, or its own name', () => {
    const { addresses, up, dialled } = discovering({ host: 'Lamp.local.', port: 8888 });
    up(from(1));
    expect([addresses.of('lamp'), dialled.length]).toEqual([{ host: 'Lamp.local.', port: 8888 }, 1]);
    up(from(1, { port: 9999 }));
    expect(addresses.of('lamp')).toEqual(at(1, 9999));
    up(from(1, { addresses: ['10.0.0.5', '10.0.0.1'], port: 9999 }));
    expect(addresses.of('lamp')).toEqual(at(1, 9999));
  });

  test('is not looked for on the network while its place is a serial port', () => {
    const serial = { serial: '/dev/ttyUSB0', baud: 115_200 };
    const { addresses, up, dialled } = discovering(serial);
    up(from(1));
    expect([addresses.of('lamp'), dialled]).toEqual([serial, []]);
  });

  test('is followed so often in a while; then to the last place that was said, a little later', async () => {
    const { addresses, up, units, dialled, clock } = discovering();
    for (let last = 1; last <= FOLLOWED.burst + 3; last += 1) {
      units.hear({ kind: 'down', name: 'lamp' });
      up(from(last));
    }
    expect([dialled.length, addresses.of('lamp')]).toEqual([FOLLOWED.burst, at(FOLLOWED.burst)]);
    await clock.advance(10_000);
    expect([dialled.length, addresses.of('lamp')]).toEqual([FOLLOWED.burst + 1, at(FOLLOWED.burst + 3)]);
    up(from(1));
    units.stop();
    expect(clock.waiting).toBe(0);
  });

  test('is forgotten before it could be followed: nothing of it is waited for', () => {
    const { up, units, known, addresses, clock } = discovering();
    for (let last = 1; last <= FOLLOWED.burst + 1; last += 1) up(from(last));
    known.delete('lamp');
    addresses.remove('lamp');
    units.forgotten('lamp');
    expect(clock.waiting).toBe(0);
  });

  test('with another key, or with none, is named as such once', () => {
    const { up, warnings, units } = discovering();
    for (const last of [1, 1]) up(from(last, { txt: { key: '00000000' } }));
    expect([warnings(), units.list()[0]!.key]).toEqual([
      ['lamp announces another key than the one it has here'],
      'other',
    ]);
    up(from(1));
    expect(warnings()).toEqual([]);
    up(from(1, { txt: { key: 'none' } }));
    expect(warnings()).toEqual([expect.stringMatching(/^lamp has no key yet: baseunit provision/)]);
  });

  test('on two devices is named as such; the one that has moved for good is not', async () => {
    const { up, warnings, units, clock } = discovering();
    up(from(1));
    up(from(2));
    expect([warnings(), units.list()[0]!.notes]).toEqual([[], []]);
    up(from(1));
    const text =
      'two devices announce "lamp": the base keeps to the one that has its key; give the other a name of its own';
    expect([warnings(), units.list()[0]!.notes]).toEqual([[text], [text]]);
    await clock.advance(CONTESTED_MS);
    up(from(3));
    expect([warnings(), units.list()[0]!.notes]).toEqual([[], []]);
  });
});

describe('a unit that is not known', () => {
  test('is listed with what is known of it, and said once', () => {
    const { up, warnings, units } = discovering();
    const hall = announced('hall', { txt: { key: 'aabbccdd', board: 'd1_mini', version: '2.0.0' } });
    for (const service of [hall, hall]) up(service);
    up(announced('attic', { txt: { definition: 'unheard-of' } }));
    up(announced('cellar', { txt: { fingerprint: '0'.repeat(16), key: 'line' } }));
    expect(warnings()).toEqual(Array(3).fill('a unit announces itself; see baseunit adopt'));
    expect(units.list()).toMatchObject([
      { unit: 'attic', isKnown: false, key: 'none', hasDefinition: false, isSame: false },
      { unit: 'cellar', key: 'line', hasDefinition: true, isSame: false },
      { unit: 'hall', key: 'unknown', hasDefinition: true, isSame: true, board: 'd1_mini', version: '2.0.0' },
    ]);
    units.hear({ kind: 'down', name: 'attic' });
    expect([units.list().length, units.get('attic')]).toEqual([2, undefined]);
  });

  test('at the address of a known one is named as such', () => {
    const { up, warnings, units } = discovering(at(1));
    up(announced('hall', { addresses: ['10.0.0.9', '10.0.0.1'] }));
    const text = 'at 10.0.0.1:8888 is unit "hall", not "lamp"';
    expect([warnings(), units.list()[0]!.notes]).toEqual([[text], [text]]);
    // The one that belongs there has moved: nothing is odd about that any more.
    up(from(2));
    up(announced('attic', { addresses: ['10.0.0.2'], port: 9999 }));
    expect(units.list().map(({ unit, notes }) => [unit, notes.length])).toEqual([
      ['attic', 0],
      ['hall', 0],
      ['lamp', 0],
    ]);
  });

  test('is known, and at the address of another known one: named as such too', () => {
    const { up, warnings, units, known, addresses } = discovering(at(1));
    known.set('hall', { definition: thermometer, key: undefined });
    addresses.configure('hall', at(9));
    up(announced('hall', { addresses: ['10.0.0.1'] }));
    const text = 'at 10.0.0.1:8888 is unit "hall", not "lamp"';
    expect([warnings().includes(text), units.list()[0]!.notes]).toEqual([true, [text]]);
  });

  test('that cannot be read is not listed, nor is one that becomes so; what it says cannot steer a terminal', () => {
    const { up, warnings, units } = discovering();
    up(announced('hall'));
    warnings();
    up(announced('hall', { txt: { version: '' } }));
    up(announced('at\u001b[2Jtic'));
    expect(units.list()).toEqual([]);
    expect(warnings()).toEqual(Array(2).fill('what announces itself as a unit is none'));
  });

  test('has no more lines in the log than 20 at once, however many there are; at most 1 024 are listed, known ones first', () => {
    const { up, warnings, units } = discovering();
    up(from(1));
    for (let index = 0; index < MAX_SERVICES + 5; index += 1) up(announced(`unit-${index}`));
    expect(warnings()).toHaveLength(20);
    const uids = units.list().map(({ unit }) => unit);
    expect([uids.length, uids.includes('lamp'), uids.includes('unit-5'), uids.includes('unit-6')]).toEqual([
      MAX_SERVICES,
      true,
      false,
      true,
    ]);
  });

  test('is followed once it is adopted', () => {
    const { up, units, known, addresses } = discovering();
    up(announced('hall', { addresses: ['10.0.0.7'] }));
    known.set('hall', { definition: thermometer, key: undefined });
    addresses.configure('hall', 'mdns');
    units.adopted('hall');
    expect(addresses.of('hall')).toEqual(at(7));
  });
});
