import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Api } from '../../../base/api/api.js';
import { defaultApiLimits } from '../../../base/api/api-limits.js';
import { RateLimit } from '../../../base/api/rate-limit.js';
import type { Outcome } from '../../../base/core/messages.js';
import { ManualClock } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';
import { TestBus } from '../../support/test-bus.js';
import { KnownFigures } from './known-figures.js';
import { KnownOutboxes } from './known-outboxes.js';
import { KnownUnits, outcomeOf } from './known-units.js';
import { countingRandom, post, RawClient, startApi, TOKEN } from './running-api.js';

const lamp = '/api/v1/units/kitchen-lamp/commands';
const authorised = `Host: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n`;

describe('starting', () => {
  it('tells the URL this machine reaches it at', async () => {
    expect((await startApi()).url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await startApi({ listen: { host: 'localhost', port: 0 } })).url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await startApi({ listen: { host: '0.0.0.0', port: 0 } })).url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('at a port that is taken is refused with what to do', async () => {
    const { port } = await startApi();
    await expect(startApi({ listen: { host: '127.0.0.1', port } })).rejects.toThrow(
      expect.objectContaining({
        code: 'port-in-use',
        message: expect.stringContaining(`http.listen 127.0.0.1:${port} is in use`),
      }),
    );
  });

  it('at an address of another machine is refused', async () => {
    // TEST-NET-3 (RFC 5737): nobody has it.
    await expect(startApi({ listen: { host: '203.0.113.1', port: 0 } })).rejects.toThrow(
      expect.objectContaining({
        code: 'config-invalid',
        message: expect.stringContaining('no address of this machine'),
      }),
    );
  });

  it('may be stopped before it is done', async () => {
    const [bus, clock] = [new TestBus(), new ManualClock()];
    const figures = new KnownFigures(clock);
    const options = {
      units: new KnownUnits(),
      outbox: new KnownOutboxes(),
      backup: async () => '',
      status: figures.status,
      connections: figures.connections,
      figures,
      bus,
      clock,
      random: countingRandom,
      log: new QuietLog(),
    };
    const api = new Api({ listen: { host: '127.0.0.1', port: 0 }, token: TOKEN, name: 'x', version: '1', ...options });
    const started = api.start();
    await api.stop();
    await expect(started).rejects.toThrow(expect.objectContaining({ code: 'stopped' }));
    expect(bus.hearers).toBe(0);
  });
});

describe('stopping', () => {
  it('closes idle connections, frees the port, and may be asked for twice', async () => {
    const { api, port, clock, call } = await startApi();
    await call('/api/v1/units');
    const idle = await new RawClient(port).connected();
    await Promise.all([api.stop(), api.stop()]);
    await api.stop();
    await idle.closed();
    expect(clock.waiting).toBe(0);
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
  });

  it('lets a command under way end, and answers 503 meanwhile', async () => {
    const { api, units, call, clock } = await startApi();
    let finish = (_: Outcome): void => {};
    const asked = new Promise<void>((resolve) => {
      units.answer = (request) => {
        resolve();
        return new Promise((done) => {
          finish = () => done(outcomeOf(request));
        });
      };
    });
    const answer = call(lamp, post({ command: 'stop' }));
    await asked;
    const stopped = api.stop();
    expect(await call('/healthz')).toMatchObject({ status: 503, body: { status: 'stopping' } });
    expect(await call('/api/v1/units')).toMatchObject({
      status: 503,
      body: { type: 'urn:baseunit:problem:stopping', status: 503 },
    });
    finish(outcomeOf(units.requests[0]!));
    expect((await answer).status).toBe(200);
    await stopped;
    expect(clock.waiting).toBe(0);
  });

  it('waits 2 s for it and no longer', async () => {
    const { api, units, clock, port } = await startApi();
    units.answer = () => new Promise(() => {});
    const client = new RawClient(port);
    client.socket.write(
      `POST ${lamp} HTTP/1.1\r\n${authorised}Content-Type: application/json\r\nContent-Length: 18\r\n\r\n{"command":"stop"}`,
    );
    while (units.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    let isStopped = false;
    const stopped = api.stop().then(() => {
      isStopped = true;
    });
    await clock.advance(1_999);
    expect(isStopped).toBe(false);
    await clock.advance(1);
    await stopped;
    expect(await client.closed()).toBe('');
  });
});

describe('bounds', () => {
  it('are those of the project', () => {
    expect(defaultApiLimits).toMatchObject({
      headersTimeoutMs: 10_000,
      requestTimeoutMs: 20_000,
      checkIntervalMs: 2_000,
      keepAliveMs: 5_000,
      headerOctets: 8_192,
      headers: 50,
      bodyOctets: 65_536,
      sockets: 512,
      requestsPerS: 20,
      requestBurst: 40,
    });
  });

  it('50 headers', async () => {
    const { port } = await startApi();
    const withHeaders = async (count: number) => {
      const client = new RawClient(port);
      const more = Array.from({ length: count - 3 }, (_, index) => `x-${index}: 1\r\n`).join('');
      client.socket.write(`GET /api/v1/units HTTP/1.1\r\n${authorised}Connection: close\r\n${more}\r\n`);
      return client.closed();
    };
    expect(await withHeaders(50)).toMatch(/^HTTP\/1\.1 200 /);
    const refused = await withHeaders(51);
    expect(refused).toMatch(/^HTTP\/1\.1 431 /);
    expect(refused).toContain('urn:baseunit:problem:headers-too-large');
    expect(await withHeaders(200)).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('8 KiB of headers', async () => {
    const { port } = await startApi();
    const withOctets = async (count: number) => {
      const client = new RawClient(port);
      client.socket.write(
        `GET /api/v1/units HTTP/1.1\r\n${authorised}Connection: close\r\nx: ${'y'.repeat(count)}\r\n\r\n`,
      );
      return client.closed();
    };
    expect(await withOctets(7_900)).toMatch(/^HTTP\/1\.1 200 /);
    const refused = await withOctets(8_192);
    expect(refused).toMatch(/^HTTP\/1\.1 431 /);
    expect(refused).toContain('application/problem+json');
    expect(JSON.parse(refused.slice(refused.indexOf('\r\n\r\n') + 4))).toMatchObject({
      status: 431,
      detail: expect.stringContaining('8192'),
    });
  });

  it('headers and bodies that come too slowly are answered 408 and closed', async () => {
    const limits = { headersTimeoutMs: 100, requestTimeoutMs: 200, checkIntervalMs: 20 };
    const { port } = await startApi({ limits });
    const headers = new RawClient(port);
    headers.socket.write('GET /healthz HTTP/1.1\r\nHost: loc');
    const body = new RawClient(port);
    body.socket.write(
      `POST ${lamp} HTTP/1.1\r\n${authorised}Content-Type: application/json\r\nContent-Length: 18\r\n\r\n{"com`,
    );
    for (const received of await Promise.all([headers.closed(), body.closed()])) {
      expect(received).toMatch(/^HTTP\/1\.1 408 /);
      expect(received).toContain('urn:baseunit:problem:timeout');
    }
  });

  it('an idle connection is closed', async () => {
    const { port } = await startApi({ limits: { keepAliveMs: 50 } });
    const client = new RawClient(port);
    client.socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(await client.closed()).toContain('{"status":"ok"}');
  });

  it('512 sockets; the next one is closed, and there is room again when one goes', async () => {
    const { port } = await startApi();
    const clients = await Promise.all(Array.from({ length: 512 }, () => new RawClient(port).connected()));
    const ask = (client: RawClient) => client.socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    ask(clients[511]!);
    await clients[511]!.until('"ok"');
    const extra = new RawClient(port);
    expect(await extra.closed()).toBe('');
    clients[0]!.socket.destroy();
    await clients[0]!.closed();
    // The server learns of it in its own time: it answers, or closes, and then the next one is tried.
    const tryAgain = async (): Promise<string> => {
      const next = new RawClient(port);
      ask(next);
      await next.until('"ok"').catch(() => {});
      return next.received || tryAgain();
    };
    expect(await tryAgain()).toContain('{"status":"ok"}');
  });

  it('what is not HTTP is answered and closed; the next is served', async () => {
    const { port, call } = await startApi();
    const client = new RawClient(port);
    client.socket.write('\u0016\u0003\u0001 hello\r\n\r\n');
    const received = await client.closed();
    expect(received).toMatch(/^HTTP\/1\.1 400 /);
    expect(received).toContain('urn:baseunit:problem:bad-request');
    expect((await call('/api/v1/units')).status).toBe(200);
  });

  it.each([
    '/api/v1/units/%',
    '/api/v1/units/%ff',
    '/%zz',
    `/api/v1/units/${'x'.repeat(1_537)}`,
    '/api/v1/units/a/b/c',
    '//',
    '/api/v2/units',
  ])('the path %s is refused as a problem', async (path) => {
    const { port } = await startApi();
    const client = new RawClient(port);
    client.socket.write(`GET ${path} HTTP/1.1\r\n${authorised}Connection: close\r\n\r\n`);
    const received = await client.closed();
    expect(received).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(received).toContain('application/problem+json');
    expect(JSON.parse(received.slice(received.indexOf('\r\n\r\n') + 4))).toMatchObject({
      title: expect.any(String),
      detail: expect.any(String),
    });
  });

  it('methods that a route does not have are refused', async () => {
    const { call } = await startApi();
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const { status, body } = await call('/api/v1/units', { method });
      expect(status).toBe(404);
      expect(body.detail).toContain(`${method} /api/v1/units is no route`);
    }
    expect((await call('/api/v1/events', { method: 'HEAD' })).status).toBe(404);
  });
});

it('a rate limit tells 1 024 keys apart and forgets the one that was quiet the longest', () => {
  const limit = new RateLimit({ clock: new ManualClock(), perSecond: 1, burst: 1 });
  for (let key = 0; key < 1_024; key += 1) expect(limit.take(`${key}`)).toBe(0);
  expect(limit.size).toBe(1_024);
  expect(limit.take('0')).toBe(1_000);
  expect(limit.take('one more')).toBe(0);
  expect(limit.size).toBe(1_024);
  expect(limit.take('0')).toBe(1_000);
  expect(limit.take('1')).toBe(0);
});

it('a port of the system’s own choice is another each time', async () => {
  const [one, other] = [await startApi(), await startApi()];
  onTestFinished(() => one.api.stop());
  expect(one.port).not.toBe(other.port);
});
