import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { defaultConnectorApiLimits } from '../../../base/api/connector/connector-api-limits.js';
import { connectorLimitRanges, defaultConnectorFileLimits } from '../../../base/config/connector-limits-schema.js';
import { defaultConnectorLimits } from '../../../base/dialects/connector/connector-limits.js';
import { type Certificates, makeCertificates } from '../uplinks/certificates.js';
import { configured, load, problems } from './config-file.js';
import { folderOfPairs } from './folder-of-pairs.js';
import { temporaryFolder } from './temporary-folder.js';

const websocket = '127.0.0.1:8080';
const http = '127.0.0.1:9090';
const wrong = (change: object) =>
  problems({ connector: { websocket, http, ...change } }).map((line) => line.replace(/^connector\./, ''));
const connectorOf = (connector: object) => configured({ connector }).connector!;
const warningsOf = (file: object, folder = temporaryFolder()) => load(file, {}, folder).warnings;
const password = { kind: 'basic', user: 'home', password: 'secret' };
const token = { kind: 'bearer', token: 'secret' };

let certificates: Certificates;
let others: Certificates;
beforeAll(() => {
  [certificates, others] = [makeCertificates(), makeCertificates()];
});

const folderWithPairs = (): string => folderOfPairs({ server: certificates, api: others });
const pair = (name: string) => ({ cert: `${name}.crt`, key: `${name}.key` });
const pairIn = (folder: string, name: string) => ({
  cert: join(folder, `${name}.crt`),
  key: join(folder, `${name}.key`),
});

