import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_STORE } from '../../../base/config/configuration.js';
import { loadConfiguration } from '../../../base/config/load-config.js';
import { configured, definitions, KEY, load, problems } from './config-file.js';
import { temporaryFolder } from './temporary-folder.js';

const known = (unit: object, uid = 'lamp') => ({ units: { known: { [uid]: unit } } });
const lamp = { definition: 'led-lamp', address: '192.168.1.20', key: KEY };
const sensor = { definition: 'light-sensor', address: '192.168.1.21' };
const auth = { endpoint: 'https://dashboard.example/api/broadcasting/auth', token: 'env:TOKEN' };

describe('a whole file', () => {
  it('is resolved: secrets read, defaults filled in', () => {
    const { configuration, warnings } = load(
      {
        name: 'home',
        http: { listen: '127.0.0.1:9000' },
        units: { listen: '0.0.0.0', known: { 'kitchen-lamp': lamp, 'hall-light': sensor } },
        pusher: { key: 'app-key', cluster: 'eu', host: null, port: null, appId: null, auth },
        hub: { listen: '127.0.0.1:6001', apps: [{ id: 'home', key: 'home-key', secret: 'env:HUB' }] },
        webhooks: [{ url: 'https://hooks.example/x', secret: 'env:HOOK', events: ['report'] }],
      },
      { TOKEN: 'token', HUB: 'hub-secret', HOOK: 'whsec_c2VjcmV0' },
    );
    expect(configuration).toMatchObject({
      name: 'home',
      http: { listen: { host: '127.0.0.1', port: 9000 } },
      units: {
        listen: { host: '0.0.0.0', port: 8888 },
        known: [
          {
            uid: 'kitchen-lamp',
            definition: { name: 'led-lamp' },
            address: { host: '192.168.1.20', port: 8888 },
            key: Uint8Array.from(Buffer.from(KEY, 'hex')),
            isLegacy: false,
          },
          { uid: 'hall-light', address: { host: '192.168.1.21', port: 8888 }, key: undefined },
        ],
      },
      pusher: {
        key: 'app-key',
        cluster: 'eu',
        host: undefined,
        port: undefined,
        tls: true,
        appId: undefined,
        secret: undefined,
        channel: 'private-requests',
        auth: { endpoint: auth.endpoint, token: 'token' },
        events: ['outcome'],
      },
      hub: { apps: [{ id: 'home', key: 'home-key', secret: 'hub-secret', webhooks: [] }] },
      webhooks: [
        {
          url: 'https://hooks.example/x',
          secret: 'whsec_c2VjcmV0',
          previousSecret: undefined,
          events: ['report'],
          ca: undefined,
          allowHttp: false,
          allowPrivate: false,
        },
      ],
      legacy: undefined,
    });
    expect(warnings.some((warning) => warning.includes('hall-light') && warning.includes('no authentication'))).toBe(
      true,
    );
    expect(warnings).toHaveLength(1);
  });

  it('that is empty switches everything off', () => {
    expect(configured({})).toMatchObject({
      name: 'baseunit',
      http: undefined,
      units: undefined,
      pusher: undefined,
      hub: undefined,
      webhooks: [],
      iotsocket: undefined,
      store: DEFAULT_STORE,
      legacy: undefined,
    });
  });

  it('has default addresses for sections that name none', () => {
    const { http, hub, units } = configured({
      http: {},
      units: {},
      hub: { apps: [{ id: 'a', key: 'k', secret: 's' }] },
    });
    expect(http?.listen).toEqual({ host: '127.0.0.1', port: 8889 });
    expect(hub?.listen).toEqual({ host: '127.0.0.1', port: 6001 });
    expect(units).toEqual({ listen: undefined, known: [] });
  });

  it('may begin with a byte order mark', () => {
    expect(configured('\uFEFF{"name":"x"}').name).toBe('x');
  });
});

