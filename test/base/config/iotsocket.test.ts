import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { limitRanges } from '../../../base/config/iotsocket-limits-schema.js';
import { defaultIotsocketLimits, type IotsocketLimits } from '../../../base/dialects/iotsocket/iotsocket-limits.js';
import { type Certificates, makeCertificates } from '../uplinks/certificates.js';
import { configured, KEY, load, problems } from './config-file.js';
import { temporaryFolder } from './temporary-folder.js';

const tcp = '127.0.0.1:50505';
const central = { key: KEY };
const wrong = (change: object) =>
  problems({ iotsocket: { tcp, ...change } }).map((line) => line.replace(/^iotsocket\./, ''));
const options = (iotsocket: object) => configured({ iotsocket }).iotsocket!;
const warningsOf = (iotsocket: object, folder = temporaryFolder()) => load({ iotsocket }, {}, folder).warnings;

let ours: Certificates;
let theirs: Certificates;
beforeAll(() => {
  [ours, theirs] = [makeCertificates(), makeCertificates()];
});

/** A folder with a certificate and its key, the key for its owner only. */
function folderWithPair(): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'server.crt'), ours.cert);
  writeFileSync(join(folder, 'server.key'), ours.key, { mode: 0o600 });
  return folder;
}

describe('the iotsocket section', () => {
  it('is resolved: secrets read, paths absolute, times in ms', () => {
    const folder = folderWithPair();
    writeFileSync(join(folder, 'ca.pem'), ours.ca);
    const { configuration, warnings } = load(
      {
        iotsocket: {
          tcp: '0.0.0.0',
          websocket: '0.0.0.0',
          udp: '0.0.0.0',
          http: '0.0.0.0',
          tls: { cert: 'server.crt', key: 'file:server.key' },
          keepSessionS: 120,
          requestTimeoutS: 20,
          central: {
            key: 'env:CENTRAL',
            webhooks: {
              request: 'https://central.example/request',
              telemetry: 'http://127.0.0.1:8080/telemetry',
              ca: 'ca.pem',
              allowPrivate: true,
              maxContentLength: 4096,
              maxWaitS: 5,
            },
          },
          groups: {
            Devices: { telemetry: true, telemetryTokenExpMin: 60, pingAfterS: 5, deadAfterS: 6 },
            Stations: {},
          },
          accessList: 'lists.json',
          redirect: { to: 'node2.example', aboveSessions: 5000 },
          allowPlaintext: false,
          history: false,
          limits: { sessions: 5000, datagramOctets: 4096 },
        },
      },
      { CENTRAL: KEY },
      folder,
    );
    expect(configuration.iotsocket).toEqual({
      tcp: { host: '0.0.0.0', port: 50_505 },
      websocket: { host: '0.0.0.0', port: 50_506 },
      udp: { host: '0.0.0.0', port: 50_505 },
      http: { host: '0.0.0.0', port: 8_443 },
      tls: { cert: join(folder, 'server.crt'), key: join(folder, 'server.key') },
      keepSessionMs: 120_000,
      requestTimeoutMs: 20_000,
      central: {
        key: Uint8Array.from(Buffer.from(KEY, 'hex')),
        webhooks: {
          request: 'https://central.example/request',
          telemetry: 'http://127.0.0.1:8080/telemetry',
          ca: ours.ca.trim(),
          allowPrivate: true,
          maxContentLength: 4_096,
          maxWaitMs: 5_000,
        },
      },
      groups: new Map([
        ['Devices', { telemetry: true, telemetryTokenLifeMs: 3_600_000, pingAfterMs: 5_000, deadAfterMs: 6_000 }],
        ['Stations', { telemetry: false, telemetryTokenLifeMs: 900_000, pingAfterMs: 15_000, deadAfterMs: 45_000 }],
      ]),
      accessList: join(folder, 'lists.json'),
      redirect: { host: 'node2.example', port: 50_505, aboveSessions: 5_000 },
      allowPlaintext: false,
      history: false,
      limits: { ...defaultIotsocketLimits, sessions: 5_000, datagramOctets: 4_096 },
    });
    expect(warnings).toEqual([]);
  });

  it('has defaults for what it leaves out', () => {
    const folder = temporaryFolder();
    expect(load({ iotsocket: { tcp, central } }, {}, folder).configuration.iotsocket).toEqual({
      tcp: { host: '127.0.0.1', port: 50_505 },
      websocket: undefined,
      udp: undefined,
      http: undefined,
      tls: undefined,
      keepSessionMs: 60_000,
      requestTimeoutMs: 10_000,
      central: {
        key: Uint8Array.from(Buffer.from(KEY, 'hex')),
        webhooks: {
          request: undefined,
          telemetry: undefined,
          ca: undefined,
          allowPrivate: false,
          maxContentLength: 524_288,
          maxWaitMs: 15_000,
        },
      },
      groups: new Map(),
      accessList: join(folder, 'acl.json'),
      redirect: undefined,
      allowPlaintext: false,
      history: true,
      limits: defaultIotsocketLimits,
    });
    expect(options({ tcp }).central).toBeUndefined();
  });

  it('must listen somewhere, and where it makes sense', () => {
    expect(problems({ iotsocket: {} })).toEqual([expect.stringMatching(/^iotsocket listens nowhere; write "tcp":/)]);
    expect(problems({ iotsocket: { udp: '127.0.0.1' } })).toEqual([
      expect.stringMatching(/^iotsocket\.udp needs tcp or websocket/),
    ]);
    expect(problems({ iotsocket: { http: '127.0.0.1' } })).toEqual([
      expect.stringMatching(/^iotsocket\.http needs central\.key/),
    ]);
    expect(problems({ iotsocket: { http: '127.0.0.1', central } })).toEqual([]);
    expect(problems({ iotsocket: { websocket: '127.0.0.1', udp: '127.0.0.1' } })).toEqual([]);
  });

  it('listens beside all else: TCP listeners must not meet, UDP has ports of its own', () => {
    expect(options({ tcp, udp: '127.0.0.1:50505' }).udp).toEqual({ host: '127.0.0.1', port: 50_505 });
    expect(wrong({ websocket: '0.0.0.0:50505' })).toEqual([
      expect.stringMatching(/^websocket 0\.0\.0\.0:50505 cannot be listened at twice: iotsocket\.tcp is/),
    ]);
    expect(wrong({ http: '127.0.0.1:50505', central })).toEqual([
      expect.stringMatching(/^http 127.*iotsocket\.tcp is/),
    ]);
    expect(problems({ http: { listen: '127.0.0.1:50505' }, iotsocket: { tcp } })).toEqual([
      expect.stringMatching(/^iotsocket\.tcp .* cannot be listened at twice: http\.listen is/),
    ]);
    expect(wrong({ tcp: '127.0.0.1:0', websocket: '127.0.0.1:0' })).toEqual([]);
  });

  it('everything wrong with it comes at once, each with its path', () => {
    const found = wrong({
      tcp: 'x:99999',
      tsl: {},
      keepSessionS: '60',
      central: { key: 'short', webhooks: { request: 'http://central.example', telemetry: 5, maxWait: 1 } },
      groups: { Devices: { telemetry: 1 }, ['ö'.repeat(9)]: {} },
      redirect: { to: 'a:0' },
      limits: { sesions: 1, requests: 'many' },
    });
    expect(found).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^tcp "x:99999" has no valid port/),
        'tsl is unknown; did you mean tls?',
        expect.stringMatching(/^keepSessionS must be a whole number, not a string; write 60$/),
        expect.stringMatching(/^central\.key is no key: a key is 32 hexadecimal digits/),
        expect.stringMatching(/^central\.webhooks\.request is not encrypted; write https:/),
        expect.stringMatching(/^central\.webhooks\.telemetry must be a string, not a number/),
        'central.webhooks.maxWait is unknown; did you mean maxWaitS?',
        expect.stringMatching(/^groups\.Devices\.telemetry must be true or false, not a number/),
        expect.stringMatching(/^groups\.ö+ is a name of 18 octets; at most 16/),
        expect.stringMatching(/^redirect\.to has port 0/),
        'limits.sesions is unknown; did you mean sessions?',
        expect.stringMatching(/^limits\.requests must be a whole number, not a string; write 262144/),
      ]),
    );
    expect(found).toHaveLength(12);
    expect(found.join()).not.toContain('short');
  });

  it.each([
    ['keepSessionS', 0, 86_400],
    ['requestTimeoutS', 1, 300],
  ])('%s is %d to %d', (name, min, max) => {
    expect(wrong({ [name]: min })).toEqual([]);
    expect(wrong({ [name]: max })).toEqual([]);
    for (const value of [min - 1, max + 1, 1.5]) {
      expect(wrong({ [name]: value }), String(value)).toEqual([expect.stringMatching(new RegExp(`^${name} must be`))]);
    }
  });

  it.each([null, [], 'on', 5])('%j is no section', (iotsocket) => {
    expect(problems({ iotsocket })[0]).toMatch(/^iotsocket must be an object, not /);
  });
});