describe('the connector section', () => {
  it('is resolved: secrets read, paths absolute, times in ms', () => {
    const folder = folderWithPairs();
    writeFileSync(join(folder, 'device.token'), 'of-devices\n', { mode: 0o600 });
    const { configuration, warnings } = load(
      {
        connector: {
          websocket: '0.0.0.0',
          http: '0.0.0.0',
          auth: { kind: 'basic', user: 'home', password: 'env:PASSWORD' },
          deviceAuth: { kind: 'bearer', token: 'file:device.token' },
          tls: pair('server'),
          cors: { origins: ['https://dashboard.example', 'http://192.168.1.5:3000'] },
          statusEveryS: 2,
          answerTimeoutS: 20,
          history: false,
          limits: { sessions: 5_000, headers: 100, httpSockets: 64, httpLoginFailures: 5 },
        },
      },
      { PASSWORD: 'of the API' },
      folder,
    );
    expect(configuration.connector).toEqual({
      devices: {
        listen: { host: '0.0.0.0', port: 8_080 },
        tls: pairIn(folder, 'server'),
        authenticate: { kind: 'bearer', token: 'of-devices' },
        answerTimeoutMs: 20_000,
        history: false,
        limits: { ...defaultConnectorLimits, sessions: 5_000, headers: 100 },
      },
      api: {
        listen: { host: '0.0.0.0', port: 9_090 },
        tls: pairIn(folder, 'server'),
        auth: { kind: 'basic', user: 'home', password: 'of the API' },
        cors: ['https://dashboard.example', 'http://192.168.1.5:3000'],
        statusEveryMs: 2_000,
        answerTimeoutMs: 20_000,
        limits: { ...defaultConnectorApiLimits, headers: 100, sockets: 64, loginFailures: 5 },
      },
    });
    expect(warnings).toEqual([]);
  });

  it('has defaults for what it leaves out', () => {
    expect(connectorOf({ websocket, http })).toEqual({
      devices: {
        listen: { host: '127.0.0.1', port: 8_080 },
        tls: undefined,
        authenticate: { kind: 'none' },
        answerTimeoutMs: 8_000,
        history: true,
        limits: defaultConnectorLimits,
      },
      api: {
        listen: { host: '127.0.0.1', port: 9_090 },
        tls: undefined,
        auth: { kind: 'none' },
        cors: [],
        statusEveryMs: 5_000,
        answerTimeoutMs: 8_000,
        limits: defaultConnectorApiLimits,
      },
    });
    expect(configured({}).connector).toBeUndefined();
  });

  it('is one of its two servers, or both', () => {
    expect(connectorOf({ websocket }).api).toBeUndefined();
    expect(connectorOf({ http }).devices).toBeUndefined();
    expect(problems({ connector: {} })).toEqual([
      'connector listens nowhere; write "websocket": "0.0.0.0:8080", "http": "127.0.0.1:9090" or both',
    ]);
  });

  it.each([
    ['deviceAuth', token, { http }, 'websocket'],
    ['auth', token, { websocket }, 'http'],
    ['httpTls', null, { websocket }, 'http'],
    ['cors', { origins: [] }, { websocket }, 'http'],
  ])('%s is refused without the server that uses it', (name, value, server, needs) => {
    expect(problems({ connector: { ...server, [name]: value } })).toEqual([
      `connector.${name} has no meaning without connector.${needs}; take it out`,
    ]);
  });

  it('listens beside all else', () => {
    expect(wrong({ http: '0.0.0.0:8080' })).toEqual([
      expect.stringMatching(/^http 0\.0\.0\.0:8080 cannot be listened at twice: connector\.websocket is 127/),
    ]);
    expect(problems({ http: { listen: http }, connector: { http } })).toEqual([
      expect.stringMatching(/^connector\.http .* cannot be listened at twice: http\.listen is/),
    ]);
    expect(wrong({ websocket: '127.0.0.1:0', http: '127.0.0.1:0' })).toEqual([]);
    expect(wrong({ websocket: 'x:99999' })).toEqual([expect.stringMatching(/^websocket "x:99999" has no valid port/)]);
  });

  it('everything wrong with it comes at once, each with its path', () => {
    const found = wrong({
      websockets: '0.0.0.0',
      http: 5,
      auth: { kind: 'basik', pasword: 'x' },
      deviceAuth: { kind: 'bearer' },
      tls: { cert: 'missing.crt' },
      cors: { origins: ['dashboard.example', 5] },
      statusEveryS: '5',
      answerTimeoutS: 0,
      history: 'yes',
      limits: { sesions: 1, headers: 'many' },
    });
    expect(found).toEqual(
      expect.arrayContaining([
        'websockets is unknown; did you mean websocket?',
        'http must be a string, not a number; write "127.0.0.1:9090"',
        'auth.kind is no kind of authentication; did you mean "basic"?',
        'auth.pasword is unknown; did you mean password?',
        'deviceAuth.token is missing; write "env:NAME" or "file:path"',
        expect.stringMatching(/^tls\.cert names the file missing\.crt, which does not exist/),
        'tls.key is missing; write "server.key"',
        expect.stringMatching(/^cors\.origins\[0\] is no origin of a web page/),
        expect.stringMatching(/^cors\.origins\[1\] must be a string, not a number/),
        'statusEveryS must be a whole number, not a string; write 5',
        'answerTimeoutS must be 1 to 30',
        'history must be true or false, not a string; write true or false',
        'limits.sesions is unknown; did you mean sessions?',
        'limits.headers must be a whole number, not a string; write 50',
      ]),
    );
    expect(found).toHaveLength(14);
  });

  it.each([
    ['statusEveryS', 1, 3_600],
    ['answerTimeoutS', 1, 30],
  ])('%s is %d to %d', (name, min, max) => {
    expect(wrong({ [name]: min })).toEqual([]);
    expect(wrong({ [name]: max })).toEqual([]);
    for (const value of [min - 1, max + 1, 1.5]) {
      expect(wrong({ [name]: value }), String(value)).toEqual([expect.stringMatching(new RegExp(`^${name} must be`))]);
    }
  });

  it.each([null, [], 'on', 5])('%j is no section', (connector) => {
    expect(problems({ connector })[0]).toMatch(/^connector must be an object, not /);
  });
});

