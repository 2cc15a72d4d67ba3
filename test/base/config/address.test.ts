import { describe, expect, it } from 'vitest';
import { canonicalHost, isLoopbackHost, listenersCollide, parseAddress } from '../../../base/config/address.js';
import { addressText } from '../../../base/core/address.js';

const read = (text: string) => {
  const parsed = parseAddress(text, 8888);
  return parsed.ok ? parsed.address : parsed.what;
};

describe('an address', () => {
  it.each([
    ['192.168.1.20', '192.168.1.20', 8888],
    ['192.168.1.20:80', '192.168.1.20', 80],
    ['kitchen-lamp.local', 'kitchen-lamp.local', 8888],
    ['kitchen_lamp:1', 'kitchen_lamp', 1],
    ['[::1]:8888', '::1', 8888],
    ['[fe80::1%eth0]', 'fe80::1%eth0', 8888],
    ['0.0.0.0:0', '0.0.0.0', 0],
    ['host:65535', 'host', 65_535],
  ])('%s is host %s, port %i', (text, host, port) => {
    expect(read(text)).toEqual({ host, port });
    expect(read(addressText({ host, port }))).toEqual({ host, port });
  });

  it.each([
    ['host:65536', /no valid port/],
    ['host:-1', /no valid port/],
    ['host:', /no valid port/],
    ['host:80x', /no valid port/],
    ['', /no host/],
    [':80', /no host/],
    ['::1', /without brackets; write "\[::1\]:8888"/],
    ['[::1', /no address/],
    ['[host]:80', /no IPv6 address/],
    ['192.168.1.300', /no valid host/],
    ['192.168.1', /no valid host/],
    ['http://host', /no valid port|no address|no valid host/],
    ['host/path', /no valid host/],
    ['a b', /no valid host/],
    ['-a', /no valid host/],
    [`${'a.'.repeat(126)}aa`, /no valid host/],
  ])('%j is refused with what to write', (text, what) => {
    expect(read(text)).toMatch(what);
  });

  it('may have 253 characters of host', () => {
    const host = `${'a.'.repeat(126)}a`;
    expect(host).toHaveLength(253);
    expect(read(host)).toEqual({ host, port: 8888 });
  });
});

it('one host has one spelling', () => {
  expect(canonicalHost('Kitchen.Local.')).toBe('kitchen.local');
  expect(canonicalHost('0:0:0::1')).toBe('::1');
  expect(canonicalHost('::ffff:192.168.1.20')).toBe('192.168.1.20');
  expect(canonicalHost('FE80::1%eth0')).toBe('fe80::1%eth0');
});

it('knows which hosts only this machine reaches', () => {
  for (const host of ['localhost', 'a.localhost', '127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])
    expect(isLoopbackHost(host), host).toBe(true);
  for (const host of ['0.0.0.0', '::', '192.168.1.1', 'localhost.example.com', '127.example.com'])
    expect(isLoopbackHost(host), host).toBe(false);
});

it('knows which listeners get in each other’s way', () => {
  const at = (text: string) => read(text) as { host: string; port: number };
  const collide = (a: string, b: string) => listenersCollide(at(a), at(b)) || listenersCollide(at(b), at(a));
  expect(collide('127.0.0.1:80', '127.0.0.1:80')).toBe(true);
  expect(collide('0.0.0.0:80', '127.0.0.1:80')).toBe(true);
  expect(collide('[::]:80', '127.0.0.1:80')).toBe(true);
  expect(collide('localhost:80', '127.0.0.1:80')).toBe(true);
  expect(collide('0.0.0.0:80', '[::1]:80')).toBe(false);
  expect(collide('127.0.0.1:80', '127.0.0.1:81')).toBe(false);
  expect(collide('127.0.0.1:80', '127.0.0.2:80')).toBe(false);
  expect(collide('127.0.0.1:0', '127.0.0.1:0')).toBe(false);
});