describe('iotsocket.central', () => {
  it('has its key from the environment or a file, as units have', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'central.key'), `${KEY}\n`, { mode: 0o644 });
    const { configuration, warnings } = load({ iotsocket: { tcp, central: { key: 'file:central.key' } } }, {}, folder);
    expect(configuration.iotsocket!.central!.key).toEqual(Uint8Array.from(Buffer.from(KEY, 'hex')));
    expect(warnings).toEqual([expect.stringContaining('central.key holds a secret and others may read it')]);
    expect(() => load({ iotsocket: { tcp, central: { key: 'env:NOT_SET' } } })).toThrow(
      expect.objectContaining({ code: 'secret-missing' }),
    );
    expect(wrong({ central: {} })).toEqual([expect.stringMatching(/^central\.key is missing; write "env:NAME"/)]);
  });

  it('is called in clear only on this machine, or with allowHttp, which is said', () => {
    const at = (webhooks: object) => wrong({ central: { ...central, webhooks } });
    expect(at({ request: 'http://localhost/request', telemetry: 'http://[::1]/' })).toEqual([]);
    expect(at({ telemetry: 'http://192.168.1.5/' })).toEqual([
      expect.stringMatching(/^central\.webhooks\.telemetry is not encrypted; .*"allowHttp": true/),
    ]);
    const allowed = { request: 'http://192.168.1.5/', allowHttp: true };
    expect(warningsOf({ tcp, central: { ...central, webhooks: allowed } })).toEqual([
      expect.stringMatching(/^iotsocket\.central\.webhooks\.request is not encrypted: the central's key/),
    ]);
  });

  it.each([
    [{ maxContentLength: 0 }, { maxContentLength: 1 }],
    [{ maxContentLength: 67_108_865 }, { maxContentLength: 67_108_864 }],
    [{ maxWaitS: 0 }, { maxWaitS: 1 }],
    [{ maxWaitS: 301 }, { maxWaitS: 300 }],
  ])('its webhooks have bounds: %j is past one, %j at it', (past, at) => {
    expect(wrong({ central: { ...central, webhooks: past } })).toEqual([expect.stringMatching(/must be 1 to/)]);
    expect(wrong({ central: { ...central, webhooks: at } })).toEqual([]);
  });

  it('may have a certificate authority of its own', () => {
    expect(wrong({ central: { ...central, webhooks: { ca: 'missing.pem' } } })).toEqual([
      expect.stringMatching(/^central\.webhooks\.ca names the file missing\.pem, which does not exist/),
    ]);
  });
});