describe.each(['auth', 'deviceAuth'])('connector.%s', (name) => {
  const at = (auth: unknown) => wrong({ [name]: auth }).map((line) => line.replace(`${name}.`, ''));

  it.each([
    [{ kind: 'none' }],
    [password],
    [{ ...password, user: 'ö', password: 'a: b ü' }],
    [token],
    [{ kind: 'bearer', token: 'A-Za-z0-9-._~+/=' }],
  ])('%j is taken', (auth) => {
    expect(at(auth)).toEqual([]);
    const { devices, api } = connectorOf({ websocket, http, [name]: auth });
    expect(name === 'auth' ? api?.auth : devices?.authenticate).toEqual(auth);
  });

  it.each([
    [{}, ['kind is missing; write "none", "basic" or "bearer"']],
    [{ kind: 'digest' }, ['kind is no kind of authentication; write "none", "basic" or "bearer"']],
    [{ kind: 'Bearer', token: 'x' }, ['kind is no kind of authentication; did you mean "bearer"?']],
    [{ kind: 5 }, ['kind must be a string, not a number; write "none", "basic" or "bearer"']],
    [{ kind: 'basic' }, ['user is missing; write "home"', 'password is missing; write "env:NAME" or "file:path"']],
    [{ kind: 'basic', user: 'home' }, ['password is missing; write "env:NAME" or "file:path"']],
    [{ kind: 'bearer' }, ['token is missing; write "env:NAME" or "file:path"']],
    [{ ...token, user: 'home' }, ['user has no meaning for the kind "bearer"; take it out']],
    [{ ...password, token: 'x' }, ['token has no meaning for the kind "basic"; take it out']],
    [{ kind: 'none', token: 'x' }, ['token has no meaning for the kind "none"; take it out']],
    [{ ...password, user: 'a:b' }, ['user has a colon, which no name of a user may have (RFC 7617)']],
    [{ ...password, user: '' }, ['user is empty; write "home"']],
    [{ ...password, user: 'a\u0007' }, ['user has control characters; take them out']],
    [{ ...password, password: 'a\tb' }, ['password has control characters, which no password may have (RFC 7617)']],
    [{ ...password, password: '' }, ['password is empty; write the secret, "env:NAME" or "file:path"']],
    [{ kind: 'bearer', token: 5 }, ['token must be a string, not a number; write "env:NAME" or "file:path"']],
  ])('%j is refused, with what to write', (auth, expected) => {
    expect(at(auth)).toEqual(expected);
  });

  it('shows no secret in an error, and says where one is missing', () => {
    const found = at({ kind: 'bearer', token: 'two words' });
    expect(found).toEqual([expect.stringMatching(/^token has characters that no HTTP header may carry/)]);
    expect(found.join()).not.toContain('two words');
    expect(at({ kind: 'bearer', token: 'env:NOT_SET' })).toEqual([
      expect.stringMatching(/^token names the environment variable NOT_SET, which is not set/),
    ]);
    expect(() => load({ connector: { websocket, http, [name]: { kind: 'bearer', token: 'env:NOT_SET' } } })).toThrow(
      expect.objectContaining({ code: 'secret-missing' }),
    );
  });

  it.each([null, 'bearer', ['bearer']])('%j is none', (auth) => {
    expect(wrong({ [name]: auth })).toEqual([expect.stringMatching(new RegExp(`^${name} must be an object, not `))]);
  });
});

describe('TLS', () => {
  it('is the same for both servers, unless httpTls says another, or none', () => {
    const folder = folderWithPairs();
    const tlsOf = (connector: object) => {
      const { devices, api } = load({ connector: { websocket, http, ...connector } }, {}, folder).configuration
        .connector!;
      return [devices!.tls, api!.tls];
    };
    const [server, api] = [pairIn(folder, 'server'), pairIn(folder, 'api')];
    expect(tlsOf({ tls: pair('server') })).toEqual([server, server]);
    expect(tlsOf({ tls: pair('server'), httpTls: null })).toEqual([server, undefined]);
    expect(tlsOf({ tls: pair('server'), httpTls: pair('api') })).toEqual([server, api]);
    expect(tlsOf({ httpTls: pair('api') })).toEqual([undefined, api]);
  });

  it.each(['tls', 'httpTls'])('%s names two files that belong together', (name) => {
    const folder = folderWithPairs();
    const at = (tls: object): string[] => {
      try {
        load({ connector: { websocket, http, [name]: tls } }, {}, folder);
        return [];
      } catch (error) {
        return (error as { problems: { path: string; what: string }[] }).problems.map((each) => each.path + each.what);
      }
    };
    expect(at({ cert: 'server.crt', key: 'api.key' })).toEqual([
      expect.stringContaining(`connector.${name}.keynames the file api.key, which is not the key of the certificate`),
    ]);
    expect(at({ cert: 'server.crt' })).toEqual([expect.stringContaining(`connector.${name}.keyis missing`)]);
  });
});

