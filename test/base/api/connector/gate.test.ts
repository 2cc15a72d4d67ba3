import { describe, expect, it } from 'vitest';
import { connectorPaths } from '../../../../base/api/connector/connector-openapi.js';
import { settle } from '../../../support/manual-clock.js';
import { soon } from '../../uplinks/soon.js';
import { RawClient } from '../running-api.js';
import { basicOf, RunningConnectorApi, rightHeader, secrets } from './running-connector-api.js';

/** Every route as a request for it, with the status that it has when it may. */
const routes: readonly (readonly [method: 'GET' | 'POST', path: string, status: number])[] = [
  ['GET', '/cloud-connector/status', 200],
  ['GET', '/cloud-connector/status/stream', 200],
  ['GET', '/devices', 200],
  ['GET', '/devices/board/show', 200],
  ['GET', '/devices/status/board', 200],
  ['POST', '/devices/command/board', 200],
  ['POST', '/devices/query/board', 200],
  ['GET', '/nothing', 404],
  ['PUT' as 'POST', '/devices', 405],
];

const wrongHeader = {
  none: undefined,
  basic: basicOf('home', 'another pass:word'),
  bearer: 'Bearer A-token_of-the-connectoR',
} as const;

/** What of an answer has come when its head has, so that streams may be asked for too. */
async function head(rig: RunningConnectorApi, method: string, path: string, more: string): Promise<string> {
  const client = new RawClient(rig.port);
  client.socket.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n${more}\r\n`);
  const received = await client.until('\r\n\r\n');
  client.socket.destroy();
  return received;
}

const line = (header: string | undefined): string => (header === undefined ? '' : `Authorization: ${header}\r\n`);

it('the routes looked at here are all that there are', () => {
  const asked = routes.filter(([, , status]) => status === 200).map(([, path]) => path.replace('board', '{id}'));
  expect(asked).toEqual(Object.keys(connectorPaths));
});

describe.each(['none', 'basic', 'bearer'] as const)('authentication %s', (kind) => {
  it('lets every route be reached with the right secret, and none without or with a wrong one', async () => {
    const rig = await RunningConnectorApi.start({ auth: secrets[kind] });
    rig.connect('board');
    const challenge = {
      none: /^/,
      basic: /www-authenticate: Basic realm="baseunit", charset="UTF-8"\r\n/i,
      bearer: /www-authenticate: Bearer realm="baseunit"\r\n/i,
    }[kind];
    for (const [method, path, status] of routes) {
      const route = `${method} ${path}`;
      for (const header of [undefined, wrongHeader[kind]]) {
        const answer = await head(rig, method, path, line(header));
        expect(answer.slice(0, 12), route).toBe(`HTTP/1.1 ${kind === 'none' ? status : 401}`);
        if (kind !== 'none') expect(answer, route).toMatch(challenge);
      }
      if (kind !== 'none') expect(rig.delivered, route).toEqual([]);
      const answer = await head(rig, method, path, line(rightHeader[kind]));
      expect(answer.slice(0, 12), route).toBe(`HTTP/1.1 ${status}`);
      rig.delivered.length = 0;
      // Neither the rate nor the count of wrong logins is looked at here.
      await rig.clock.advance(120_000);
    }
  });
});

describe('a secret', () => {
  it('that is missing or wrong is answered with what is wrong, and never with itself', async () => {
    const rig = await RunningConnectorApi.start({ auth: secrets.basic });
    const refused = async (authorization?: string) =>
      (await rig.call('/devices', { headers: authorization === undefined ? {} : { authorization } })).text;
    expect(await refused()).toBe('{"error":"The request has no user and password."}');
    expect(await refused(basicOf('home', 'guess-1'))).toBe('{"error":"The user or the password is wrong."}');
    expect(await refused('Bearer guess-2')).toBe('{"error":"The Authorization header is not of the kind Basic."}');
    await rig.call('/devices', { headers: { authorization: rightHeader.basic } });
    expect(JSON.stringify(rig.log.lines)).not.toMatch(/guess|pass:word|Basic /);
  });
});

describe('wrong logins', () => {
  const start = () => RunningConnectorApi.start({ auth: secrets.basic, listen: { host: '0.0.0.0', port: 0 } });
  const login = async (rig: RunningConnectorApi, header: string | undefined, from = '127.0.0.1') => {
    const client = new RawClient(rig.port, from);
    client.socket.write(`GET /devices HTTP/1.1\r\nHost: localhost\r\n${line(header)}Connection: close\r\n\r\n`);
    const received = await client.closed();
    return { status: Number(received.slice(9, 12)), retryAfter: Number(/retry-after: (\d+)/i.exec(received)?.[1]) };
  };
  /** Timers of the status stream: its comparison and its comment. */
  const OTHER_TIMERS = 2;
  /** Lets time pass for answers that are held back. */
  const guess = async (rig: RunningConnectorApi) => {
    let isAnswered = false;
    const answer = login(rig, basicOf('home', 'guess')).finally(() => {
      isAnswered = true;
    });
    while (!isAnswered) {
      if (rig.clock.waiting > OTHER_TIMERS) await rig.clock.advance(1_000);
      await settle(1);
    }
    return answer;
  };

  it('10 in a minute refuse the user from that address for a minute, the right password too', async () => {
    const rig = await start();
    for (let count = 0; count < 9; count += 1) expect((await guess(rig)).status).toBe(401);
    // The right one takes the count back.
    expect((await login(rig, rightHeader.basic)).status).toBe(200);
    for (let count = 0; count < 10; count += 1) expect((await guess(rig)).status).toBe(401);
    const refused = await login(rig, rightHeader.basic);
    expect(refused.status).toBe(429);
    expect(refused.retryAfter).toBe(59);
    expect((await login(rig, rightHeader.basic, '127.0.0.2')).status).toBe(200);
    await rig.clock.advance(58_999);
    expect((await login(rig, rightHeader.basic)).status).toBe(429);
    await rig.clock.advance(1);
    expect((await login(rig, rightHeader.basic)).status).toBe(200);
  });

  it('refuse twice as long the next time', async () => {
    const rig = await start();
    const exhaust = async (): Promise<number> => {
      for (let count = 0; count < 10; count += 1) expect((await guess(rig)).status).toBe(401);
      return (await guess(rig)).retryAfter;
    };
    expect(await exhaust()).toBe(59);
    await rig.clock.advance(59_000);
    expect(await exhaust()).toBe(119);
  });

  it('do not count where nothing was sent', async () => {
    const rig = await start();
    for (let count = 0; count < 12; count += 1) expect((await login(rig, undefined)).status).toBe(401);
    expect((await login(rig, rightHeader.basic)).status).toBe(200);
  });

  it('leave a token alone, but are answered a second later from the tenth on', async () => {
    const rig = await RunningConnectorApi.start({ auth: secrets.bearer });
    for (let count = 0; count < 9; count += 1) expect((await login(rig, `Bearer guess-${count}`)).status).toBe(401);
    let isAnswered = false;
    const tenth = login(rig, 'Bearer guess-9').then(({ status }) => {
      isAnswered = true;
      return status;
    });
    await soon(() => expect(rig.clock.waiting).toBe(OTHER_TIMERS + 1));
    expect((await login(rig, rightHeader.bearer)).status).toBe(200);
    await rig.clock.advance(999);
    expect(isAnswered).toBe(false);
    await rig.clock.advance(1);
    expect(await tenth).toBe(401);
  });

  it('of one token over and over refuse that one only', async () => {
    const rig = await RunningConnectorApi.start({ auth: secrets.bearer });
    for (let count = 0; count < 9; count += 1) await login(rig, 'Bearer an-old-one');
    const tenth = login(rig, 'Bearer an-old-one');
    await soon(() => expect(rig.clock.waiting).toBe(OTHER_TIMERS + 1));
    await rig.clock.advance(1_000);
    expect((await tenth).status).toBe(401);
    expect((await login(rig, 'Bearer an-old-one')).status).toBe(429);
    expect((await login(rig, rightHeader.bearer)).status).toBe(200);
  });

  it('whose answers wait get them when the base stops', async () => {
    const rig = await RunningConnectorApi.start({ auth: secrets.bearer });
    for (let count = 0; count < 9; count += 1) await login(rig, `Bearer guess-${count}`);
    const tenth = login(rig, 'Bearer guess-9');
    await soon(() => expect(rig.clock.waiting).toBe(OTHER_TIMERS + 1));
    await rig.api.stop();
    expect((await tenth).status).toBe(401);
    expect(rig.clock.waiting).toBe(0);
  });
});

describe('the rate', () => {
  const statuses = async (rig: RunningConnectorApi, count: number, authorization?: string) => {
    const init = authorization === undefined ? {} : { headers: { authorization } };
    const answers = await Promise.all(Array.from({ length: count }, () => rig.call('/devices', init)));
    return answers.map(({ status }) => status).sort();
  };

  it.each(['none', 'basic', 'bearer'] as const)('is 40 at once and 20 a second, with %s', async (kind) => {
    const rig = await RunningConnectorApi.start({ auth: secrets[kind] });
    const ask = (count: number) => statuses(rig, count, rightHeader[kind]);
    expect(await ask(40)).toEqual(Array(40).fill(200));
    const headers = rightHeader[kind] === undefined ? {} : { authorization: rightHeader[kind] };
    const { status, headers: answered, body } = await rig.call('/devices', { headers });
    expect(status).toBe(429);
    expect(answered.get('retry-after')).toBe('1');
    expect(body).toEqual({ error: expect.stringContaining('20 requests per second (40 at once)') });
    await rig.clock.advance(1_000);
    expect(await ask(21)).toEqual([...Array(20).fill(200), 429]);
  });

  it('of those without the secret leaves who has it alone', async () => {
    const rig = await RunningConnectorApi.start({ auth: secrets.bearer });
    expect(await statuses(rig, 41)).toEqual([...Array(40).fill(401), 429]);
    expect(await statuses(rig, 1, rightHeader.bearer)).toEqual([200]);
  });
});

describe('the Host header', () => {
  const withHost = async (rig: RunningConnectorApi, host: string): Promise<string> => {
    const client = new RawClient(rig.port);
    client.socket.write(`GET /devices HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    return client.closed();
  };

  it('must name this machine where only that is listened on', async () => {
    const rig = await RunningConnectorApi.start();
    for (const host of ['localhost', '127.0.0.1:9090', '[::1]'])
      expect(await withHost(rig, host)).toMatch(/^HTTP\/1\.1 200 /);
    for (const host of ['evil.example', 'localhost.evil.example', '192.168.1.5']) {
      const answer = await withHost(rig, host);
      expect(answer).toMatch(/^HTTP\/1\.1 403 /);
      expect(answer).toContain('{"error":"The Host header names another machine');
    }
  });

  it('may be any where the network is listened on', async () => {
    const rig = await RunningConnectorApi.start({ listen: { host: '0.0.0.0', port: 0 } });
    expect(await withHost(rig, 'base.local')).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('pages of other origins', () => {
  const preflight = (path: string, origin: string) => ({
    path,
    init: {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    },
  });

  it('get no leave where none is configured', async () => {
    const rig = await RunningConnectorApi.start();
    const { path, init } = preflight('/devices/command/board', 'https://a.example');
    const { status, headers } = await rig.call(path, init);
    expect([status, headers.get('allow')]).toEqual([405, 'POST']);
    expect(headers.get('access-control-allow-origin')).toBeNull();
    const read = await rig.call('/devices', { headers: { origin: 'https://a.example' } });
    expect([read.status, read.headers.get('access-control-allow-origin')]).toEqual([200, null]);
  });

  it('get it where they are configured, and ask for it without a secret', async () => {
    const cors = ['https://a.example', 'http://b.example:3000'];
    const rig = await RunningConnectorApi.start({ cors, auth: secrets.bearer });
    for (const origin of cors) {
      const { path, init } = preflight('/devices/command/board', origin);
      const { status, headers } = await rig.call(path, init);
      expect(status).toBe(204);
      expect(headers.get('access-control-allow-origin')).toBe(origin);
      expect(headers.get('access-control-allow-methods')).toBe('GET, POST');
      expect(headers.get('access-control-allow-headers')).toBe('Authorization, Content-Type');
      expect(headers.get('access-control-max-age')).toBe('600');
      expect(headers.get('vary')).toContain('Origin');
      const authorization = rightHeader.bearer;
      const read = await rig.call('/devices', { headers: { origin, authorization } });
      expect([read.status, read.headers.get('access-control-allow-origin')]).toEqual([200, origin]);
      // A page is to see why it was refused.
      const refused = await rig.call('/devices', { headers: { origin } });
      expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, origin]);
      const stream = await head(
        rig,
        'GET',
        '/cloud-connector/status/stream',
        `Origin: ${origin}\r\n${line(authorization)}`,
      );
      expect(stream).toContain(`access-control-allow-origin: ${origin}`);
    }
    const { path, init } = preflight('/devices/command/board', 'https://c.example');
    expect((await rig.call(path, init)).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('may be all', async () => {
    const rig = await RunningConnectorApi.start({ cors: ['*'] });
    const headers = { origin: 'https://any.example' };
    expect((await rig.call('/devices', { headers })).headers.get('access-control-allow-origin')).toBe('*');
    expect((await rig.call('/devices/command/board', { method: 'POST', headers })).status).toBe(200);
  });

  it('command nothing without leave, though browsers send a plain POST without asking', async () => {
    const rig = await RunningConnectorApi.start({ cors: ['https://a.example'] });
    const post = (origin: string) =>
      rig.call('/devices/command/board', {
        method: 'POST',
        headers: { origin, 'content-type': 'text/plain' },
        body: 'on',
      });
    for (const origin of ['https://c.example', 'null', 'http://localhost', `https://127.0.0.1:${rig.port + 1}`]) {
      const { status, body } = await post(origin);
      expect([status, body]).toEqual([403, { error: expect.stringContaining('connector.cors.origins') }]);
    }
    expect(rig.delivered).toEqual([]);
    expect((await post('https://a.example')).status).toBe(200);
    // Of the server itself, as of a page that a user's own proxy serves beside it.
    expect((await post(`http://127.0.0.1:${rig.port}`)).status).toBe(200);
  });
});