describe('everything wrong', () => {
  it('comes at once, each with its path', () => {
    const found = problems({
      nam: 'home',
      http: { listen: 'x:99999' },
      units: { known: { 'kitchen-lamp': { definition: 'led-lmp', adress: '192.168.1.20', key: 'short' } } },
      pusher: { key: 5 },
      webhooks: [{ url: 'http://hooks.example', secret: 'env:NOT_SET' }],
    });
    expect(found).toEqual(
      expect.arrayContaining([
        'nam is unknown; did you mean name?',
        expect.stringMatching(/^http\.listen "x:99999" has no valid port/),
        expect.stringMatching(
          /^units\.known\.kitchen-lamp\.definition "led-lmp" is no definition; did you mean led-lamp\?/,
        ),
        'units.known.kitchen-lamp.adress is unknown; did you mean address?',
        expect.stringMatching(/^units\.known\.kitchen-lamp\.key is no key/),
        expect.stringMatching(/^pusher\.key must be a string, not a number; write/),
        expect.stringMatching(/^pusher needs a cluster/),
        expect.stringMatching(/^pusher\.auth is missing/),
        expect.stringMatching(/^webhooks\[0\]\.url is not encrypted/),
        expect.stringMatching(/^webhooks\[0\]\.secret names the environment variable NOT_SET/),
      ]),
    );
    expect(found).toHaveLength(10);
  });

  it('is in the message, which names the file', () => {
    expect(() => load({ nam: 1, htpp: {} })).toThrow(
      expect.objectContaining({
        code: 'config-invalid',
        message: expect.stringMatching(
          /base\.json cannot be used:\n {2}nam is unknown; .*\n {2}htpp is unknown; did you mean http\?/,
        ),
      }),
    );
  });

  it('lists 50 and counts the rest', () => {
    const strangers = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`stranger${index}`, 1]));
    expect(() => load(strangers(50))).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('more') }),
    );
    expect(() => load(strangers(51))).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/and 1 more$/) }),
    );
  });

  it('is secret-missing when only secrets are missing', () => {
    const file = {
      webhooks: [{ url: 'https://x.example', secret: 'env:NOT_SET' }],
      ...known({ ...lamp, key: 'file:none' }),
    };
    expect(() => load(file)).toThrow(expect.objectContaining({ code: 'secret-missing' }));
    expect(() => load({ ...file, nam: 1 })).toThrow(expect.objectContaining({ code: 'config-invalid' }));
  });

  it('never repeats a secret', () => {
    const secret = 'hunter2-hunter2';
    const found = problems({
      units: { known: { lamp: { ...lamp, key: secret } } },
      pusher: { key: secret, appId: 'a', secret, encryptionKey: secret, cluster: 'eu', channel: 'public' },
    });
    expect(found.length).toBeGreaterThan(2);
    expect(found.join()).not.toContain('hunter2');
  });

  it.each([[[]], ['text'], [null], [7]])('%j is no configuration', (content) => {
    expect(problems(JSON.stringify(content))[0]).toMatch(/^ must be an object, not /);
  });
});

describe('a file that is not JSON', () => {
  it('is refused with line and column', () => {
    expect(() => load('{\n  "name": "x",\n}')).toThrow(
      expect.objectContaining({
        code: 'config-not-json',
        message: expect.stringMatching(/base\.json:2:14: there is a comma before }/),
      }),
    );
  });

  it('or is not there, is said', () => {
    const missing = join(temporaryFolder(), 'none.json');
    expect(() => loadConfiguration(missing, definitions)).toThrow(
      expect.objectContaining({ code: 'config-unreadable', message: expect.stringContaining('does not exist') }),
    );
    expect(() => loadConfiguration(temporaryFolder(), definitions)).toThrow(
      expect.objectContaining({ code: 'config-unreadable' }),
    );
  });

  it('has at most 1 MiB', () => {
    const most = '{}'.padEnd(1024 * 1024);
    expect(configured(most).name).toBe('baseunit');
    expect(() => load(`${most} `)).toThrow(expect.objectContaining({ code: 'config-unreadable' }));
  });
});

