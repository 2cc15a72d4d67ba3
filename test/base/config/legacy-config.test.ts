import { describe, expect, it } from 'vitest';
import { isOnLink, legacyReading } from '../../../base/config/legacy-config.js';
import { configured, load, problems } from './config-file.js';

/** As wire/iot-base.md prints it. */
const original = {
  clients: ['192.168.1.10'],
  api: { url: 'https://dashboard.example', token: 'secret-token' },
  pusher: { 'app-key': 'key', cluster: 'eu', auth: '/api/broadcasting/auth' },
};

describe('the original’s config.json', () => {
  it('is accepted as it is', () => {
    expect(configured(original)).toMatchObject({
      http: { listen: { host: '127.0.0.1', port: 0 } },
      hub: undefined,
      webhooks: [],
      units: {
        listen: undefined,
        known: [
          {
            uid: '192.168.1.10',
            definition: { wire: 'line', kind: 'read' },
            address: { host: '192.168.1.10', port: 8888 },
            key: undefined,
            isLegacy: true,
          },
        ],
      },
      pusher: {
        key: 'key',
        cluster: 'eu',
        host: undefined,
        tls: true,
        channel: 'private-requests',
        auth: { endpoint: 'https://dashboard.example/api/broadcasting/auth', token: 'secret-token' },
      },
      legacy: { apiUrl: 'https://dashboard.example', apiToken: 'secret-token' },
    });
  });

  it('says that its units prove nothing', () => {
    expect(load(original).warnings).toEqual([
      expect.stringContaining('192.168.1.10 is a line unit, which has no authentication'),
    ]);
  });

  it('has a usual path for the authorisation, and a URL that may end in a slash', () => {
    const { pusher, legacy } = configured(
      {
        ...original,
        api: { url: 'https://dashboard.example/sub/', token: 'env:TOKEN' },
        pusher: { 'app-key': 'key', cluster: 'eu' },
      },
      { TOKEN: 't' },
    );
    expect(pusher?.auth).toEqual({ endpoint: 'https://dashboard.example/sub/api/broadcasting/auth', token: 't' });
    expect(legacy).toEqual({ apiUrl: 'https://dashboard.example/sub', apiToken: 't' });
  });

  it('may name a Pusher server of one’s own', () => {
    const own = { ...original, pusher: { 'app-key': 'k', host: '127.0.0.1', port: 6001, tls: false } };
    expect(configured(own).pusher).toMatchObject({ host: '127.0.0.1', port: 6001, tls: false, cluster: undefined });
  });

  it('may be for lamps only', () => {
    const { clients: _, ...rest } = original;
    expect(configured(rest).units?.known).toEqual([]);
  });

  it('everything wrong with it comes at once', () => {
    expect(
      problems({
        clients: ['192.168.1.10', '192.168.1.10:8888', '1.2.3', 'a:0', 7],
        api: { url: 'http://dashboard.example' },
        pusher: { 'app-key': 'k', auth: 'https://elsewhere.example', hots: 'x' },
        units: {},
      }),
    ).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^clients\[1\] is clients\[0\] too/),
        expect.stringMatching(/^clients\[2\] "1\.2\.3" has no valid host/),
        expect.stringMatching(/^clients\[3\] has port 0/),
        expect.stringMatching(/^clients\[4\] must be a string, not a number/),
        expect.stringMatching(/^api\.token is missing/),
        expect.stringMatching(/^api\.url is not encrypted; write https:/),
        expect.stringMatching(/^pusher\.auth must be a path/),
        expect.stringMatching(/^pusher\.cluster is missing/),
        'pusher.hots is unknown; did you mean host?',
        expect.stringMatching(/^units is unknown in a file of the original iot-base/),
      ]),
    );
  });

  it.each([{ clients: [] }, { api: {} }, { pusher: { 'app-key': 'k' } }])('is recognised by its keys: %j', (part) => {
    expect(problems({ ...part, name: 'x' }).join()).toContain('name is unknown in a file of the original');
  });

  it('api.url may be http on this machine only', () => {
    const at = (url: string) => problems({ ...original, api: { ...original.api, url } });
    expect(at('http://127.0.0.1:8000')).toEqual([]);
    expect(at('http://192.168.1.2')).toHaveLength(1);
    expect(at('https://dashboard.example/?a=b')).toEqual([expect.stringMatching(/^api\.url must end with its path/)]);
  });
});