describe('connector.cors.origins', () => {
  const at = (...origins: unknown[]) => wrong({ auth: token, cors: { origins } });

  it.each([
    'https://dashboard.example',
    'https://dashboard.example:8443',
    'http://localhost:5173',
    'http://[::1]:3000',
    '*',
  ])('%s is taken', (origin) => {
    expect(at(origin)).toEqual([]);
    expect(connectorOf({ http, auth: token, cors: { origins: [origin] } }).api!.cors).toEqual([origin]);
  });

  it.each([
    ['https://dashboard.example/', 'https://dashboard.example'],
    ['https://dashboard.example/page?x#y', 'https://dashboard.example'],
    ['https://Dashboard.example', 'https://dashboard.example'],
    ['https://dashboard.example:443', 'https://dashboard.example'],
    ['https://user:pw@dashboard.example', 'https://dashboard.example'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
  ])('%s is refused, with what to write: %s', (written, origin) => {
    expect(at(written)).toEqual([
      `cors.origins[0] is not what a browser sends as its origin, so that it would never be let in; write "${origin}"`,
    ]);
  });

  it.each(['dashboard.example', 'null', '', 'ftp://dashboard.example', 'file:///x', 'https://*.example '])(
    '%j is refused',
    (written) => {
      expect(at('https://dashboard.example', written)).toEqual([expect.stringMatching(/^cors\.origins\[1\] is /)]);
    },
  );

  it('are at most 64', () => {
    const many = (count: number) => at(...Array.from({ length: count }, (_, index) => `https://d${index}.example`));
    expect(many(64)).toEqual([]);
    expect(many(65)).toEqual(['cors.origins has more than 64 origins']);
  });

  it('are all only where somebody is asked for a password', () => {
    const every = { cors: { origins: ['https://a.example', '*'] } };
    expect(wrong({ ...every, auth: password })).toEqual([]);
    for (const auth of [undefined, { kind: 'none' }]) {
      expect(wrong({ ...every, ...(auth && { auth }) })).toEqual([
        expect.stringMatching(/^cors\.origins\[1\] lets every web page .*command your devices.*; name the origins/),
      ]);
    }
    // Of an authentication that is wrong itself, that is told and nothing else.
    expect(wrong({ ...every, auth: { kind: 'bearer' } })).toEqual([expect.stringMatching(/^auth\.token is missing/)]);
    expect(wrong({ ...every, auth: 5 })).toEqual([expect.stringMatching(/^auth must be an object/)]);
  });

  it('is a list', () => {
    expect(wrong({ cors: { origins: '*' } })).toEqual([
      expect.stringMatching(/^cors\.origins must be a list, not a s/),
    ]);
    expect(wrong({ cors: {} })).toEqual([]);
  });
});

describe('connector.limits', () => {
  /** Each at the least, or the most, that it may be, or one past it. */
  const atBounds = (which: 0 | 1, past = 0) =>
    Object.fromEntries(Object.entries(connectorLimitRanges).map(([name, range]) => [name, range[which] + past]));

  it('have a range for every one of devices, with the default in it', () => {
    expect(Object.keys(connectorLimitRanges)).toEqual(expect.arrayContaining(Object.keys(defaultConnectorLimits)));
    expect(Object.keys(connectorLimitRanges).sort()).toEqual(Object.keys(defaultConnectorFileLimits).sort());
    for (const [name, [min, max]] of Object.entries(connectorLimitRanges)) {
      const value = defaultConnectorFileLimits[name as 'sessions'];
      expect(min <= value && value <= max, name).toBe(true);
    }
  });

  it.each([0, 1] as const)('are taken at their bounds (%d), and reach the two servers', (which) => {
    const limits = atBounds(which);
    const { devices, api } = connectorOf({ websocket, http, limits });
    const ofDevices = Object.entries(limits).filter(([name]) => !/^http[A-Z]/.test(name));
    expect(devices!.limits).toEqual(Object.fromEntries(ofDevices));
    expect(api!.limits).toMatchObject({
      headersTimeoutMs: limits.httpHeadersTimeoutMs,
      requestTimeoutMs: limits.httpRequestTimeoutMs,
      bodyOctets: limits.httpBodyOctets,
      sockets: limits.httpSockets,
      requestsPerS: limits.httpRequestsPerS,
      requestBurst: limits.httpRequestBurst,
      loginFailures: limits.httpLoginFailures,
      streams: limits.httpStreams,
      streamsPerToken: limits.httpStreamsPerToken,
      streamBufferOctets: limits.httpStreamBufferOctets,
    });
  });

  it.each([
    [0, -1],
    [1, 1],
  ] as const)('are refused past their bounds (%d, %d)', (which, past) => {
    const refused = Object.entries(connectorLimitRanges).map(
      ([name, [min, max]]) => `limits.${name} must be ${min} to ${max}`,
    );
    expect(wrong({ limits: atBounds(which, past) })).toEqual(expect.arrayContaining(refused));
  });

  it.each(['headerOctets', 'headers', 'tlsHandshakeMs'])('%s is of both servers', (name) => {
    const [least] = connectorLimitRanges[name as 'headers'];
    const { devices, api } = connectorOf({ websocket, http, limits: { [name]: least } });
    expect([devices!.limits, api!.limits]).toEqual([
      expect.objectContaining({ [name]: least }),
      expect.objectContaining({ [name]: least }),
    ]);
  });

  it('that contradict each other are refused, at the one that is written', () => {
    expect(wrong({ limits: { sessions: 20_000 } })).toEqual([
      'limits.sessions is 20000, more than units, which is 16384 unless you write another',
    ]);
    expect(wrong({ limits: { deadAfterMs: 15_000 } })).toEqual([
      'limits.deadAfterMs must be more than pingAfterMs, which is 15000; it is 15000',
    ]);
    expect(wrong({ limits: { deadAfterMs: 15_001 } })).toEqual([]);
    expect(wrong({ limits: { unsentOctets: 131_071 } })).toEqual([
      'limits.unsentOctets must be at least 65536 more than unsentPauseOctets, which is 65536; it is 131071',
    ]);
    expect(wrong({ limits: { unsentOctets: 131_072 } })).toEqual([]);
    expect(wrong({ limits: { unsentOctets: 'x', deadAfterMs: '9' } })).toHaveLength(2);
    expect(wrong({ limits: { httpStreams: 5 } })).toEqual([
      'limits.httpStreams is 5, less than httpStreamsPerToken, which is 10 unless you write another',
    ]);
  });
});

describe('what should be known at the start', () => {
  const open = /^connector\.websocket without connector\.deviceAuth: whoever reaches it/;
  const loud = /^connector\.http without connector\.auth: WHOEVER REACHES IT CAN COMMAND EVERY DEVICE/;

  it('servers on a network that ask nobody who they are', () => {
    expect(warningsOf({ connector: { websocket: '0.0.0.0' } })).toEqual([expect.stringMatching(open)]);
    expect(warningsOf({ connector: { http: '192.168.1.5' } })).toEqual([expect.stringMatching(loud)]);
    const tls = pair('server');
    expect(warningsOf({ connector: { websocket: '[::]', http: '[::]', tls } }, folderWithPairs())).toEqual([
      expect.stringMatching(open),
      expect.stringMatching(loud),
    ]);
  });

  it('secrets in clear', () => {
    expect(warningsOf({ connector: { websocket: '0.0.0.0', deviceAuth: token } })).toEqual([
      'connector.websocket without connector.tls: the token travels in clear with every connection of a device',
    ]);
    expect(warningsOf({ connector: { http: '0.0.0.0', auth: password } })).toEqual([
      'connector.http without connector.tls: the password travels in clear with every request',
    ]);
    const withTls = { http: '0.0.0.0', auth: password, tls: pair('server'), httpTls: null };
    expect(warningsOf({ connector: withTls }, folderWithPairs())).toEqual([
      expect.stringMatching(/^connector\.http without connector\.tls: the password travels in clear/),
    ]);
  });

  it('nothing of it on this machine alone, or with TLS and a password', () => {
    expect(warningsOf({ connector: { websocket: 'localhost', http } })).toEqual([]);
    expect(warningsOf({ connector: { websocket: '[::1]', http, auth: token, deviceAuth: password } })).toEqual([]);
    const safe = { websocket: '0.0.0.0', http: '0.0.0.0', auth: token, deviceAuth: password, tls: pair('server') };
    expect(warningsOf({ connector: safe }, folderWithPairs())).toEqual([]);
  });
});

describe('handlers', () => {
  const folderWithModules = (): string => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'sub.mjs'));
    for (const name of ['a.mjs', 'b.js', 'c.ts']) writeFileSync(join(folder, name), '', { mode: 0o644 });
    return folder;
  };
  const at = (handlers: unknown, folder = folderWithModules()): string[] => {
    try {
      load({ handlers }, {}, folder);
      return [];
    } catch (error) {
      return (error as { problems: { path: string; what: string }[] }).problems.map(
        ({ path, what }) => `${path} ${what}`,
      );
    }
  };

  it('are modules, from the folder of the file', () => {
    const folder = folderWithModules();
    const { configuration, warnings } = load({ handlers: ['./a.mjs', join(folder, 'b.js')] }, {}, folder);
    expect(configuration.handlers).toEqual([join(folder, 'a.mjs'), join(folder, 'b.js')]);
    expect(warnings).toEqual([]);
    expect(configured({}).handlers).toEqual([]);
  });

  it('are there, and are JavaScript', () => {
    expect(at(['missing.mjs'])).toEqual([
      expect.stringMatching(/^handlers\[0\] names a file that does not exist; it is looked for at \/.*missing\.mjs$/),
    ]);
    expect(at(['a.mjs', 'c.ts'])).toEqual([expect.stringMatching(/^handlers\[1\] is no module of JavaScript; write/)]);
    expect(at(['sub.mjs'])).toEqual([expect.stringMatching(/^handlers\[0\] names .*sub\.mjs, which is no file/)]);
    expect(at(['a.mjs/x.js'])).toEqual([expect.stringMatching(/^handlers\[0\] names /)]);
    expect(at([''])).toContain('handlers[0] is empty; write "./my-handler.mjs"');
    expect(at([5])).toEqual([expect.stringMatching(/^handlers\[0\] must be a string, not a number/)]);
    expect(at('a.mjs')).toEqual([expect.stringMatching(/^handlers must be a list, not a string/)]);
  });

  it('are at most 16, none of them twice', () => {
    const folder = folderWithModules();
    const many = (count: number) => {
      const names = Array.from({ length: count }, (_, index) => `${index}.js`);
      for (const name of names) writeFileSync(join(folder, name), '');
      return at(names, folder);
    };
    expect(many(16)).toEqual([]);
    expect(many(17)).toEqual(['handlers has more than 16 modules']);
    expect(at(['a.mjs', 'b.js', './a.mjs'])).toEqual(['handlers[2] is handlers[0] too; take one out']);
  });

  it('that others may change are told', () => {
    const folder = folderWithModules();
    chmodSync(join(folder, 'a.mjs'), 0o664);
    expect(warningsOf({ handlers: ['a.mjs', 'b.js'] }, folder)).toEqual([
      `handlers: ${folder}/a.mjs may be changed by others: whoever does so can do all that the base can: chmod go-w ${folder}/a.mjs`,
    ]);
  });

  it('that others may replace are told, but not where only their owner may', () => {
    const folder = folderWithModules();
    chmodSync(folder, 0o777);
    expect(warningsOf({ handlers: ['b.js'] }, folder)).toEqual([
      expect.stringMatching(/^handlers: .*b\.js is in .*, where others may put another in its place/),
    ]);
    chmodSync(folder, 0o1777);
    expect(warningsOf({ handlers: ['b.js'] }, folder)).toEqual([]);
  });
});

describe('shutdownTimeoutS', () => {
  it('is 1 to 60, and 8 if it is left out', () => {
    const msOf = (file: object) => configured(file).shutdownTimeoutMs;
    expect([msOf({}), msOf({ shutdownTimeoutS: 1 }), msOf({ shutdownTimeoutS: 60 })]).toEqual([8_000, 1_000, 60_000]);
    for (const shutdownTimeoutS of [0, 61, 1.5, '8']) {
      expect(problems({ shutdownTimeoutS })).toEqual([expect.stringMatching(/^shutdownTimeoutS must be/)]);
    }
  });
});