describe('units', () => {
  it('a definition must exist', () => {
    expect(problems(known({ ...lamp, definition: 'ligth-sensor' }))).toEqual([
      'units.known.lamp.definition "ligth-sensor" is no definition; did you mean light-sensor?',
    ]);
    expect(problems(known({ ...lamp, definition: 'toaster' }))[0]).toContain(
      'there are led-lamp, light-sensor, heater-line, probe',
    );
    expect(problems(known({ ...lamp, definition: '__proto__' }))).toHaveLength(1);
  });

  it('a typed unit needs a key, and either an address or units.listen', () => {
    expect(problems(known({ definition: 'led-lamp', address: 'a' }))[0]).toMatch(/^units\.known\.lamp needs a key/);
    expect(problems(known({ definition: 'led-lamp', key: KEY }))[0]).toMatch(/^units\.known\.lamp has no address/);
    expect(problems({ units: { listen: '0.0.0.0', known: { lamp: { definition: 'led-lamp', key: KEY } } } })).toEqual(
      [],
    );
    expect(problems(known({ ...lamp, key: null }))[0]).toMatch(/^units\.known\.lamp\.key must be a string, not null/);
  });

  it('a unit that sleeps has no address, and needs units.listen', () => {
    const probe = { definition: 'probe', key: KEY };
    expect(problems({ units: { listen: '0.0.0.0', known: { probe } } })).toEqual([]);
    expect(problems({ units: { known: { probe } } })).toEqual([
      'units.known.probe sleeps and dials in when it wakes, and units.listen is not there for it; write "listen": "0.0.0.0:8888"',
    ]);
    for (const address of ['192.168.1.20', 'serial:/dev/ttyUSB0'])
      expect(problems({ units: { listen: '0.0.0.0', known: { probe: { ...probe, address } } } })).toEqual([
        'units.known.probe.address has no meaning for probe, which sleeps and dials in when it wakes; take it out',
      ]);
  });

  it('a line unit needs an address and has no key', () => {
    expect(problems(known({ definition: 'light-sensor' }))).toEqual([
      expect.stringMatching(/^units\.known\.lamp needs an address/),
    ]);
    expect(problems(known({ ...sensor, key: KEY }))[0]).toMatch(/^units\.known\.lamp\.key has no meaning/);
  });

  it('a line unit may have its own line end and decimals, which go into its definition', () => {
    const unit = { definition: 'heater-line', address: 'heater', lineEnd: '\n', decimals: 4 };
    const definition = configured(known(unit)).units!.known[0]!.definition;
    expect(definition.lineEnd).toBe('\n');
    expect(definition.commands.heat!.fields!.celsius).toMatchObject({ kind: 'f32', decimals: 4 });
    expect(definitions.get('heater-line')!.definition.commands.heat!.fields!.celsius).toMatchObject({ decimals: 2 });
    expect(definitions.get('heater-line')!.definition.lineEnd).toBe('\r');
    expect(problems(known({ ...unit, decimals: 0 }))).toEqual([]);
    expect(problems(known({ ...unit, decimals: 6 }))).toEqual([]);
    for (const decimals of [-1, 7, 1.5, '2'])
      expect(problems(known({ ...unit, decimals }))[0]).toContain('.decimals must be');
    expect(problems(known({ ...unit, lineEnd: '\n\r' }))[0]).toContain('.lineEnd must be');
    expect(problems(known({ ...lamp, lineEnd: '\n', decimals: 1 }))).toEqual([
      expect.stringMatching(/lineEnd has no meaning for led-lamp/),
      expect.stringMatching(/decimals has no meaning for led-lamp/),
    ]);
    expect(problems(known({ ...sensor, lineEnd: '\n' }))[0]).toMatch(/lineEnd has no meaning for light-sensor/);
  });

  it('a UID has 1 to 16 octets', () => {
    expect(problems(known(lamp, 'x'.repeat(16)))).toEqual([]);
    expect(problems(known(lamp, 'ö'.repeat(8)))).toEqual([]);
    expect(problems(known(lamp, 'x'.repeat(17)))[0]).toContain('17 octets; at most 16');
    expect(problems(known(lamp, `${'ö'.repeat(8)}x`))[0]).toContain('17 octets');
    expect(problems(known(lamp, ''))[0]).toContain('empty name');
    expect(problems(known(lamp, 'a\nb'))[0]).toContain('control characters');
  });

  it('two units cannot have one address, however it is spelt', () => {
    const two = (a: string, b: string) =>
      problems({ units: { known: { one: { ...lamp, address: a }, two: { ...lamp, address: b } } } });
    expect(two('192.168.1.20', '192.168.1.20:8888')).toEqual([
      expect.stringMatching(/^units\.known\.two\.address 192\.168\.1\.20:8888 is the address of one too/),
    ]);
    expect(two('[::1]', '[0:0::1]:8888')).toHaveLength(1);
    expect(two('Lamp.local', 'lamp.local')).toHaveLength(1);
    expect(two('192.168.1.20', '192.168.1.20:8889')).toEqual([]);
  });

  it('nobody is dialled at port 0', () => {
    expect(problems(known({ ...lamp, address: 'a:0' }))[0]).toMatch(/^units\.known\.lamp\.address has port 0/);
    expect(problems({ units: { listen: '127.0.0.1:0' } })).toEqual([]);
  });

  it('there are at most 16 384', () => {
    expect(problems(compact(16_384), { K: KEY })).toEqual([]);
    expect(problems(compact(16_385), { K: KEY })).toEqual([expect.stringContaining('has 16385 units')]);
  });
  /** Short enough for the bound on the file's octets. */
  const compact = (count: number) => {
    const unit = `{"definition":"led-lamp","key":"env:K"}`;
    const entries = Array.from({ length: count }, (_, index) => `"${index}":${unit}`);
    return `{"units":{"listen":"0.0.0.0","known":{${entries.join()}}}}`;
  };
});

