import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DnsRecord, MAX_SERVICES_OF_HOST, RecordCache } from '../../../base/discovery/bonjour/record-cache.js';
import { MAX_ADDRESSES, MAX_SERVICES, type MdnsEvent, UNIT_SERVICE } from '../../../base/discovery/mdns.js';

const TYPE = `${UNIT_SERVICE}.local`;
const txt = (...strings: string[]) => strings.map((string) => new TextEncoder().encode(string));

const pointer = (name: string, ttl = 4_500): DnsRecord => ({ name: TYPE, type: 'PTR', ttl, data: `${name}.${TYPE}` });
const service = (name: string, host: string, port = 8888, ttl = 120): DnsRecord => ({
  name: `${name}.${TYPE}`,
  type: 'SRV',
  ttl,
  data: { target: host, port },
});
const attributes = (name: string, ...strings: string[]): DnsRecord => ({
  name: `${name}.${TYPE}`,
  type: 'TXT',
  ttl: 4_500,
  data: txt(...strings),
});
const address = (host: string, data: string, type = 'A', ttl = 120): DnsRecord => ({ name: host, type, ttl, data });
const whole = (name: string, host = `${name}.local`, at = '10.0.0.1'): DnsRecord[] => [
  pointer(name),
  service(name, host),
  attributes(name, 'version=1'),
  address(host, at),
];

function listening() {
  const events: MdnsEvent[] = [];
  const cache = new RecordCache(UNIT_SERVICE, (event) => void events.push(event));
  return { cache, events, told: () => events.splice(0) };
}
const up = (name: string, changes: object = {}) => ({
  kind: 'up',
  service: expect.objectContaining({ name, host: `${name}.local`, addresses: ['10.0.0.1'], port: 8888, ...changes }),
});

describe('records of services', () => {
  test('that come together are told once, and again when something changes', () => {
    const { cache, told } = listening();
    expect(cache.take(whole('lamp'), 0)).toEqual([]);
    expect(told()).toEqual([up('lamp', { txt: new Map([['version', '1']]) })]);
    cache.take(whole('lamp'), 1_000);
    expect(told()).toEqual([]);
    cache.take([service('lamp', 'lamp.local', 9999)], 2_000);
    expect(told()).toEqual([up('lamp', { port: 9999 })]);
    cache.take([attributes('lamp', 'version=2')], 3_000);
    expect(told()).toEqual([up('lamp', { port: 9999, txt: new Map([['version', '2']]) })]);
  });

  test('that come apart are asked for, and told when all is there', () => {
    const { cache, told } = listening();
    const [name, host] = [`lamp.${TYPE}`, 'lamp.local'];
    expect(cache.take([pointer('lamp')], 0)).toEqual([
      { name, type: 'TXT' },
      { name, type: 'SRV' },
    ]);
    expect(cache.take([attributes('lamp')], 0)).toEqual([{ name, type: 'SRV' }]);
    expect(cache.take([service('lamp', host)], 0)).toEqual([{ name: host, type: 'A' }]);
    expect(told()).toEqual([]);
    expect(cache.take([address('LAMP.local.', '10.0.0.1')], 0)).toEqual([]);
    expect(told()).toEqual([up('lamp', { txt: new Map() })]);
  });

  test('a device that changes its address is followed, by its name or by another name', () => {
    const { cache, told } = listening();
    cache.take(whole('lamp'), 0);
    told();
    cache.take([address('lamp.local', '10.0.0.2')], 1_000);
    expect(told()).toEqual([up('lamp', { addresses: ['10.0.0.2'] })]);
    cache.take([service('lamp', 'spare.local'), address('spare.local', '10.0.0.3')], 2_000);
    expect(told()).toEqual([up('lamp', { host: 'spare.local', addresses: ['10.0.0.3'] })]);
  });

  test('all addresses of a packet count, both families, at most 8', () => {
    const { cache, told } = listening();
    const many = Array.from({ length: 12 }, (_, index) => address('lamp.local', `10.0.0.${index + 1}`));
    cache.take([...whole('lamp').slice(0, 3), address('lamp.local', '2001:db8::1', 'AAAA'), ...many], 0);
    expect(told()).toMatchObject([{ service: { addresses: { length: MAX_ADDRESSES } } }]);
    cache.take([address('lamp.local', '10.0.0.9')], 0);
    expect(told()).toEqual([up('lamp', { addresses: ['10.0.0.9', '2001:db8::1'] })]);
  });

  test('a goodbye is told, and so is silence past the time to live', () => {
    const { cache, told } = listening();
    cache.take([...whole('lamp'), ...whole('hall', 'hall.local')], 0);
    told();
    cache.take([pointer('lamp', 0)], 1_000);
    expect(told()).toEqual([{ kind: 'down', name: 'lamp' }]);
    cache.expire(119_999);
    expect(told()).toEqual([]);
    cache.expire(120_000);
    expect(told()).toEqual([{ kind: 'down', name: 'hall' }]);
    cache.take([service('hall', 'hall.local'), address('hall.local', '10.0.0.1')], 121_000);
    expect(told()).toEqual([up('hall')]);
    cache.expire(4_500_000);
    told();
    expect(cache.size).toBe(0);
  });

  test('names may have dots and blanks, and are the same whichever way they are written', () => {
    const { cache, told } = listening();
    cache.take(whole('Lamp 2. Floor', 'lamp.local'), 0);
    expect(told()).toMatchObject([{ service: { name: 'Lamp 2. Floor' } }]);
    cache.take([pointer('lamp 2. floor', 0)], 1);
    expect(told()).toEqual([{ kind: 'down', name: 'Lamp 2. Floor' }]);
  });

  test('what is of another type, or of nobody, is nothing', () => {
    const { cache, told } = listening();
    const other = { name: '_http._tcp.local', type: 'PTR', ttl: 120, data: 'web._http._tcp.local' };
    expect(
      cache.take([other, service('lamp', 'lamp.local'), attributes('lamp'), address('lamp.local', '1.2.3.4')], 0),
    ).toEqual([]);
    expect([cache.size, told()]).toEqual([0, []]);
  });

  test('a name that nobody could ask for is none', () => {
    const { cache } = listening();
    cache.take([pointer('\ufffd'.repeat(22)), pointer('n'.repeat(64)), pointer(`${'n'.repeat(60)}.`.repeat(4))], 0);
    expect(cache.size).toBe(0);
    cache.take([pointer('\ufffd'.repeat(21)), pointer('n'.repeat(63))], 0);
    expect(cache.size).toBe(2);
  });

  test('at most 1 024 are kept: the oldest goes, and is told as gone', () => {
    const { cache, told } = listening();
    for (let index = 0; index < MAX_SERVICES; index += 1) cache.take(whole(`unit-${index}`), index);
    expect([cache.size, told().length]).toEqual([MAX_SERVICES, MAX_SERVICES]);
    cache.take([pointer('unit-0')], 2_000);
    cache.take(whole('one-more'), 2_001);
    expect(cache.size).toBe(MAX_SERVICES);
    expect(told()).toEqual([{ kind: 'down', name: 'unit-1' }, up('one-more')]);
  });

  test('of one device at most 64 are', () => {
    const { cache, told } = listening();
    for (let index = 0; index <= MAX_SERVICES_OF_HOST; index += 1) cache.take(whole(`unit-${index}`, 'all.local'), 0);
    expect(told()).toHaveLength(MAX_SERVICES_OF_HOST);
    cache.take([address('all.local', '10.0.0.2')], 1);
    expect(told()).toHaveLength(MAX_SERVICES_OF_HOST);
    // One that is there already may change its port.
    cache.take([service('unit-0', 'all.local', 9999)], 2);
    expect(told()).toMatchObject([{ service: { name: 'unit-0', port: 9999 } }]);
  });

  test('any records, in any order, throw nothing and keep within the bound', () => {
    const name = fc.constantFrom(TYPE, `a.${TYPE}`, `b.${TYPE}`, 'a.local', '', '.', 'x'.repeat(300));
    const record = fc.record({
      name,
      type: fc.constantFrom('PTR', 'SRV', 'TXT', 'A', 'AAAA', 'OPT'),
      ttl: fc.option(fc.constantFrom(0, 120, 2 ** 31, -1), { nil: undefined }),
      data: fc.oneof(
        name,
        fc.ipV4(),
        fc.record({ target: fc.oneof(name, fc.integer()), port: fc.oneof(fc.integer(), fc.string()) }),
        fc.array(fc.uint8Array({ maxLength: 20 })),
        fc.constantFrom(null, undefined, 7),
      ),
    });
    fc.assert(
      fc.property(fc.array(fc.array(record, { maxLength: 12 }), { maxLength: 12 }), (packets) => {
        const { cache, told } = listening();
        const there = new Set<string>();
        for (const [index, records] of packets.entries()) {
          cache.take(records, index * 60_000);
          cache.expire(index * 60_000);
          for (const event of told()) {
            if (event.kind === 'down') expect(there.delete(event.name)).toBe(true);
            else there.add(event.service.name);
          }
        }
        expect(there.size).toBeLessThanOrEqual(cache.size);
      }),
    );
  });
});