describe('iotsocket.groups', () => {
  const named = (...names: string[]) => wrong({ groups: Object.fromEntries(names.map((name) => [name, {}])) });

  it('have names of 1 to 16 octets', () => {
    expect(named('x'.repeat(16), 'ö'.repeat(8))).toEqual([]);
    expect(named('x'.repeat(17))[0]).toContain('17 octets; at most 16');
    expect(named('')[0]).toContain('empty name');
    expect(named('a\0b')[0]).toContain('has a 00');
    expect(named('a\ud800')[0]).toContain('half a character');
  });

  it('are at most 256', () => {
    const many = (count: number) => named(...Array.from({ length: count }, (_, index) => `group ${index}`));
    expect(many(256)).toEqual([]);
    expect(many(257)).toEqual(['groups has 257 groups; at most 256 are taken']);
  });

  it.each([
    [{ telemetryTokenExpMin: 0 }, /^groups\.G\.telemetryTokenExpMin must be 1 to 1440/],
    [{ telemetryTokenExpMin: 1_441 }, /^groups\.G\.telemetryTokenExpMin must be 1 to 1440/],
    [{ pingAfterS: 45 }, /^groups\.G\.deadAfterS must be more than pingAfterS, which is 45; it is 45/],
    [{ deadAfterS: 15 }, /^groups\.G\.deadAfterS must be more than pingAfterS, which is 15; it is 15/],
    [{ pingAfterS: 0 }, /^groups\.G\.pingAfterS must be 1 to/],
    [{ deadAfterS: 86_401 }, /^groups\.G\.deadAfterS must be/],
    [{ Telemetry: true }, /^groups\.G\.Telemetry is unknown; did you mean telemetry\?/],
  ])('%j is refused', (group, expected) => {
    expect(wrong({ groups: { G: group } })).toEqual([expect.stringMatching(expected)]);
  });

  it.each([
    { telemetryTokenExpMin: 1 },
    { telemetryTokenExpMin: 1_440 },
    { pingAfterS: 44 },
    { deadAfterS: 16 },
    { deadAfterS: 86_400 },
  ])('%j is taken', (group) => {
    expect(wrong({ groups: { G: group } })).toEqual([]);
  });
});