describe('listening', () => {
  it('twice at one address is refused', () => {
    const listening = (http: string, unitsAt: string) =>
      problems({ http: { listen: http }, units: { listen: unitsAt } });
    expect(listening('127.0.0.1:8888', '0.0.0.0')).toEqual([
      expect.stringMatching(
        /^units\.listen 0\.0\.0\.0:8888 cannot be listened at twice: http\.listen is 127\.0\.0\.1:8888/,
      ),
    ]);
    expect(listening('127.0.0.1:0', '127.0.0.1:0')).toEqual([]);
    expect(listening('127.0.0.1', '127.0.0.1')).toEqual([]);
  });

  it('default addresses count', () => {
    const hub = { listen: '127.0.0.1:8889', apps: [{ id: 'a', key: 'k', secret: 's' }] };
    expect(problems({ http: {}, hub })[0]).toMatch(/^hub\.listen 127\.0\.0\.1:8889/);
  });
});

describe('pusher', () => {
  const pusher = { key: 'k', cluster: 'eu', auth };
  const wrong = (change: object) => problems({ pusher: { ...pusher, ...change } }, { TOKEN: 't', SECRET: 's' });

  it('may be a server of one’s own', () => {
    const own = (change: object) =>
      configured({ pusher: { ...pusher, cluster: null, host: '127.0.0.1', ...change } }, { TOKEN: 't' }).pusher;
    expect(own({ port: 6001, tls: false })).toMatchObject({
      host: '127.0.0.1',
      port: 6001,
      tls: false,
      cluster: undefined,
    });
    expect(own({})).toMatchObject({ port: 443 });
    expect(own({ tls: false })).toMatchObject({ port: 80 });
    const { warnings } = load({ pusher: { ...pusher, host: '127.0.0.1', tls: false } }, { TOKEN: 't' });
    expect(warnings.join()).toContain('travels in clear');
  });

  it('may sign for itself', () => {
    const { auth: _, ...signing } = { ...pusher, appId: '1', secret: 'env:SECRET' };
    expect(problems({ pusher: signing }, { SECRET: 's' })).toEqual([]);
  });

  it('takes a master key of 32 octets', () => {
    const octets = Uint8Array.from({ length: 32 }, (_, index) => index);
    const withKey = (encryptionKey: string) => ({ pusher: { ...pusher, appId: '1', secret: 's', encryptionKey } });
    const text = Buffer.from(octets).toString('base64');
    expect(configured(withKey(text), { TOKEN: 't' }).pusher!.encryptionKey).toEqual(octets);
    expect(configured(withKey(Buffer.from(octets).toString('hex')), { TOKEN: 't' }).pusher!.encryptionKey).toEqual(
      octets,
    );
    expect(problems(withKey('short'), { TOKEN: 't' })[0]).toContain('32 octets');
    expect(wrong({ encryptionKey: text })[0]).toContain('needs appId and secret');
  });

  it.each([
    [{ cluster: null }, /^pusher needs a cluster/],
    [{ port: 6001 }, /^pusher\.port has no meaning without host/],
    [{ appId: '1' }, /^pusher\.secret is missing: appId and secret go together/],
    [{ secret: 'env:SECRET' }, /^pusher\.appId is missing: appId and secret go together/],
    [{ auth: null }, /^pusher\.auth is missing/],
    [{ channel: 'requests' }, /^pusher\.channel must begin with "private-"/],
    [{ channel: `private-${'x'.repeat(157)}` }, /^pusher\.channel is longer than 164/],
    [{ host: 'http://x' }, /^pusher\.host is no host/],
    [{ host: 'x', port: 0 }, /^pusher\.port must be 1 to 65535/],
    [{ host: 'x', port: 65_536 }, /^pusher\.port must be 1 to 65535/],
    [{ auth: { ...auth, endpoint: '/auth' } }, /^pusher\.auth\.endpoint is no URL/],
    [{ auth: { ...auth, endpoint: 'http://dashboard.example' } }, /^pusher\.auth\.endpoint is not encrypted/],
    [{ auth: { endpoint: auth.endpoint } }, /^pusher\.auth\.token is missing; write "env:NAME"/],
    [{ auth: { ...auth, token: 'with blank' } }, /^pusher\.auth\.token has characters/],
    [{ events: ['reports'] }, /^pusher\.events\[0\] must be one of outcome, report, request, response, presence/],
    [{ events: ['report'] }, /^pusher\.events needs appId and secret/],
    [{ appId: '1', secret: 's', channel: 'private-encrypted-x' }, /^pusher\.encryptionKey is missing/],
    [{ clustr: 'eu' }, /^pusher\.clustr is unknown; did you mean cluster\?/],
  ])('%j is refused', (change, expected) => {
    expect(wrong(change)).toEqual([expect.stringMatching(expected)]);
  });

  it('a channel may have 164 characters', () => {
    expect(wrong({ channel: `private-${'x'.repeat(156)}` })).toEqual([]);
  });

  it('what is there and wrong is not called missing too', () => {
    expect(wrong({ appId: '1', secret: 'env:NOT_SET' })).toEqual([
      expect.stringMatching(/^pusher\.secret names the environment/),
    ]);
  });
});

