import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../../base/links/public-address.js';

/** Each row: the range, the public address before it, its first, its last, the public address after it. */
type Row = readonly [range: string, before: string | undefined, first: string, last: string, after: string | undefined];

const ipv4: readonly Row[] = [
  ['this network', undefined, '0.0.0.0', '0.255.255.255', '1.0.0.0'],
  ['private 10/8', '9.255.255.255', '10.0.0.0', '10.255.255.255', '11.0.0.0'],
  ['behind a carrier', '100.63.255.255', '100.64.0.0', '100.127.255.255', '100.128.0.0'],
  ['loopback', '126.255.255.255', '127.0.0.0', '127.255.255.255', '128.0.0.0'],
  ['link-local', '169.253.255.255', '169.254.0.0', '169.254.255.255', '169.255.0.0'],
  ['private 172.16/12', '172.15.255.255', '172.16.0.0', '172.31.255.255', '172.32.0.0'],
  ['protocol assignments', '191.255.255.255', '192.0.0.0', '192.0.0.255', '192.0.1.0'],
  ['documentation 1', '192.0.1.255', '192.0.2.0', '192.0.2.255', '192.0.3.0'],
  ['relays of 6to4', '192.88.98.255', '192.88.99.0', '192.88.99.255', '192.88.100.0'],
  ['private 192.168/16', '192.167.255.255', '192.168.0.0', '192.168.255.255', '192.169.0.0'],
  ['benchmarks', '198.17.255.255', '198.18.0.0', '198.19.255.255', '198.20.0.0'],
  ['documentation 2', '198.51.99.255', '198.51.100.0', '198.51.100.255', '198.51.101.0'],
  ['documentation 3', '203.0.112.255', '203.0.113.0', '203.0.113.255', '203.0.114.0'],
  ['multicast', '223.255.255.255', '224.0.0.0', '239.255.255.255', undefined],
  ['reserved and broadcast', undefined, '240.0.0.0', '255.255.255.255', undefined],
];

const ones = (groups: number): string => Array(groups).fill('ffff').join(':');

const ipv6: readonly Row[] = [
  ['all below global unicast', undefined, '::', `1fff:${ones(7)}`, '2000::'],
  ['protocol assignments, Teredo', `2000:${ones(7)}`, '2001::', `2001:1ff:${ones(6)}`, '2001:200::'],
  ['documentation', `2001:db7:${ones(6)}`, '2001:db8::', `2001:db8:${ones(6)}`, '2001:db9::'],
  ['new documentation', `3ffe:${ones(7)}`, '3fff::', `3fff:fff:${ones(6)}`, '3fff:1000::'],
  ['all above global unicast', `3fff:${ones(7)}`, '4000::', ones(8), undefined],
];

describe('a range that is not public', () => {
  it.each([...ipv4, ...ipv6])('%s ends where it ends', (_, before, first, last, after) => {
    expect([first, last].map(isPublicAddress)).toEqual([false, false]);
    const neighbours = [before, after].filter((address) => address !== undefined);
    expect(neighbours.filter((address) => !isPublicAddress(address))).toEqual([]);
  });
});

describe('an address by name', () => {
  it.each([
    ['unspecified', '::'],
    ['loopback', '::1'],
    ['IPv4-compatible', '::8.8.8.8'],
    ['IPv4-translated', '::ffff:0:8.8.8.8'],
    ['local NAT64', '64:ff9b:1::808:808'],
    ['discard', '100::'],
    ['discard, last', '100::ffff:ffff:ffff:ffff'],
    ['Teredo', '2001::1'],
    ['Teredo, last', `2001:0:${ones(6)}`],
    ['benchmarks', '2001:2::1'],
    ['ORCHID', '2001:10::1'],
    ['ORCHID 2', '2001:20::1'],
    ['segment routing', '5f00::1'],
    ['unique local', 'fc00::'],
    ['unique local, last', `fdff:${ones(7)}`],
    ['link-local', 'fe80::'],
    ['link-local with zone', 'fe80::1%eth0'],
    ['link-local, last', `febf:${ones(7)}`],
    ['site-local', 'fec0::1'],
    ['multicast', 'ff02::1'],
    ['metadata of a cloud', '169.254.169.254'],
    ['broadcast', '255.255.255.255'],
    ['global with a zone', '2606:4700::1111%eth0'],
  ])('%s (%s) is not public', (_, address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '93.184.215.14',
    '2606:4700:4700::1111',
    '2A00:1450:4001:80E::200E',
    '2620:4f:8000::1',
  ])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    '',
    'localhost',
    'example.org',
    '8.8.8',
    '08.8.8.8',
    '8.8.8.8 ',
    '0x8.8.8.8',
    '[2606:4700::1]',
    '2606:4700::1::2',
  ])('%j is none, so not public', (text) => {
    expect(isPublicAddress(text)).toBe(false);
  });
});

const hexOf = (address: string): string => {
  const [a, b, c, d] = address.split('.').map(Number);
  return `${((a! << 8) | b!).toString(16)}:${((c! << 8) | d!).toString(16)}`;
};

const carriers: readonly (readonly [string, (address: string) => string])[] = [
  ['IPv4-mapped', (address) => `::ffff:${address}`],
  ['IPv4-mapped, hexadecimal', (address) => `::FFFF:${hexOf(address)}`],
  ['IPv4-mapped, in full', (address) => `0:0:0:0:0:ffff:${hexOf(address)}`],
  ['NAT64', (address) => `64:ff9b::${address}`],
  ['NAT64, hexadecimal', (address) => `0064:ff9b::${hexOf(address)}`],
  ['6to4', (address) => `2002:${hexOf(address)}::1`],
  ['6to4, its network', (address) => `2002:${hexOf(address)}::`],
  ['6to4, in full', (address) => `2002:${hexOf(address)}:1:2:3:4:5`],
];

describe('an IPv4 address inside an IPv6 address', () => {
  it.each(carriers)('is judged as itself: %s', (_, carry) => {
    const inside = ipv4.flatMap(([, , first, last]) => [first, last]);
    const outside = ipv4.flatMap(([, before, , , after]) => [before, after]).filter((address) => address !== undefined);
    expect(inside.filter((address) => isPublicAddress(carry(address)))).toEqual([]);
    expect(outside.filter((address) => !isPublicAddress(carry(address)))).toEqual([]);
  });

  it.each(carriers)('is judged as itself, whichever it is: %s', (_, carry) => {
    fc.assert(fc.property(fc.ipV4(), (address) => isPublicAddress(carry(address)) === isPublicAddress(address)));
  });

  it.each(['64:ff9a:ffff:ffff:ffff:ffff:8.8.8.8', '64:ff9b::1:8.8.8.8', '::fffe:8.8.8.8', '::1:ffff:8.8.8.8'])(
    'is none just outside of such a prefix: %s',
    (address) => {
      expect(isPublicAddress(address)).toBe(false);
    },
  );
});

it('judges any text without throwing', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV6()), (text) => typeof isPublicAddress(text) === 'boolean'));
});
