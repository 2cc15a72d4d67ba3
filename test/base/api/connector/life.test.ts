import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConnectorApi } from '../../../../base/api/connector/connector-api.js';
import { defaultConnectorApiLimits } from '../../../../base/api/connector/connector-api-limits.js';
import {
  DEFAULT_ANSWER_TIMEOUT_MS,
  DEFAULT_STATUS_EVERY_MS,
} from '../../../../base/api/connector/connector-api-options.js';
import { connectorDocument, connectorPaths } from '../../../../base/api/connector/connector-openapi.js';
import { makeCertificates } from '../../uplinks/certificates.js';
import { soon } from '../../uplinks/soon.js';
import { RawClient } from '../running-api.js';
import { RunningConnectorApi, rightHeader, secrets } from './running-connector-api.js';

const warnings = ({ log }: RunningConnectorApi) =>
  log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);

describe('starting', () => {
  it('tells the URL this machine reaches it at', async () => {
    const urlAt = async (host: string) => (await RunningConnectorApi.start({ listen: { host, port: 0 } })).url;
    for (const host of ['127.0.0.1', 'localhost', '0.0.0.0'])
      expect(await urlAt(host)).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('at a port that is taken is refused with what to do, and leaves nothing behind', async () => {
    const { port } = await RunningConnectorApi.start();
    const rig = new RunningConnectorApi({ listen: { host: '127.0.0.1', port } });
    await expect(rig.api.start(rig.context)).rejects.toMatchObject({
      code: 'port-in-use',
      message: expect.stringContaining(`connector.http 127.0.0.1:${port} is in use`),
    });
    await rig.api.stop();
    expect(rig.clock.waiting).toBe(0);
  });

  it('may be stopped before it is done', async () => {
    const rig = new RunningConnectorApi();
    const started = rig.api.start(rig.context);
    await rig.api.stop();
    await expect(started).rejects.toMatchObject({ code: 'stopped' });
    expect(rig.clock.waiting).toBe(0);
  });

  it('may be stopped without it', async () => {
    const api = new ConnectorApi(new RunningConnectorApi().options);
    await api.stop();
    expect(api.subscribers).toBe(0);
  });

  it('on the network without a secret, or with one in clear, is said', async () => {
    const on = (host: string, kind: keyof typeof secrets) =>
      RunningConnectorApi.start({ listen: { host, port: 0 }, auth: secrets[kind] }).then(warnings);
    expect(await on('127.0.0.1', 'none')).toEqual([]);
    expect(await on('0.0.0.0', 'none')).toEqual([expect.stringContaining('can command every unit')]);
    expect(await on('0.0.0.0', 'bearer')).toEqual([expect.stringContaining('in clear')]);
  });

  it('has the defaults of the wire page and of the limits', () => {
    expect([DEFAULT_STATUS_EVERY_MS, DEFAULT_ANSWER_TIMEOUT_MS]).toEqual([5_000, 8_000]);
    expect(defaultConnectorApiLimits).toEqual({
      headersTimeoutMs: 10_000,
      requestTimeoutMs: 20_000,
      checkIntervalMs: 2_000,
      keepAliveMs: 5_000,
      headerOctets: 8_192,
      headers: 50,
      sockets: 512,
      pipelined: 16,
      stalledMs: 30_000,
      stopGraceMs: 1_500,
      streams: 200,
      streamsPerToken: 10,
      streamBufferOctets: 262_144,
      pingMs: 20_000,
      bodyOctets: 65_536,
      requestsPerS: 20,
      requestBurst: 40,
      loginFailures: 10,
      tlsHandshakeMs: 15_000,
    });
  });
});

describe('stopping', () => {
  it('answers a command that waits for its device, ends streams, frees the port, and may be asked for twice', async () => {
    const rig = await RunningConnectorApi.start();
    rig.answer = () => new Promise(() => {});
    const stream = await rig.stream();
    const asked = rig.ask('/devices/command/board', 'on');
    await soon(() => expect(rig.delivered).toHaveLength(1));
    const idle = await new RawClient(rig.port).connected();
    await Promise.all([rig.api.stop(), rig.api.stop()]);
    const { status, body } = await asked;
    expect([status, body]).toEqual([
      503,
      { response: '', error: 'The base is stopping; whether the device got it is not known.' },
    ]);
    await Promise.all([stream.closed(), idle.closed()]);
    expect(rig.api.subscribers).toBe(0);
    const server = createServer().listen(rig.port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
  });

  it('leaves no timer', async () => {
    const rig = await RunningConnectorApi.start();
    await rig.stream();
    await rig.call('/devices');
    await rig.api.stop();
    expect(rig.clock.waiting).toBe(0);
  });

  it('is 503 for a command that waits when the units stop first', async () => {
    const rig = await RunningConnectorApi.start();
    rig.answer = () => new Promise(() => {});
    const first = rig.ask('/devices/command/kitchen-lamp', '{"command":"fade","fields":{"color":"#000000"}}');
    await soon(() => expect(rig.delivered).toHaveLength(1));
    const second = rig.ask('/devices/command/kitchen-lamp', '{"command":"fade","fields":{"color":"#ffffff"}}');
    await soon(() => expect(rig.router.get('kitchen-lamp')!.waiting).toBe(2));
    rig.router.stop();
    expect((await second).status).toBe(503);
    const third = await rig.ask('/devices/command/kitchen-lamp', '{"command":"fade","fields":{"color":"#00ff00"}}');
    expect([third.status, third.body.response]).toEqual([503, '']);
    await rig.api.stop();
    expect((await first).status).toBe(503);
  });

  it('refuses new requests meanwhile, and waits 1.5 s for those that are slow to arrive', async () => {
    const rig = await RunningConnectorApi.start();
    const slow = new RawClient(rig.port);
    const head =
      'POST /devices/command/board HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n';
    slow.socket.write(`${head}\r\n`);
    await slow.until('HTTP/1.1 100 Continue');
    let isStopped = false;
    const stopped = rig.api.stop().then(() => {
      isStopped = true;
    });
    for (const [path, method] of [
      ['/devices', 'GET'],
      ['/devices/command/board', 'POST'],
    ] as const) {
      const { status, body, headers } = await rig.call(path, { method });
      expect([status, body]).toEqual([503, { error: 'The base is stopping; try again when it runs.' }]);
      expect(headers.get('connection')).toBe('close');
    }
    expect(rig.delivered).toEqual([]);
    await rig.clock.advance(1_499);
    expect(isStopped).toBe(false);
    await rig.clock.advance(1);
    await stopped;
    await slow.closed();
  });
});

describe('bounds', () => {
  const withHead = async (rig: RunningConnectorApi, more: string): Promise<string> => {
    const client = new RawClient(rig.port);
    client.socket.write(`GET /devices HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${more}\r\n`);
    return client.closed();
  };

  it('50 headers', async () => {
    const rig = await RunningConnectorApi.start();
    const headers = (count: number) => Array.from({ length: count - 2 }, (_, index) => `x-${index}: 1\r\n`).join('');
    expect(await withHead(rig, headers(50))).toMatch(/^HTTP\/1\.1 200 /);
    const refused = await withHead(rig, headers(51));
    expect(refused).toMatch(/^HTTP\/1\.1 431 /);
    expect(refused).toContain('{"error":"The request has more than 50 headers; send fewer."}');
  });

  it('8 KiB of headers; a megabyte is refused as well', async () => {
    const rig = await RunningConnectorApi.start();
    expect(await withHead(rig, `x: ${'y'.repeat(7_900)}\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
    const client = new RawClient(rig.port);
    client.socket.write(`GET /devices HTTP/1.1\r\nHost: localhost\r\nx: ${'y'.repeat(1024 * 1024)}\r\n\r\n`);
    const refused = await client.until('}');
    expect(refused).toMatch(/^HTTP\/1\.1 431 /);
    expect(refused).toContain('{"error":"the headers are longer than 8192 octets"}');
    await client.closed();
    expect((await rig.call('/devices')).status).toBe(200);
  });

  it('what is no HTTP, or has no path that can be read, is refused', async () => {
    const rig = await RunningConnectorApi.start();
    const client = new RawClient(rig.port);
    client.socket.write('HELLO\r\n\r\n');
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 400 [\s\S]*\{"error":"/);
    const unread = new RawClient(rig.port);
    unread.socket.write('GET /devices/%zz/show HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    expect(await unread.closed()).toMatch(/^HTTP\/1\.1 400 [\s\S]*\{"error":"The path cannot be read\."\}/);
  });

  it('headers and bodies that come too slowly are answered 408 and closed', async () => {
    const limits = { headersTimeoutMs: 60, requestTimeoutMs: 80, checkIntervalMs: 20 };
    const rig = await RunningConnectorApi.start({ limits });
    const [slowHead, slowBody] = [new RawClient(rig.port), new RawClient(rig.port)];
    slowHead.socket.write('GET /devices HTTP/1.1\r\n');
    slowBody.socket.write('POST /devices/command/board HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\non');
    for (const client of [slowHead, slowBody]) expect(await client.closed()).toMatch(/^HTTP\/1\.1 408 /);
    expect(rig.delivered).toEqual([]);
  });

  it('so many sockets; the next one is closed', async () => {
    const rig = await RunningConnectorApi.start({ limits: { sockets: 2 } });
    const some = [await new RawClient(rig.port).connected(), await new RawClient(rig.port).connected()];
    // The server has taken both when it answers the second.
    some[1]!.socket.write('GET /devices HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await some[1]!.until('{"devices":[]}');
    const next = await new RawClient(rig.port).connected();
    expect(await next.closed()).toBe('');
    expect(some.every(({ isClosed }) => !isClosed)).toBe(true);
  });
});

describe('what there is not', () => {
  it('is 404, naming what there is', async () => {
    const rig = await RunningConnectorApi.start();
    for (const path of [
      '/',
      '/device',
      '/devices/board',
      '/devices/command',
      '/devices/command/a/b',
      '/api/v1/units',
    ]) {
      const { status, body } = await rig.call(path);
      expect(status, path).toBe(404);
      expect(body.error).toContain('POST /devices/command/{id}');
    }
  });

  it.each([
    ['POST', '/cloud-connector/status', 'GET'],
    ['DELETE', '/devices', 'GET'],
    ['PUT', '/devices/board/show', 'GET'],
    ['HEAD', '/devices', 'GET'],
    ['GET', '/devices/command/board', 'POST'],
    ['GET', '/devices/query/board/', 'POST'],
    ['OPTIONS', '/devices/status/board', 'GET'],
  ])('%s %s is 405, naming what may be', async (method, path, allow) => {
    const rig = await RunningConnectorApi.start();
    const { status, headers } = await rig.call(path, { method });
    expect([status, headers.get('allow')]).toEqual([405, allow]);
  });

  it('is not told about faults of our own, but the log is', async () => {
    const rig = await RunningConnectorApi.start();
    rig.router.get = () => {
      throw new Error('inner secret');
    };
    const { status, body } = await rig.ask('/devices/command/board', 'on');
    expect([status, body]).toEqual([500, { error: "A fault of the base's own; its log has it." }]);
    expect(rig.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });
});

describe('TLS', () => {
  const [first, second] = [makeCertificates(), makeCertificates()];

  const files = async ({ cert, key }: { readonly cert: string; readonly key: string }) => {
    const folder = await mkdtemp(join(tmpdir(), 'baseunit-connector-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const paths = { cert: join(folder, 'server.crt'), key: join(folder, 'server.key') };
    const write = async (pair: { readonly cert: string; readonly key: string }) => {
      await writeFile(paths.cert, pair.cert);
      await writeFile(paths.key, pair.key);
      await chmod(paths.key, 0o600);
    };
    await write({ cert, key });
    return { paths, write };
  };

  /** Status of the list of devices, asked for over a connection of its own. */
  const get = (rig: RunningConnectorApi, ca: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const agent = new Agent({ ca, keepAlive: false });
      const headers = { authorization: rightHeader.bearer };
      const asking = httpsRequest(`${rig.url}/devices`, { agent, headers }, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode));
      });
      asking.on('error', reject);
      asking.end();
    });

  it('serves who trusts its certificate, and takes a new one while it runs', async () => {
    const { paths, write } = await files(first);
    const rig = await RunningConnectorApi.start({ tls: paths, auth: secrets.bearer });
    expect(rig.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await get(rig, first.ca)).toBe(200);
    await expect(get(rig, first.strangerCa)).rejects.toThrow();
    await write(second);
    await soon(async () => {
      await rig.clock.advance(5_000);
      expect(await get(rig, second.ca)).toBe(200);
    });
    await expect(get(rig, first.ca)).rejects.toThrow();
    await rig.api.stop();
    expect(rig.clock.waiting).toBe(0);
  });

  it('does not start with files that are none, and leaves nothing behind', async () => {
    const { paths } = await files({ cert: first.cert, key: second.key });
    const mixed = new RunningConnectorApi({ tls: paths });
    await expect(mixed.api.start(mixed.context)).rejects.toMatchObject({ code: 'config-invalid' });
    const missing = new RunningConnectorApi({ tls: { ...paths, cert: `${paths.cert}.not` } });
    await expect(missing.api.start(missing.context)).rejects.toMatchObject({ code: 'config-unreadable' });
    await missing.api.stop();
    expect([mixed.clock.waiting, missing.clock.waiting]).toEqual([0, 0]);
  });

  it('may be stopped while its files are read', async () => {
    const { paths } = await files(first);
    const rig = new RunningConnectorApi({ tls: paths });
    const started = rig.api.start(rig.context);
    await rig.api.stop();
    await expect(started).rejects.toMatchObject({ code: 'stopped' });
    expect(rig.clock.waiting).toBe(0);
  });

  it('is no place for clear text', async () => {
    const { paths } = await files(first);
    const rig = await RunningConnectorApi.start({ tls: paths });
    const plain = new RawClient(rig.port);
    plain.socket.write('GET /devices HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(await plain.closed()).not.toContain('200');
  });
});

describe('the document', () => {
  it('has every route, on its own server, with its own security', () => {
    const { paths, securitySchemes } = connectorDocument('http://127.0.0.1:9090', 'basic');
    expect(Object.keys(paths)).toEqual(Object.keys(connectorPaths));
    expect(paths['/devices']).toMatchObject({
      servers: [{ url: 'http://127.0.0.1:9090' }],
      get: { operationId: 'connectorDevices', security: [{ connector: [] }] },
    });
    expect(securitySchemes).toEqual({ connector: expect.objectContaining({ type: 'http', scheme: 'basic' }) });
    const open = connectorDocument('http://127.0.0.1:9090', 'none');
    expect(open.securitySchemes).toEqual({});
    expect(open.paths['/devices']).toMatchObject({ get: { security: [] } });
  });

  it('names each operation once', () => {
    const ids = Object.values(connectorPaths).flatMap((item) =>
      Object.values(item).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });
});