describe('store', () => {
  it('is there without a section, and has its defaults for what a section leaves out', () => {
    const defaults = {
      file: undefined,
      rawDays: 7,
      rawPerUnit: 100_000,
      minuteDays: 90,
      hourDays: 1_825,
      maxMiB: 1_024,
    };
    expect(configured({}).store).toEqual(defaults);
    expect(configured({ store: {} }).store).toEqual(defaults);
    expect(configured({ store: { rawDays: 30 } }).store).toEqual({ ...defaults, rawDays: 30 });
    const own = { rawDays: 1, rawPerUnit: 2, minuteDays: 3, hourDays: 4, maxMiB: 16 };
    expect(configured({ store: own }).store).toEqual({ ...own, file: undefined });
  });

  it('has its file relative to the configuration', () => {
    const folder = temporaryFolder();
    const fileOf = (file: string) => load({ store: { file } }, {}, folder).configuration.store.file;
    expect(fileOf('data/house.db')).toBe(join(folder, 'data', 'house.db'));
    expect(fileOf('/var/lib/baseunit/house.db')).toBe('/var/lib/baseunit/house.db');
  });

  it.each([
    ['rawDays', 1, 36_500],
    ['rawPerUnit', 1, 100_000_000],
    ['minuteDays', 1, 36_500],
    ['hourDays', 1, 36_500],
    ['maxMiB', 16, 1_048_576],
  ])('%s is a whole number from %i to %i', (key, least, most) => {
    const found = (value: unknown) => problems({ store: { [key]: value } });
    expect([...found(least), ...found(most)]).toEqual([]);
    for (const value of [least - 1, most + 1])
      expect(found(value)).toEqual([`store.${key} must be ${least} to ${most}`]);
    for (const value of [1.5, '7', null])
      expect(found(value)).toEqual([expect.stringMatching(new RegExp(`^store\\.${key} must be a whole number, not`))]);
  });

  it.each([
    [{ file: '' }, /^store\.file is empty; write "baseunit\.db"/],
    [{ file: 'a\u0000b' }, /^store\.file has control characters/],
    [{ file: 'x'.repeat(4_097) }, /^store\.file is longer than 4096/],
    [{ days: 7 }, /^store\.days is unknown/],
    [{ rawDay: 7 }, /^store\.rawDay is unknown; did you mean rawDays\?/],
  ])('%j is refused', (store, expected) => {
    expect(problems({ store })).toEqual([expect.stringMatching(expected)]);
  });
});

