import { describe, expect, onTestFinished, test } from 'vitest';
import { AddressBook } from '../../../base/core/address-book.js';
import { deferred } from '../../../base/core/deferred.js';
import { Records } from '../../../base/core/records.js';
import { type AdoptedUnit, adoptedBefore, MAX_ADOPTED } from '../../../base/discovery/adopted-units.js';
import { Discovery, type DiscoveryOptions } from '../../../base/discovery/discovery.js';
import type { Advertised, Announced, Mdns, MdnsEvent } from '../../../base/discovery/mdns.js';
import { keyMarker } from '../../../protocol/iotsocket/key-marker.js';
import { toHex } from '../../../protocol/octets.js';
import lamp from '../../../units/led-lamp.js';
import lampLine from '../../../units/led-lamp-line.js';
import thermometer from '../../../units/thermometer.js';
import { countingCrypto } from '../../protocol/crypto.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { MemoryStore } from '../../support/memory-store.js';
import { QuietLog } from '../../support/quiet-log.js';
import { announced } from './announcements.js';

const key = new Uint8Array(16).fill(7);
const crypto = countingCrypto(0);
const definitions = new Map([lamp, lampLine, thermometer].map((each) => [each.name, each]));
const withKey = (name: string): Announced => announced(name, { txt: { key: keyMarker(crypto, key, name) } });
const line = (name: string): Announced =>
  announced(name, { txt: { key: 'line', definition: lampLine.name, fingerprint: '0'.repeat(16) } });

/** A network of which the test says every word. */
class ScriptedMdns implements Mdns {
  readonly library = 'bonjour-service';
  readonly advertised: Advertised[] = [];
  isClosed = false;
  #hear: (event: MdnsEvent) => void = () => {};

  browse(_type: string, hear: (event: MdnsEvent) => void): () => void {
    this.#hear = hear;
    return () => {};
  }
  advertise(service: Advertised): void {
    this.advertised.push(service);
  }
  async close(): Promise<void> {
    this.isClosed = true;
  }
  up(...services: Announced[]): void {
    for (const service of services) this.#hear({ kind: 'up', service });
  }
}

async function discovering(options: Partial<DiscoveryOptions> = {}) {
  const [mdns, store, addresses, log] = [new ScriptedMdns(), new MemoryStore(), new AddressBook(), new QuietLog()];
  const records = new Records(store);
  const served: AdoptedUnit[] = [];
  const released: string[] = [];
  const forget: ((uid: string) => void)[] = [];
  const discovery = new Discovery({
    interface: undefined,
    announce: { name: 'home', version: '1.2.3', port: () => 8888 },
    definitions,
    configured: new Map([['stair', { definition: thermometer, key }]]),
    adopted: [],
    addresses,
    records,
    serve: (unit) => {
      served.push(unit);
      addresses.configure(unit.uid, 'mdns');
      return true;
    },
    release: (uid) => void released.push(uid),
    onForgotten: (hear) => {
      forget.push(hear);
      return () => void forget.splice(forget.indexOf(hear), 1);
    },
    choose: async () => mdns,
    crypto,
    clock: new ManualClock(),
    random: { octets: (count) => new Uint8Array(count), fraction: () => 0.5 },
    log,
    ...options,
  });
  onTestFinished(() => discovery.stop());
  await discovery.start();
  const isForgotten = (uid: string): void => {
    for (const hear of forget) hear(uid);
  };
  return { discovery, mdns, store, records, addresses, served, released, forget, isForgotten, log };
}

