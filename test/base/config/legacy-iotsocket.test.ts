import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { InvalidConfigurationError } from '../../../base/config/config-problems.js';
import { DEFAULT_STORE } from '../../../base/config/configuration.js';
import { defaultIotsocketLimits } from '../../../base/dialects/iotsocket/iotsocket-limits.js';
import { type Certificates, makeCertificates } from '../uplinks/certificates.js';
import { KEY, load, problems } from './config-file.js';
import { temporaryFolder } from './temporary-folder.js';

let own: Certificates;
let others: Certificates;
beforeAll(() => {
  [own, others] = [makeCertificates(), makeCertificates()];
});

/** All keys that the original reads (wire/iotsocket.md, "Configuration names of the original"). */
const ssl = { SSLKeyFilename: 'own.key', SSLCrtFilename: 'own.crt' };
const original = {
  PoolThreadsCount: 25,
  KeepSessionSec: 61,
  TCPServer: {
    Addr: '0.0.0.0',
    Port: 50505,
    SlotsCount: 5000,
    SlotsSize: 4096,
    Backlog: 256,
    ...ssl,
    ReqTimeoutSec: 11,
  },
  HTTPServer: {
    ...{ Addr: '0.0.0.0', Port: 443, SlotsCount: 200, SlotsSize: 4096, Backlog: 64, ...ssl },
    MaxContentLength: 524287,
    MaxSecWaitResponse: 30,
  },
  UDPServer: { Addr: '0.0.0.0', Port: 50505, DatagramMaxSize: 4096 },
  Central: {
    AuthKey: KEY.toUpperCase(),
    WebHooks: {
      Request: 'http://127.0.0.1:8000/request',
      Telemetry: 'https://central.example/telemetry',
      HTTPBufferSize: 4096,
      MaxContentLength: 524286,
      MaxSecWaitResponse: 5,
    },
  },
  Groups: { Devices: { Telemetry: true, TelemetryTokenExpMin: 60 }, Stations: { Telemetry: false } },
};
const { HTTPServer, Central, TCPServer } = original;
const least = { TCPServer: { Addr: '127.0.0.1', Port: 50505 } };

/** A folder with two certificates and their keys. */
function folderWithPairs(): string {
  const folder = temporaryFolder();
  for (const [name, { cert, key }] of Object.entries({ own, others })) {
    writeFileSync(join(folder, `${name}.crt`), cert);
    writeFileSync(join(folder, `${name}.key`), key, { mode: 0o600 });
  }
  return folder;
}

const loadBeside = (content: unknown, folder = folderWithPairs()) => load(content, {}, folder);
const options = (content: unknown, folder?: string) => loadBeside(content, folder).configuration.iotsocket!;

function wrong(content: unknown): string[] {
  try {
    loadBeside(content);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidConfigurationError)) throw error;
    return error.problems.map(({ path, what }) => `${path} ${what}`);
  }
}