describe('iotsocket.limits', () => {
  it('have a range for every one, with the default in it', () => {
    expect(Object.keys(limitRanges).sort()).toEqual(Object.keys(defaultIotsocketLimits).sort());
  });

  it.each(Object.entries(limitRanges))('%s is %j', (name, [min, max]) => {
    // Those that must not be less, or more, than another: out of the way.
    const others: Partial<Record<string, object>> = {
      openingStepMs: { openingMs: limitRanges.openingMs[1] },
      tlsHandshakeMs: { openingMs: limitRanges.openingMs[1] },
      openingMs: { openingStepMs: 100, tlsHandshakeMs: 100 },
      unprovedPerAddress: { unproved: limitRanges.unproved[1] },
      unproved: { unprovedPerAddress: 1 },
      unsentPauseOctets: { unsentOctets: limitRanges.unsentOctets[1] },
      unsentOctets: { unsentPauseOctets: 1_024 },
      keptOctets: { keptOctetsInAll: limitRanges.keptOctetsInAll[1] },
      keptOctetsInAll: { keptOctets: 1_024 },
    };
    const withValue = (value: number) => wrong({ limits: { ...others[name], [name]: value } });
    expect(withValue(min)).toEqual([]);
    expect(withValue(max)).toEqual([]);
    expect(withValue(min - 1)).toContain(`limits.${name} must be ${min} to ${max}`);
    expect(withValue(max + 1)).toContain(`limits.${name} must be ${min} to ${max}`);
    const read = options({ tcp, limits: { ...others[name], [name]: max } }).limits;
    expect(read[name as keyof IotsocketLimits]).toBe(max);
  });

  it('that contradict each other are refused, at the one that is written', () => {
    expect(wrong({ limits: { unproved: 15 } })).toEqual([
      'limits.unproved is 15, less than unprovedPerAddress, which is 16 unless you write another',
    ]);
    expect(wrong({ limits: { unproved: 16 } })).toEqual([]);
    expect(wrong({ limits: { keptOctets: 4_096, keptOctetsInAll: 4_095 } })).toEqual([
      'limits.keptOctets is 4096, more than keptOctetsInAll, which is 4095',
    ]);
    expect(wrong({ limits: { openingStepMs: 20_001 } })).toEqual([
      'limits.openingStepMs is 20001, more than openingMs, which is 20000 unless you write another',
    ]);
  });
});

describe('iotsocket.tls', () => {
  const inFolder = (folder: string, tls: object) => {
    try {
      load({ iotsocket: { tcp, tls } }, {}, folder);
      return [];
    } catch (error) {
      return (error as { problems: { path: string; what: string }[] }).problems.map(
        ({ path, what }) => `${path} ${what}`,
      );
    }
  };
  const pair = { cert: 'server.crt', key: 'server.key' };

  it('names two files that are there and belong together', () => {
    const folder = folderWithPair();
    expect(inFolder(folder, pair)).toEqual([]);
    expect(inFolder(folder, { ...pair, key: 'other.key' })).toEqual([
      expect.stringMatching(
        /^iotsocket\.tls\.key names the file other\.key, which does not exist; it is looked for at/,
      ),
    ]);
    expect(inFolder(folder, { cert: 'server.crt' })).toEqual(['iotsocket.tls.key is missing; write "server.key"']);
    expect(inFolder(folder, { ...pair, cert: '' })).toEqual(['iotsocket.tls.cert is empty; write "server.crt"']);
    expect(inFolder(folder, { cert: '.', key: 'server.key' })[0]).toMatch(
      /^iotsocket\.tls\.cert names the file \., which/,
    );
  });

  it('says which of the two is wrong, and never shows the key', () => {
    const folder = folderWithPair();
    writeFileSync(join(folder, 'their.key'), theirs.key, { mode: 0o600 });
    writeFileSync(join(folder, 'noise'), 'nonsense', { mode: 0o600 });
    const mismatch = inFolder(folder, { ...pair, key: 'their.key' });
    expect(mismatch).toEqual([
      expect.stringMatching(/^iotsocket\.tls\.key names the file their\.key, which is not the key of the certificate/),
    ]);
    expect(mismatch.join()).not.toContain(theirs.key.split('\n')[1]);
    expect(inFolder(folder, { ...pair, key: 'noise' })[0]).toMatch(/^iotsocket\.tls\.key .*holds no private key/);
    expect(inFolder(folder, { ...pair, cert: 'noise' })[0]).toMatch(/^iotsocket\.tls\.cert .*holds no certificate/);
  });

  it('has a key that should be its owner’s alone', () => {
    const folder = folderWithPair();
    chmodSync(join(folder, 'server.key'), 0o640);
    expect(warningsOf({ tcp, tls: pair }, folder)).toEqual([
      expect.stringContaining('server.key holds a secret and others may read it (mode 0640)'),
    ]);
  });
});