describe('a unit that announces itself', () => {
  test('is adopted with its key: on the disk first, then served, then looked for where it is', async () => {
    const { discovery, mdns, records, served, addresses } = await discovering();
    mdns.up(withKey('lamp'));
    expect(await discovery.adopt('lamp', { key })).toBe(true);
    expect(served).toEqual([{ uid: 'lamp', definition: lamp, key }]);
    expect(records.of('discovery')).toMatchObject([
      { key: 'lamp', unit: 'lamp', value: { definition: 'led-lamp', key: toHex(key) } },
    ]);
    expect(addresses.of('lamp')).toEqual({ host: '10.0.0.1', port: 8888 });
    expect(discovery.discovered()).toMatchObject([{ unit: 'lamp', isKnown: true, key: 'ours' }]);
  });

  test('a line unit is adopted without one', async () => {
    const { discovery, mdns, records, served } = await discovering();
    mdns.up(line('bulb'));
    expect(await discovery.adopt('bulb', {})).toBe(true);
    expect([served, records.of('discovery')[0]!.value]).toEqual([
      [{ uid: 'bulb', definition: lampLine, key: undefined }],
      { definition: lampLine.name },
    ]);
  });

  test.each([
    ['one that is configured', withKey('stair'), key, /unit of this base already/],
    ['one of no definition here', announced('lamp', { txt: { definition: 'led-lamb' } }), key, /is led-lamp meant/],
    ['one without a key yet', announced('lamp'), key, /baseunit provision/],
    ['one whose key is not given', withKey('lamp'), undefined, /needs its key/],
    ['one of another key', withKey('lamp'), new Uint8Array(16), /not the key of lamp/],
    ['a line unit with a key', line('lamp'), key, /leave its key out/],
    [
      'a line unit of a definition that is none',
      announced('lamp', { txt: { key: 'line' } }),
      undefined,
      /is none here/,
    ],
    [
      'a unit of a line definition',
      announced('lamp', { txt: { definition: lampLine.name } }),
      undefined,
      /is one here/,
    ],
  ])('is refused: %s', async (_what, service, given, message) => {
    const { discovery, mdns, records, served } = await discovering();
    mdns.up(service);
    await expect(discovery.adopt(service.name, { key: given })).rejects.toMatchObject({
      code: 'request-refused',
      message: expect.stringMatching(message),
    });
    expect([served, records.of('discovery')]).toEqual([[], []]);
  });

  test('that is silent, or was adopted a moment before, is not', async () => {
    const { discovery, mdns, served } = await discovering();
    expect(await discovery.adopt('lamp', { key })).toBe(false);
    mdns.up(withKey('lamp'));
    const both = await Promise.allSettled([discovery.adopt('lamp', { key }), discovery.adopt('lamp', { key })]);
    expect([both.map(({ status }) => status), served.length]).toEqual([['fulfilled', 'rejected'], 1]);
  });

  test('with the UID of another unit is refused, and nothing of it stays', async () => {
    const { discovery, mdns, records } = await discovering({ serve: () => false });
    mdns.up(withKey('lamp'));
    await expect(discovery.adopt('lamp', { key })).rejects.toMatchObject({
      message: expect.stringMatching(/another unit/),
    });
    expect(records.of('discovery')).toEqual([]);
  });

  test('is forgotten while it is put on the disk: it is not adopted', async () => {
    const { discovery, mdns, store, records, served, isForgotten } = await discovering();
    mdns.up(withKey('lamp'));
    const gate = deferred<void>();
    store.gate = gate.promise;
    const adopted = discovery.adopt('lamp', { key });
    await settle();
    records.forget('lamp');
    isForgotten('lamp');
    gate.resolve();
    await expect(adopted).rejects.toMatchObject({ message: expect.stringMatching(/was forgotten/) });
    expect([served, discovery.discovered()[0]!.isKnown]).toEqual([[], false]);
  });

  test('sleeps, and so cannot be dialled: refused', async () => {
    const definitions = new Map([[lamp.name, { ...lamp, sleepMs: 60_000 }]]);
    const { discovery, mdns } = await discovering({ definitions });
    mdns.up(withKey('lamp'));
    await expect(discovery.adopt('lamp', { key })).rejects.toMatchObject({
      message: expect.stringMatching(/dials in when it wakes/),
    });
  });

  test('when the disk does not take it, it is not served', async () => {
    const { discovery, mdns, store, served } = await discovering();
    mdns.up(withKey('lamp'));
    store.isFailing = true;
    await expect(discovery.adopt('lamp', { key })).rejects.toMatchObject({ family: 'store' });
    expect([served, discovery.discovered()[0]!.isKnown]).toEqual([[], false]);
    store.isFailing = false;
    expect(await discovery.adopt('lamp', { key })).toBe(true);
  });

  test('is the 257th that was adopted: refused', async () => {
    const { discovery, mdns } = await discovering();
    for (let index = 0; index < MAX_ADOPTED; index += 1) {
      mdns.up(line(`bulb-${index}`));
      expect(await discovery.adopt(`bulb-${index}`, {})).toBe(true);
    }
    mdns.up(line('one-more'));
    await expect(discovery.adopt('one-more', {})).rejects.toMatchObject({
      message: expect.stringMatching(/256 adopted/),
    });
  });

  test('is forgotten: served no longer, and may be adopted again; a configured one is left alone', async () => {
    const { discovery, mdns, records, released, isForgotten, forget } = await discovering();
    mdns.up(withKey('lamp'), withKey('stair'));
    await discovery.adopt('lamp', { key });
    isForgotten('stair');
    isForgotten('lamp');
    records.forget('lamp');
    expect(released).toEqual(['lamp']);
    expect(await discovery.adopt('lamp', { key })).toBe(true);
    await discovery.stop();
    expect(forget).toEqual([]);
  });
});

