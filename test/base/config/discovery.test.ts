import { describe, expect, it } from 'vitest';
import { configured, definitions, KEY, problems } from './config-file.js';

const found = { known: { lamp: { definition: 'led-lamp', address: 'mdns', key: KEY } } };

describe('the discovery section', () => {
  it('is switched off where it is absent, and has its defaults where it is empty', () => {
    expect(configured({}).discovery).toBeUndefined();
    const { discovery } = configured({ discovery: {} });
    expect(discovery).toMatchObject({ interface: undefined, announce: true });
    expect([...discovery!.definitions]).toEqual(
      Array.from(definitions, ([name, { definition }]) => [name, definition]),
    );
  });

  it('names a network interface, and keeps the base silent', () => {
    const discovery = { interface: 'a-name-of-15-ch', announce: false };
    expect(configured({ discovery }).discovery).toMatchObject(discovery);
  });

  it.each([
    [{ interface: 'a-name-of-16-chr' }, /interface is longer than 15/],
    [{ interface: '' }, /interface is empty/],
    [{ announce: 'no' }, /announce must be true or false/],
    [{ interfaces: 'eth0' }, /did you mean interface/],
    [[], /discovery must be an object/],
  ])('refuses %j', (discovery, what) => {
    expect(problems({ discovery })).toEqual([expect.stringMatching(what)]);
  });

  it('is needed by units that only it can find', () => {
    expect(configured({ units: found, discovery: {} }).units?.known[0]?.address).toBe('mdns');
    expect(problems({ units: found })).toEqual([
      'units.known.lamp.address is "mdns", which needs the section "discovery": {}; write that, or an address',
    ]);
  });
});