describe('iotsocket.accessList', () => {
  it('is a file that may be missing, in a folder that is there', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'sub'));
    expect(
      load({ iotsocket: { tcp, accessList: 'sub/list.json' } }, {}, folder).configuration.iotsocket!.accessList,
    ).toBe(join(folder, 'sub', 'list.json'));
    expect(wrong({ accessList: 'missing/list.json' })[0]).toMatch(
      /^accessList is in the folder .*missing, which does not/,
    );
    expect(wrong({ accessList: '.' })[0]).toMatch(/^accessList names .*, which is no file/);
    expect(wrong({ accessList: 'x'.repeat(4_097) })[0]).toMatch(/^accessList is longer than 4096/);
  });

  it('should be its owner’s alone', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'acl.json'), '{}');
    chmodSync(join(folder, 'acl.json'), 0o644);
    expect(warningsOf({ tcp }, folder)).toEqual([
      expect.stringContaining('acl.json holds a secret and others may read it'),
    ]);
  });
});

describe('iotsocket.redirect', () => {
  it('names another concentrator', () => {
    expect(options({ tcp, redirect: { to: '[::1]:1' } }).redirect).toEqual({ host: '::1', port: 1, aboveSessions: 0 });
    expect(wrong({ redirect: {} })).toEqual([expect.stringMatching(/^redirect\.to is missing; write "node2/)]);
    expect(wrong({ redirect: { to: '127.0.0.1' } })).toEqual([
      expect.stringMatching(/^redirect\.to is where iotsocket\.tcp listens itself/),
    ]);
    expect(wrong({ redirect: { to: 'a', aboveSessions: 1_000_000 } })).toEqual([]);
    for (const aboveSessions of [-1, 1_000_001]) {
      expect(wrong({ redirect: { to: 'a', aboveSessions } })[0]).toMatch(/^redirect\.aboveSessions must be 0 to/);
    }
  });
});

describe('what should be known at the start', () => {
  it('sessions and the central’s key in clear, on a network', () => {
    expect(warningsOf({ tcp: '0.0.0.0' })).toEqual([
      expect.stringMatching(/^iotsocket\.tcp without iotsocket\.tls: sessions without TLS can be read/),
    ]);
    expect(warningsOf({ websocket: '192.168.1.5' })).toEqual([
      expect.stringMatching(/^iotsocket\.websocket without iotsocket\.tls: sessions without TLS/),
    ]);
    expect(warningsOf({ http: '0.0.0.0', central: { key: KEY } })).toEqual([
      expect.stringMatching(/^iotsocket\.http without iotsocket\.tls: the central's key travels in clear/),
    ]);
  });

  it('nothing of it on this machine alone, or with TLS', () => {
    expect(warningsOf({ tcp, http: 'localhost', central: { key: KEY } })).toEqual([]);
    const tls = { cert: 'server.crt', key: 'server.key' };
    expect(warningsOf({ tcp: '0.0.0.0', http: '0.0.0.0', central: { key: KEY }, tls }, folderWithPair())).toEqual([]);
  });

  it('allowPlaintext, loudly', () => {
    expect(warningsOf({ tcp, allowPlaintext: true })).toEqual([
      expect.stringMatching(/^iotsocket\.allowPlaintext is true: SESSIONS WITHOUT TLS ARE TAKEN FROM THE INTERNET/),
    ]);
  });
});

it('a URL of another type is told, not stumbled over', () => {
  expect(problems({ webhooks: [{ url: 5, secret: 's' }] })).toEqual([
    expect.stringMatching(/^webhooks\[0\]\.url must be a string, not a number/),
  ]);
});