describe('units that were adopted before', () => {
  test('are served again; those that are configured by now, or of no definition any more, are not', () => {
    const log = new QuietLog();
    const record = (uid: string, value: unknown, handler = 'discovery') => ({ handler, key: uid, unit: uid, value });
    const records = [
      record('lamp', { definition: 'led-lamp', key: toHex(key) }),
      record('bulb', { definition: lampLine.name }),
      record('stair', { definition: 'thermometer', key: toHex(key) }),
      record('ghost', { definition: 'gone' }),
      record('worse', null),
      record('shed', { definition: 'led-lamp' }, 'elfin'),
    ];
    expect(adoptedBefore(records, definitions, (uid) => uid === 'stair', log)).toEqual([
      { uid: 'lamp', definition: lamp, key },
      { uid: 'bulb', definition: lampLine, key: undefined },
    ]);
    expect(log.lines.map(({ fields }) => fields.unit)).toEqual(['ghost', 'worse']);
  });

  test('are known as such', async () => {
    const adopted = [{ uid: 'lamp', definition: lamp, key }];
    const { discovery, mdns, released, isForgotten } = await discovering({ adopted });
    mdns.up(withKey('lamp'));
    expect(discovery.discovered()).toMatchObject([{ isKnown: true, key: 'ours' }]);
    isForgotten('lamp');
    expect([released, discovery.discovered()[0]!.isKnown]).toEqual([['lamp'], false]);
  });
});

test('units that were adopted before whose definition is another kind of unit by now are not served', () => {
  const log = new QuietLog();
  const record = (uid: string, value: unknown) => ({ handler: 'discovery', key: uid, unit: uid, value });
  const records = [
    record('bulb', { definition: 'led-lamp' }),
    record('shed', { definition: 'led-lamp', key: 'nonsense' }),
    record('sleeper', { definition: 'thermometer', key: toHex(key) }),
    record('old', { definition: lampLine.name, key: toHex(key) }),
  ];
  const now = new Map(definitions).set('thermometer', { ...thermometer, sleepMs: 60_000 });
  expect(adoptedBefore(records, now, () => false, log)).toEqual([{ uid: 'old', definition: lampLine, key: undefined }]);
  expect(log.lines.map(({ fields }) => fields.unit)).toEqual(['bulb', 'shed', 'sleeper']);
});

describe('the base', () => {
  test('announces itself by its name and its machine, in 63 octets, until it stops', async () => {
    const { mdns, discovery } = await discovering({
      announce: { name: 'ű'.repeat(64), version: '1.2.3', port: () => 8899 },
    });
    const [{ name, ...rest }] = mdns.advertised as [Advertised];
    expect(rest).toEqual({ type: '_baseunit-base._tcp', port: 8899, txt: { name: 'ű'.repeat(64), version: '1.2.3' } });
    expect(new TextEncoder().encode(name).length).toBeLessThanOrEqual(63);
    expect(name).toMatch(/^ű+ \(.+\)$/);
    await discovery.stop();
    expect(mdns.isClosed).toBe(true);
  });

  test('does not where it is told not to, or where nobody can reach it', async () => {
    for (const announce of [undefined, { name: 'home', version: '1', port: () => undefined }])
      expect((await discovering({ announce })).mdns.advertised).toEqual([]);
  });
});