describe('a reading of a legacy unit', () => {
  it.each(['512', '-3.5', '21.5,60', 'a_b:c+d', '...', '.5', 'x'.repeat(64)])('%s is one', (line) => {
    expect(legacyReading(line)).toBe(true);
  });

  it.each(['', '.', '..', '../../x', 'a/b', 'a b', '%2e', 'a\n', 'ä', '?a=b', 'a#b', 'x'.repeat(65)])(
    '%j is none',
    (line) => {
      expect(legacyReading(line)).toBe(false);
    },
  );
});

describe('an address that update.request may name', () => {
  const interfaces = {
    lo: [
      { address: '127.0.0.1', cidr: '127.0.0.1/8' },
      { address: '::1', cidr: '::1/128' },
    ],
    eth0: [
      { address: '192.168.1.5', cidr: '192.168.1.5/24' },
      { address: '2001:db8:1::5', cidr: '2001:db8:1::5/64' },
      { address: 'fe80::5', cidr: 'fe80::5/64' },
    ],
    wlan0: [
      { address: '169.254.7.7', cidr: '169.254.7.7/16' },
      { address: '10.0.0.1', cidr: '10.0.0.1/31' },
    ],
    tun0: [{ address: '10.9.9.9', cidr: null }],
    down: undefined,
  };

  it.each([
    '192.168.1.20',
    '192.168.1.1',
    '192.168.1.254',
    '127.0.0.1',
    '127.8.9.10',
    '::1',
    '2001:db8:1::20',
    '::ffff:192.168.1.20',
    '::FFFF:c0a8:114',
    '10.0.0.0',
    '10.0.0.1',
  ])('%s is on one of this machine’s own subnets', (ip) => {
    expect(isOnLink(ip, interfaces)).toBe(true);
  });

  it.each([
    ['of another network', '192.168.2.20'],
    ['of the internet', '8.8.8.8'],
    ['of another network, IPv6', '2001:db8:2::20'],
    ['of another network, IPv4-mapped', '::ffff:8.8.8.8'],
    ['the subnet itself', '192.168.1.0'],
    ['broadcast of the subnet', '192.168.1.255'],
    ['broadcast of the loopback', '127.255.255.255'],
    ['broadcast', '255.255.255.255'],
    ['broadcast, IPv4-mapped', '::ffff:192.168.1.255'],
    ['unspecified', '0.0.0.0'],
    ['unspecified, IPv6', '::'],
    ['unspecified, IPv4-mapped', '::ffff:0.0.0.0'],
    ['multicast', '224.0.0.1'],
    ['multicast, high', '239.255.255.255'],
    ['multicast, IPv6', 'ff02::1'],
    ['link-local', '169.254.7.8'],
    ['link-local, IPv4-mapped', '::ffff:169.254.7.8'],
    ['link-local, IPv6', 'fe80::7'],
    ['with a zone', 'fe80::7%eth0'],
    ['with a zone, global', '2001:db8:1::20%eth0'],
    ['a name', 'lamp.local'],
    ['localhost', 'localhost'],
    ['short', '127.1'],
    ['octal', '0300.0250.1.20'],
    ['hexadecimal', '0xc0a80114'],
    ['a whole number', '3232235796'],
    ['with a port', '192.168.1.20:22'],
    ['with blanks', ' 192.168.1.20'],
    ['in brackets', '[::1]'],
    ['on an interface without a subnet', '10.9.9.9'],
    ['past a /31', '10.0.0.2'],
    ['empty', ''],
  ])('%s is refused: %s', (_, ip) => {
    expect(isOnLink(ip, interfaces)).toBe(false);
  });

  it('an interface that claims the whole internet opens nothing', () => {
    expect(isOnLink('8.8.8.8', { tun0: [{ address: '10.0.0.1', cidr: '10.0.0.1/0' }] })).toBe(false);
  });

  it('without interfaces there is none', () => {
    expect(isOnLink('127.0.0.1', {})).toBe(false);
  });
});