describe('the original concentrator’s config.json', () => {
  it('is accepted as it is', () => {
    const folder = folderWithPairs();
    expect(loadBeside(original, folder).configuration).toEqual({
      name: 'baseunit',
      file: join(folder, 'base.json'),
      http: { listen: { host: '127.0.0.1', port: 0 } },
      units: undefined,
      pusher: undefined,
      hub: undefined,
      webhooks: [],
      connector: undefined,
      handlers: [],
      shutdownTimeoutMs: 8_000,
      store: DEFAULT_STORE,
      legacy: undefined,
      iotsocket: {
        tcp: { host: '0.0.0.0', port: 50_505 },
        websocket: undefined,
        udp: { host: '0.0.0.0', port: 50_505 },
        http: { host: '0.0.0.0', port: 443 },
        tls: { cert: join(folder, 'own.crt'), key: join(folder, 'own.key') },
        keepSessionMs: 61_000,
        requestTimeoutMs: 11_000,
        central: {
          key: Uint8Array.from(Buffer.from(KEY, 'hex')),
          webhooks: {
            request: 'http://127.0.0.1:8000/request',
            telemetry: 'https://central.example/telemetry',
            ca: undefined,
            allowPrivate: true,
            maxContentLength: 524_286,
            maxWaitMs: 5_000,
          },
        },
        groups: new Map([
          ['Devices', { telemetry: true, telemetryTokenLifeMs: 3_600_000, pingAfterMs: 15_000, deadAfterMs: 45_000 }],
          ['Stations', { telemetry: false, telemetryTokenLifeMs: 900_000, pingAfterMs: 15_000, deadAfterMs: 45_000 }],
        ]),
        accessList: join(folder, 'acl.json'),
        redirect: undefined,
        allowPlaintext: false,
        history: true,
        limits: {
          ...defaultIotsocketLimits,
          sessions: 5_000,
          httpRequests: 200,
          httpBodyOctets: 524_287,
          httpMaxWaitMs: 30_000,
          datagramOctets: 4_096,
        },
      },
    });
  });

  it('names once, in one line, the keys that have no meaning here', () => {
    expect(loadBeside(original).warnings).toEqual([
      expect.stringMatching(
        /^PoolThreadsCount, TCPServer\.SlotsSize, TCPServer\.Backlog, HTTPServer\.SlotsSize, HTTPServer\.Backlog, Central\.WebHooks\.HTTPBufferSize: without a meaning here/,
      ),
    ]);
    expect(loadBeside({ ...least, PoolThreadsCount: 'x' }).warnings).toEqual([
      expect.stringMatching(/^PoolThreadsCount: without a meaning here/),
    ]);
    expect(loadBeside(least).warnings).toEqual([]);
  });

  it('has our defaults for what is not in it', () => {
    const folder = temporaryFolder();
    expect(options(least, folder)).toEqual({
      tcp: { host: '127.0.0.1', port: 50_505 },
      websocket: undefined,
      udp: undefined,
      http: undefined,
      tls: undefined,
      keepSessionMs: 60_000,
      requestTimeoutMs: 10_000,
      central: undefined,
      groups: new Map(),
      accessList: join(folder, 'acl.json'),
      redirect: undefined,
      allowPlaintext: false,
      history: true,
      limits: defaultIotsocketLimits,
    });
    const { WebHooks: _, ...central } = Central;
    expect(options({ ...least, Central: central }).central!.webhooks).toEqual({
      request: undefined,
      telemetry: undefined,
      ca: undefined,
      allowPrivate: true,
      maxContentLength: 524_288,
      maxWaitMs: 15_000,
    });
  });

  it('tells what travels in clear, in its own words', () => {
    const { SSLKeyFilename: _, SSLCrtFilename: __, ...http } = HTTPServer;
    const { warnings } = loadBeside({
      TCPServer: { Addr: '0.0.0.0', Port: 50505 },
      HTTPServer: { ...http, SlotsSize: undefined, Backlog: undefined },
      Central: { ...Central, WebHooks: { Telemetry: 'http://central.example/' } },
    });
    expect(warnings).toEqual([
      expect.stringMatching(/^TCPServer without SSLKeyFilename and SSLCrtFilename: sessions without TLS/),
      expect.stringMatching(
        /^HTTPServer without SSLKeyFilename and SSLCrtFilename: the central's key travels in clear/,
      ),
      expect.stringMatching(/^Central\.WebHooks\.Telemetry is not encrypted: the central's key travels in clear/),
    ]);
  });

  it.each(['TCPServer', 'HTTPServer', 'UDPServer', 'KeepSessionSec', 'PoolThreadsCount', 'Central', 'Groups'])(
    'is recognised by %s',
    (key) => {
      expect(problems({ [key]: null, name: 'x' }).join()).toMatch(/name is unknown; known here: PoolThreadsCount/);
    },
  );

  it('everything wrong with it comes at once, each with its path', () => {
    const found = wrong({
      KeepSessionSec: 0,
      KeepSesionSec: 60,
      TCPServer: { Addr: 'a:5', Port: 0, SlotsCount: 'many', ReqTimeoutSec: 301, SSLKeyFilename: 'own.key' },
      HTTPServer: {
        Addr: '',
        Port: 65536,
        MaxSecWaitResponse: 3601,
        SSLKeyFilename: 'own.key',
        SSLCrtFilename: 'others.crt',
      },
      UDPServer: { Port: 50505, DatagramMaxSize: 65536 },
      Central: { AuthKey: 'secret', WebHooks: { Request: 'ftp://x', MaxContentLength: 0, MaxSecWaitResponse: 301 } },
      Groups: { Devices: { Telemetry: 1, TelemetryTokenExpMin: 1441 }, ['x'.repeat(17)]: {} },
    });
    expect(found).toEqual(
      expect.arrayContaining([
        'KeepSessionSec must be 1 to 86400',
        'KeepSesionSec is unknown; did you mean KeepSessionSec?',
        'TCPServer.Addr is no address of this machine; write "0.0.0.0" for all of them',
        'TCPServer.Port must be 1 to 65535',
        expect.stringMatching(/^TCPServer\.SlotsCount must be a whole number, not a string/),
        'TCPServer.ReqTimeoutSec must be 1 to 300',
        'TCPServer.SSLCrtFilename is missing: SSLKeyFilename and SSLCrtFilename go together',
        expect.stringMatching(/^HTTPServer\.Addr is no address/),
        'HTTPServer.Port must be 1 to 65535',
        'HTTPServer.MaxSecWaitResponse must be 1 to 3600',
        expect.stringMatching(
          /^HTTPServer\.SSLKeyFilename names the file own\.key, which is not the key of the certificate/,
        ),
        'UDPServer.Addr is missing; write "0.0.0.0"',
        'UDPServer.DatagramMaxSize must be 11 to 65535',
        expect.stringMatching(/^Central\.AuthKey is no key: a key is 32 hexadecimal digits/),
        expect.stringMatching(/^Central\.WebHooks\.Request begins with ftp:/),
        'Central.WebHooks.MaxContentLength must be 1 to 67108864',
        'Central.WebHooks.MaxSecWaitResponse must be 1 to 300',
        expect.stringMatching(/^Groups\.Devices\.Telemetry must be true or false, not a number/),
        'Groups.Devices.TelemetryTokenExpMin must be 0 to 1440',
        expect.stringMatching(/^Groups\.x+ is a name of 17 octets; at most 16/),
      ]),
    );
    expect(found).toHaveLength(20);
    expect(found.join()).not.toContain('secret');
  });

  it('needs TCPServer, and the central’s key for HTTPServer', () => {
    expect(wrong({ Groups: {} })).toEqual([expect.stringMatching(/^TCPServer is missing; write { "Addr"/)]);
    const { Central: _, ...rest } = original;
    expect(wrong(rest)).toEqual([expect.stringMatching(/^HTTPServer needs Central\.AuthKey/)]);
  });

  it('cannot listen twice at one address', () => {
    expect(wrong({ ...original, HTTPServer: { ...HTTPServer, Port: 50505 } })).toEqual([
      expect.stringMatching(/^HTTPServer\.Port 0\.0\.0\.0:50505 cannot be listened at twice: TCPServer is/),
    ]);
  });

  it('may have its key elsewhere, and listen at an IPv6 address or a name', () => {
    const file = {
      TCPServer: { Addr: '::1', Port: 1 },
      UDPServer: { Addr: 'localhost', Port: 65535 },
      Central: { AuthKey: 'env:C' },
    };
    const { configuration } = load(file, { C: KEY });
    expect(configuration.iotsocket).toMatchObject({
      tcp: { host: '::1', port: 1 },
      udp: { host: 'localhost', port: 65_535 },
      central: { key: Uint8Array.from(Buffer.from(KEY, 'hex')) },
    });
  });
});

describe('its certificates', () => {
  const tcpWith = (files: object) => ({ ...original, TCPServer: { ...TCPServer, ...files } });
  const httpWith = (files: object) => ({ ...original, HTTPServer: { ...HTTPServer, ...files } });

  it.each([
    { SSLKeyFilename: '', SSLCrtFilename: '' },
    { SSLKeyFilename: null, SSLCrtFilename: null },
    { SSLKeyFilename: undefined, SSLCrtFilename: '' },
  ])('are none with %j', (files) => {
    const folder = folderWithPairs();
    expect(options(tcpWith(files), folder)).toMatchObject({
      tls: undefined,
      httpTls: { cert: join(folder, 'own.crt') },
    });
    expect(options(httpWith(files), folder)).toMatchObject({ tls: { cert: join(folder, 'own.crt') }, httpTls: null });
  });

  it('may be others for HTTP', () => {
    const folder = folderWithPairs();
    const files = { SSLKeyFilename: 'others.key', SSLCrtFilename: 'others.crt' };
    expect(options(httpWith(files), folder)).toMatchObject({
      tls: { cert: join(folder, 'own.crt'), key: join(folder, 'own.key') },
      httpTls: { cert: join(folder, 'others.crt'), key: join(folder, 'others.key') },
    });
    expect(options(original, folder)).not.toHaveProperty('httpTls');
  });

  it('that are not there, or half there, are errors', () => {
    expect(wrong(tcpWith({ SSLKeyFilename: 'missing.key' }))).toEqual([
      expect.stringMatching(/^TCPServer\.SSLKeyFilename names the file missing\.key, which does not exist/),
    ]);
    expect(wrong(tcpWith({ SSLKeyFilename: null }))).toEqual([
      'TCPServer.SSLKeyFilename is missing: SSLKeyFilename and SSLCrtFilename go together',
    ]);
    expect(wrong(tcpWith({ SSLCrtFilename: 5 }))).toEqual([
      expect.stringMatching(/^TCPServer\.SSLCrtFilename must be a string, not a number/),
    ]);
  });
});

describe('its webhooks', () => {
  const webhooks = (change: object) =>
    options({ ...original, Central: { ...Central, WebHooks: { ...Central.WebHooks, ...change } } }).central!.webhooks;

  it('are none where nothing is written', () => {
    expect(webhooks({ Request: null, Telemetry: '' })).toMatchObject({ request: undefined, telemetry: undefined });
    expect(options({ ...least, Central: { ...Central, WebHooks: null } }).central!.webhooks.request).toBeUndefined();
  });

  it('are http where no scheme is written, as the original has it', () => {
    expect(webhooks({ Request: 'localhost:8000/request' }).request).toBe('http://localhost:8000/request');
  });
});

it('a token without an end has our life: it is renewed while its session lasts', () => {
  const groups = options({
    ...least,
    Groups: { a: { Telemetry: true, TelemetryTokenExpMin: 0 }, b: { Telemetry: null } },
  }).groups;
  expect([...groups.values()].map(({ telemetry, telemetryTokenLifeMs }) => [telemetry, telemetryTokenLifeMs])).toEqual([
    [true, 900_000],
    [false, 900_000],
  ]);
});