describe('who floods', () => {
  test('makes nobody busy: of a thousand services that change all the time so many are told of in a second', () => {
    const { cache, told } = listening();
    const hosts = Array.from({ length: MAX_SERVICES / MAX_SERVICES_OF_HOST }, (_, index) => `h${index}.local`);
    for (let index = 0; index < MAX_SERVICES; index += 1)
      cache.take(whole(`unit-${index}`, hosts[Math.floor(index / MAX_SERVICES_OF_HOST)]!), 0);
    expect(told()).toHaveLength(MAX_SERVICES);
    const move = (last: number, now: number): void =>
      void cache.take(
        hosts.map((host) => address(host, `10.0.0.${last}`)),
        now,
      );
    for (let last = 2; last <= 50; last += 1) move(last, 0);
    expect(told()).toHaveLength(MAX_SERVICES);
    // The last word is told of in the end, without anybody repeating it.
    const heard = new Map<string, string>();
    for (let second = 1; second <= 11; second += 1) {
      cache.expire(second * 1_000);
      const events = told();
      expect(events.length).toBeLessThanOrEqual(100);
      for (const event of events)
        if (event.kind === 'up') heard.set(event.service.name, event.service.addresses.join());
    }
    expect([heard.size, new Set(heard.values())]).toEqual([MAX_SERVICES, new Set(['10.0.0.50'])]);
  });

  test('with a name that differs in capital letters only does not hide the one that is there', () => {
    const { cache, told } = listening();
    cache.take(whole('LAMP', 'other.local', '10.0.0.9'), 0);
    told();
    cache.take(whole('lamp'), 1_000);
    expect(told()).toEqual([{ kind: 'down', name: 'LAMP' }, up('lamp')]);
    expect(cache.size).toBe(1);
  });
});