describe('hub', () => {
  const app = { id: 'home', key: 'key', secret: 's' };
  it('has apps with ids and keys of their own', () => {
    expect(problems({ hub: { apps: [app, { ...app, id: 'other' }] } })).toEqual([
      'hub.apps[1].key is the key of apps[0] too; give each app its own',
    ]);
    expect(problems({ hub: { apps: [] } })[0]).toMatch(/^hub\.apps has no app/);
    expect(problems({ hub: {} })[0]).toMatch(/^hub\.apps is missing; write \[/);
    expect(problems({ hub: { apps: [{ ...app, id: 'a/b' }] } })[0]).toMatch(/^hub\.apps\[0\]\.id may hold only/);
  });

  it('has apps with settings of their own, and the hub’s defaults for the rest', () => {
    const settings = {
      enabled: true,
      clientEvents: false,
      userAuthentication: false,
      subscriptionCount: true,
      maxConnections: 10_000,
    };
    const webhooks = [{ url: 'https://hooks.example/', events: ['channel_occupied'], batch: true }];
    expect(configured({ hub: { apps: [{ ...app, ...settings, webhooks }] } }).hub!.apps).toEqual([
      { ...app, ...settings, webhooks },
    ]);
    expect(configured({ hub: { apps: [app] } }).hub!.apps).toEqual([{ ...app, webhooks: [] }]);
    const wrong = (change: object) => problems({ hub: { apps: [{ ...app, ...change }] } });
    expect(wrong({ maxConnections: 10_001 })).toEqual(['hub.apps[0].maxConnections must be 1 to 10000']);
    expect(wrong({ maxConnections: 0 })).toHaveLength(1);
    const hooks = (count: number) => Array.from({ length: count }, () => ({ url: 'https://x.example' }));
    expect(wrong({ webhooks: hooks(16) })).toEqual([]);
    expect(wrong({ webhooks: hooks(17) })).toEqual(['hub.apps[0].webhooks has more than 16 receivers']);
    expect(wrong({ webhooks: [{ url: 'http://x.example' }] })[0]).toMatch(/webhooks\[0\]\.url is not encrypted/);
    expect(wrong({ webhooks: [{ url: 'http://x.example', allowHttp: true }] })).toEqual([]);
    expect(wrong({ webhooks: [{ url: 'https://x.example', events: ['x'] }] })[0]).toMatch(
      /events\[0\] must be one of channel_/,
    );
  });

  it('has at most 16 of them', () => {
    const apps = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ id: `a${index}`, key: `k${index}`, secret: 's' }));
    expect(problems({ hub: { apps: apps(16) } })).toEqual([]);
    expect(problems({ hub: { apps: apps(17) } })).toEqual(['hub.apps has more than 16 apps']);
  });
});

