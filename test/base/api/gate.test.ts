import { describe, expect, it } from 'vitest';
import { RawClient, startApi, TOKEN } from './running-api.js';

const get = async (url: string, headers: Record<string, string> = {}) => {
  const response = await fetch(url, { headers });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
};

describe('the token', () => {
  it.each([
    '/api/v1/units',
    '/api/v1/units/kitchen-lamp',
    '/api/v1/events',
    '/api/v1/openapi.json',
    '/api/v1/nothing',
    '/',
  ])('is needed for %s', async (path) => {
    const { url } = await startApi();
    const { status, headers, body } = await get(`${url}${path}`);
    expect(status).toBe(401);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(headers.get('www-authenticate')).toBe('Bearer realm="baseunit"');
    expect(body).toEqual({
      type: 'urn:baseunit:problem:unauthorised',
      title: 'Unauthorized',
      status: 401,
      detail: expect.stringContaining('Authorization: Bearer <token>'),
    });
  });

  it('is not needed for /healthz', async () => {
    const { url } = await startApi();
    expect(await get(`${url}/healthz`)).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  it.each([
    ['another', `Bearer ${TOKEN.slice(1)}x`],
    ['a shorter one', `Bearer ${TOKEN.slice(1)}`],
    ['a longer one', `Bearer ${TOKEN}x`],
    ['none', 'Bearer '],
    ['another scheme', `Basic ${TOKEN}`],
    ['two', `Bearer ${TOKEN} ${TOKEN}`],
  ])('%s is refused', async (_, authorization) => {
    const { url, log } = await startApi();
    const { status, body } = await get(`${url}/api/v1/units`, { authorization });
    expect(status).toBe(401);
    expect(JSON.stringify(body)).not.toContain(TOKEN.slice(1));
    expect(JSON.stringify(log.lines)).not.toContain(TOKEN.slice(1));
  });

  it('may be written with any case of "Bearer"', async () => {
    const { url } = await startApi();
    expect((await get(`${url}/api/v1/units`, { authorization: `bearer ${TOKEN}` })).status).toBe(200);
  });

  it('is never logged', async () => {
    const { call, log, api } = await startApi();
    await call('/api/v1/units');
    await call('/api/v1/nothing');
    await api.stop();
    expect(JSON.stringify(log.lines)).not.toContain(TOKEN);
  });
});

describe('the rate', () => {
  it('is 40 at once and 20 a second for a token', async () => {
    const { call, clock } = await startApi();
    const statuses = async (count: number) => {
      const answers = await Promise.all(Array.from({ length: count }, () => call('/api/v1/units')));
      return answers.map(({ status }) => status).sort();
    };
    expect(await statuses(40)).toEqual(Array(40).fill(200));
    const { status, headers, body } = await call('/api/v1/units');
    expect(status).toBe(429);
    expect(headers.get('retry-after')).toBe('1');
    expect(body).toMatchObject({
      type: 'urn:baseunit:problem:too-many-requests',
      detail: expect.stringContaining('20 requests per second'),
    });
    await clock.advance(1_000);
    expect(await statuses(21)).toEqual([...Array(20).fill(200), 429]);
    await clock.advance(60_000);
    expect(await statuses(41)).toEqual([...Array(40).fill(200), 429]);
  });

  it('holds for guesses of an address too, and leaves the token alone', async () => {
    const { url, call } = await startApi();
    const guess = () => get(`${url}/api/v1/units`, { authorization: 'Bearer guess' });
    const guesses = await Promise.all(Array.from({ length: 41 }, guess));
    expect(guesses.filter(({ status }) => status === 401)).toHaveLength(40);
    expect(guesses.filter(({ status }) => status === 429)).toHaveLength(1);
    expect((await call('/api/v1/units')).status).toBe(200);
  });

  it('does not hold for /healthz', async () => {
    const { url } = await startApi();
    const answers = await Promise.all(Array.from({ length: 60 }, () => get(`${url}/healthz`)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  });
});

describe('the Host header', () => {
  const withHost = async (port: number, host: string | undefined, path = '/healthz') => {
    const client = new RawClient(port);
    const line = host === undefined ? '' : `Host: ${host}\r\n`;
    client.socket.write(`GET ${path} HTTP/1.1\r\n${line}Authorization: Bearer ${TOKEN}\r\nConnection: close\r\n\r\n`);
    return client.closed();
  };

  it.each(['localhost', 'LOCALHOST:8889', 'localhost.', '127.0.0.1', '127.0.0.1:1', '[::1]', '[::1]:8889'])(
    '%s is this machine',
    async (host) => {
      const { port } = await startApi();
      expect(await withHost(port, host)).toMatch(/^HTTP\/1\.1 200 /);
    },
  );

  it.each([
    'evil.example',
    'evil.example:8889',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '192.168.1.5',
    'localhost:80:80',
    '[::1',
    '',
  ])('%j is not, and gets nothing', async (host) => {
    const { port } = await startApi();
    for (const path of ['/healthz', '/api/v1/units']) {
      const answer = await withHost(port, host, path);
      expect(answer).toMatch(/^HTTP\/1\.1 40[03] /);
      expect(answer).toContain('urn:baseunit:problem:');
      expect(answer).not.toContain('kitchen-lamp');
    }
  });

  it('may be the address the base listens at', async () => {
    const { url } = await startApi({ listen: { host: '127.0.0.2', port: 0 } });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.2:/);
    expect((await get(`${url}/healthz`)).status).toBe(200);
    const { port } = await startApi();
    expect(await withHost(port, '127.0.0.2')).toMatch(/^HTTP\/1\.1 403 /);
  });

  it('is not looked at where the base listens on the network', async () => {
    const { port } = await startApi({ listen: { host: '0.0.0.0', port: 0 } });
    expect(await withHost(port, 'base.local', '/api/v1/units')).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('must be there', async () => {
    const { port } = await startApi();
    expect(await withHost(port, undefined)).toMatch(/^HTTP\/1\.1 400 /);
  });
});

it('other origins get no leave to read', async () => {
  const { url, call } = await startApi();
  const { headers } = await call('/api/v1/units', { headers: { origin: 'https://evil.example' } });
  expect(headers.get('access-control-allow-origin')).toBeNull();
  const preflight = await fetch(`${url}/api/v1/units`, {
    method: 'OPTIONS',
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
  });
  expect(preflight.status).toBe(401);
  expect([...preflight.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  await preflight.text();
});

it('nothing is kept by caches or guessed by browsers', async () => {
  const { call } = await startApi();
  const { headers } = await call('/api/v1/units');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
});
