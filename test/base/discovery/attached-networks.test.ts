import { expect, test } from 'vitest';
import { AttachedNetworks } from '../../../base/discovery/bonjour/attached-networks.js';

test('devices on the networks of this machine are heard, and those that have no address yet; others are not', () => {
  let cidr = '192.168.1.20/24';
  const networks = new AttachedNetworks(() => ({
    lo: [{ family: 'IPv4', cidr: '127.0.0.1/8' }],
    eth0: [
      { family: 'IPv4', cidr },
      { family: 'IPv6', cidr: '2001:db8::1/64' },
    ],
    wlan0: [{ family: 'IPv4', cidr: null }],
    gone: undefined,
  }));
  const heard = (now: number) =>
    ['192.168.1.1', '192.168.2.1', '127.0.0.1', '169.254.7.7', '8.8.8.8'].filter((address) =>
      networks.has(address, now),
    );
  expect(heard(0)).toEqual(['192.168.1.1', '127.0.0.1', '169.254.7.7']);
  cidr = '192.168.2.20/24';
  expect(heard(4_999)).toEqual(['192.168.1.1', '127.0.0.1', '169.254.7.7']);
  expect(heard(5_000)).toEqual(['192.168.2.1', '127.0.0.1', '169.254.7.7']);
});