describe('webhooks', () => {
  const hook = { url: 'https://hooks.example/', secret: 's' };
  const wrong = (change: object) => problems({ webhooks: [{ ...hook, ...change }] });

  it('need https, unless the receiver is this machine or allowHttp says so', () => {
    expect(wrong({ url: 'http://hooks.example/' })[0]).toMatch(/is not encrypted; write https:\/\/.*"allowHttp": true/);
    for (const url of ['http://127.0.0.1:9/x', 'http://localhost/x', 'http://[::1]:9/x'])
      expect(wrong({ url })).toEqual([]);
    expect(wrong({ url: 'http://hooks.example/', allowHttp: true })).toEqual([]);
    expect(wrong({ url: 'http://hooks.example/', allowHttp: false })).toHaveLength(1);
    expect(wrong({ url: 'http://127.example.com/' })).toHaveLength(1);
  });

  it.each([
    [{ url: 'ftp://x' }, /begins with ftp:/],
    [{ url: 'https://user:password@x' }, /user name or password/],
    [{ url: 'https://x/#y' }, /behind #/],
    [{ url: 'hooks' }, /is no URL/],
    [{ events: [] }, /is empty/],
    [{ secret: 'whsec_' }, /no base64/],
    [{ secret: 'whsec_a b c' }, /no base64/],
    [{ previousSecret: 'whsec_' }, /^webhooks\[0\]\.previousSecret has no base64/],
    [{ previousSecret: 'env:NOT_SET' }, /^webhooks\[0\]\.previousSecret names the environment variable NOT_SET/],
    [{ previousSecret: 5 }, /^webhooks\[0\]\.previousSecret must be a string, not a number/],
    [{ allowPrivate: 'yes' }, /^webhooks\[0\]\.allowPrivate must be true or false, not a string/],
    [{ events: ['reports'] }, /must be one of report, request, response, presence, outcome/],
    [{ events: ['report', 'report'] }, /twice/],
    [{ ca: 'missing.pem' }, /names the file missing\.pem, which does not exist/],
  ])('%j is refused', (change, expected) => {
    expect(wrong(change)).toEqual([expect.stringMatching(expected)]);
  });

  it('may trust certificates of a file beside the configuration', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'ca.pem'), certificate);
    writeFileSync(join(folder, 'noise.pem'), 'noise');
    const { configuration } = load({ webhooks: [{ ...hook, ca: 'ca.pem' }] }, {}, folder);
    expect(configuration.webhooks[0]).toMatchObject({
      ca: certificate.trim(),
      events: ['report', 'request', 'response', 'presence', 'outcome'],
    });
    expect(() => load({ webhooks: [{ ...hook, ca: 'noise.pem' }] }, {}, folder)).toThrow(/holds no certificate/);
  });

  it('may have the secret before, in each form of a secret, and a receiver at a private address', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'old.secret'), 'from a file\n', { mode: 0o600 });
    const webhooks = ['env:OLD', 'file:old.secret', 'a text'].map((previousSecret) => ({ ...hook, previousSecret }));
    const loaded = load({ webhooks: [...webhooks, { ...hook, allowPrivate: true }] }, { OLD: 'whsec_b2xk' }, folder);
    expect(loaded.configuration.webhooks).toMatchObject([
      { secret: 's', previousSecret: 'whsec_b2xk', allowPrivate: false },
      { secret: 's', previousSecret: 'from a file' },
      { secret: 's', previousSecret: 'a text' },
      { secret: 's', previousSecret: undefined, allowPrivate: true },
    ]);
  });

  it('are at most 16', () => {
    expect(problems({ webhooks: Array.from({ length: 16 }, () => hook) })).toEqual([]);
    expect(problems({ webhooks: Array.from({ length: 17 }, () => hook) })).toEqual([
      'webhooks has more than 16 receivers',
    ]);
  });
});

it('a configuration file with a secret in it should be its owner’s alone', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'base.json');
  writeFileSync(path, JSON.stringify(known(lamp)));
  chmodSync(path, 0o644);
  expect(loadConfiguration(path, definitions, {}).warnings).toEqual([
    'base.json holds a secret and others may read it (mode 0644): chmod 600 base.json',
  ]);
  writeFileSync(path, JSON.stringify(known({ ...lamp, key: 'env:K' })));
  expect(loadConfiguration(path, definitions, { K: KEY }).warnings).toEqual([]);
});

/** Self-signed, of the prime256v1 curve, for the name "test". Nothing is done with it but reading it. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBdjCCARugAwIBAgIUJZxez56E9BJmMf7GWIzvUQNCGm8wCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjEwNjAxMjdaGA8yMTI2MTAyODA2MDEy
N1owDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHag
TgVHQe0JWPb0Be4IzUB3jd1rPJMJ4uTAPfJ0j/uJYHXYxqfoKKuAz0OyKSZpLWLY
S5qnuhQmzV7vLze3OCyjUzBRMB0GA1UdDgQWBBQ3fgdEFc99RXOSgXQ0rbt6x6kU
CDAfBgNVHSMEGDAWgBQ3fgdEFc99RXOSgXQ0rbt6x6kUCDAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0kAMEYCIQC4vqzyHCqrFVOSKhG+ONUL2a4dg70MI9Jm
BlS1dIEzFgIhAOIC1wJ2ytETrGt21VQBW/M8btfEAuhOUe04xhecPaWW
-----END CERTIFICATE-----
`;
