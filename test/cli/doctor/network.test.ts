import { once } from 'node:events';
import { utimesSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { checkClock } from '../../../cli/doctor/clock-check.js';
import { HeardDates } from '../../../cli/doctor/heard-dates.js';
import { networkTrouble } from '../../../cli/doctor/network-trouble.js';
import { checkPusher } from '../../../cli/doctor/pusher-check.js';
import type { System } from '../../../cli/doctor/system.js';
import { checkWebhooks } from '../../../cli/doctor/webhook-check.js';
import { APP, startHub } from '../../base/hub/support/hub-under-test.js';
import { type Certificates, makeCertificates } from '../../base/uplinks/certificates.js';
import { HttpReceiver, type Respond, status } from '../../base/uplinks/http-receiver.js';
import { ManualClock } from '../../support/manual-clock.js';
import { House, namesOf, only } from './support/house.js';

let made: Certificates;
beforeAll(() => {
  made = makeCertificates();
});

const nobody = { hear() {} };
/** Nobody listens there. */
const CLOSED_PORT = 1;

async function receiver(options: Parameters<typeof HttpReceiver.start>[0] = {}): Promise<HttpReceiver> {
  const started = await HttpReceiver.start(options);
  onTestFinished(() => started.stop());
  return started;
}

/** Takes connections and says nothing. */
async function silentPort(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

const own = { host: '127.0.0.1', tls: false, key: APP.key };
const secret = { appId: APP.id, secret: APP.secret };

async function pusherFindings(
  pusher: object,
  given: Partial<System> = {},
  rest: object = {},
  heard = nobody as Pick<HeardDates, 'hear'>,
) {
  return checkPusher(await new House().examine({ pusher, ...rest }, given), heard);
}

test('Pusher: a server that knows the app, and takes the signature', async () => {
  const { port } = await startHub();
  const heard = new HeardDates(new ManualClock(Date.now()));
  const findings = await pusherFindings({ ...own, ...secret, port }, {}, {}, heard);
  expect(findings).toMatchObject([
    { finding: 'pusher-reached', status: 'ok', subject: `ws://127.0.0.1:${port}` },
    { finding: 'pusher-api-answers', status: 'ok' },
  ]);
  expect(heard.all.length).toBeGreaterThan(0);
});

test('Pusher: another key, another secret, another app', async () => {
  const { port } = await startHub();
  const key = await pusherFindings({ ...own, ...secret, port, key: 'another-key' });
  expect(only(key, 'pusher-refused')).toMatchObject({
    status: 'problem',
    cause: expect.stringMatching(/\(4001\): check pusher\.key/),
  });
  const forged = await pusherFindings({ ...own, port, appId: APP.id, secret: 'another-secret' });
  expect(namesOf(forged)).toEqual(['pusher-reached', 'pusher-api-refused']);
  expect(forged[1]!.cause).toBe('answered 401: check pusher.key and pusher.secret');
  expect(JSON.stringify([key, forged])).not.toContain('another-');
  const app = await pusherFindings({ ...own, port, appId: '77', secret: APP.secret });
  expect(only(app, 'pusher-api-refused').cause).toContain('pusher.appId');
});

test('Pusher: an app that is switched off', async () => {
  const { port } = await startHub({ enabled: false });
  const findings = await pusherFindings({ ...own, ...secret, port });
  expect(namesOf(findings)).toEqual(['pusher-refused', 'pusher-api-refused']);
  for (const { cause } of findings) expect(cause).toContain('the app is switched off');
});

test('Pusher: a server that says in a frame why it refuses', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const frame = { event: 'pusher:error', data: { code: 4099, message: `Over\u0007quota of ${APP.key}` } };
  server.on('connection', (socket) => socket.send(JSON.stringify(frame)));
  const { port } = server.address() as { port: number };
  expect(only(await pusherFindings({ ...own, ...secret, port }), 'pusher-refused').cause).toBe(
    'refuses the app (4099): Over·quota of …',
  );
});

test('Pusher: a clock that is off by more than 10 minutes', async () => {
  const late = await receiver({
    respond: (_, response) => void response.writeHead(401).end('{"error":"Timestamp expired: given timestamp is …"}'),
  });
  const findings = await pusherFindings({ ...own, ...secret, port: late.port });
  expect(only(findings, 'pusher-api-refused')).toMatchObject({
    cause: expect.stringContaining('more than 10 minutes off'),
    mend: 'sudo timedatectl set-ntp true',
  });
});

test('Pusher: nobody there, somebody silent, somebody of another protocol', async () => {
  const closed = await pusherFindings({ ...own, ...secret, port: CLOSED_PORT });
  expect(closed).toMatchObject([
    { finding: 'pusher-unreachable', cause: expect.stringContaining('refuses the connection') },
    { finding: 'pusher-api-unreachable', cause: expect.stringContaining('refuses the connection') },
  ]);
  const silent = await pusherFindings({ ...own, ...secret, port: await silentPort() }, { timeoutMs: 200 });
  for (const { cause } of silent) expect(cause).toContain('does not answer within 0.2 s');
  expect(namesOf(silent)).toEqual(['pusher-unreachable', 'pusher-api-unreachable']);
  const other = await receiver({ respond: status(200) });
  expect(namesOf(await pusherFindings({ ...own, ...secret, port: other.port }))[0]).toBe('pusher-unreachable');
});

test('Pusher: a certificate of an authority that is not trusted', async () => {
  const { port } = await startHub({}, { tls: { cert: made.cert, key: made.key } });
  const findings = await pusherFindings({ ...own, ...secret, tls: true, port });
  expect(findings).toMatchObject([
    { finding: 'pusher-certificate', cause: expect.stringContaining('NODE_EXTRA_CA_CERTS') },
    { finding: 'pusher-api-unreachable' },
  ]);
});

test('Pusher: the own hub, while no base runs, is no problem', async () => {
  const house = new House();
  const examination = await house.examine({
    pusher: { ...own, ...secret, port: CLOSED_PORT },
    hub: { listen: `127.0.0.1:${CLOSED_PORT}`, apps: [APP] },
  });
  expect(namesOf(await checkPusher(examination, nobody))).toEqual(['pusher-own-hub']);
  const running = { ...examination, running: { pid: 1 } };
  expect(namesOf(await checkPusher(running, nobody))).toEqual(['pusher-unreachable', 'pusher-api-unreachable']);
});

/** Authorises, or does what is asked instead. */
async function authorisation(respond: Respond) {
  const endpoint = await receiver({ respond });
  const auth = { endpoint: `${endpoint.url}/a-secret-path`, token: 'a-secret-token' };
  const findings = await pusherFindings({ ...own, port: CLOSED_PORT, auth });
  expect(JSON.stringify(findings)).not.toContain('a-secret');
  return { finding: findings.at(-1)!, endpoint };
}

const answering =
  (body: object): Respond =>
  (_, response) =>
    void response.end(JSON.stringify(body));

test('Pusher: an endpoint that authorises, for a connection that is none', async () => {
  const { finding, endpoint } = await authorisation(answering({ auth: `${APP.key}:00` }));
  expect(finding).toMatchObject({ finding: 'pusher-authorised', status: 'ok' });
  expect(endpoint.received).toMatchObject([
    {
      method: 'POST',
      headers: { authorization: 'Bearer a-secret-token' },
      body: 'socket_id=1.1&channel_name=private-requests',
    },
  ]);
});

test.each<[string, Respond, string, RegExp]>([
  ['refuses the token', status(401), 'pusher-auth-refused', /answered 401: check pusher\.auth\.token/],
  ['redirects', status(302, { location: '/login' }), 'pusher-auth-useless', /redirects are not followed/],
  ['fails', status(500), 'pusher-auth-useless', /answered 500/],
  ['answers a page', (_, response) => void response.end('<html>'), 'pusher-auth-useless', /is not JSON/],
  [
    'signs for another app',
    answering({ auth: 'other:00' }),
    'pusher-auth-other-app',
    /another app than that of pusher\.key/,
  ],
  ['breaks off', (_, response) => void response.destroy(), 'pusher-auth-unreachable', /./],
])('Pusher: an endpoint that %s', async (_, respond, name, cause) => {
  const { finding } = await authorisation(respond);
  expect(finding).toMatchObject({ finding: name, status: 'problem', cause: expect.stringMatching(cause) });
});

test('Pusher: an endpoint that signs with another secret, where ours is known', async () => {
  const endpoint = await receiver({ respond: answering({ auth: `${APP.key}:00` }) });
  const auth = { endpoint: endpoint.url, token: 'token' };
  const findings = await pusherFindings({ ...own, ...secret, port: CLOSED_PORT, auth });
  expect(only(findings, 'pusher-auth-other-app').cause).toContain('pusher.secret');
});

test('Pusher: nothing configured, and nothing known', async () => {
  expect(namesOf(await checkPusher(await new House().examine({}), nobody))).toEqual(['not-configured']);
  const broken = await new House().examine({ pusher: { key: 5 }, http: {} });
  expect(namesOf(await checkPusher(broken, nobody))).toEqual(['needs-configuration']);
});

async function webhookFindings(webhook: object, given: Partial<System> = {}, house = new House()) {
  const webhooks = [{ secret: 'hush', ...webhook }];
  return (await checkWebhooks(await house.examine({ webhooks }, given), nobody))[0]!;
}

test('webhooks: one that is there, asked by HEAD without a secret', async () => {
  const there = await receiver({ respond: status(405) });
  const finding = await webhookFindings({ url: `${there.url}/hook/a-secret-path` });
  expect(finding).toMatchObject({ finding: 'webhook-reached', subject: `webhooks[0].url (${there.url})` });
  expect(finding.cause).toBe('it answered 405 to HEAD; no event was sent');
  expect(there.received).toMatchObject([{ method: 'HEAD', path: '/hook/a-secret-path', body: '' }]);
  expect(Object.keys(there.received[0]!.headers).sort()).toEqual(['connection', 'host']);
});

test.each([
  [301, 'webhook-redirects'],
  [399, 'webhook-redirects'],
  [499, 'webhook-reached'],
  [500, 'webhook-failing'],
])('webhooks: one that answers %i', async (code, name) => {
  const there = await receiver({ respond: status(code) });
  expect(await webhookFindings({ url: there.url })).toMatchObject({ finding: name });
});

test('webhooks: an authority that is not trusted, and one that is', async () => {
  const there = await receiver({ tls: { cert: made.cert, key: made.key } });
  const house = new House();
  expect(await webhookFindings({ url: there.url })).toMatchObject({
    finding: 'webhook-certificate',
    cause: expect.stringContaining('write the file of a private authority into webhooks[0].ca'),
  });
  house.write('stranger.pem', made.strangerCa);
  house.write('ca.pem', made.ca);
  expect(await webhookFindings({ url: there.url, ca: 'stranger.pem' }, {}, house)).toMatchObject({
    finding: 'webhook-certificate',
    cause: expect.stringContaining('trusted is only what webhooks[0].ca names'),
  });
  expect(await webhookFindings({ url: there.url, ca: 'ca.pem' }, {}, house)).toMatchObject({
    finding: 'webhook-reached',
    cause: expect.stringContaining('its certificate is trusted'),
  });
  expect(there.received.length).toBe(1);
  const late = await receiver({ tls: { cert: made.expired, key: made.key } });
  expect(await webhookFindings({ url: late.url, ca: 'ca.pem' }, {}, house)).toMatchObject({
    finding: 'webhook-certificate',
    cause: expect.stringContaining('expired'),
  });
});

test('webhooks: a name without an address, and one that leads to a private one', async () => {
  const there = await receiver();
  const url = `http://hook.example:${there.port}`;
  const notFound = Object.assign(new Error('no'), { code: 'ENOTFOUND' });
  const none = await webhookFindings({ url, allowHttp: true }, { resolve: () => Promise.reject(notFound) });
  expect(none).toMatchObject({ finding: 'webhook-name-unknown', mend: 'getent hosts hook.example' });
  const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
  const inner = await webhookFindings({ url, allowHttp: true }, { resolve });
  expect(inner).toMatchObject({
    finding: 'webhook-private',
    cause: expect.stringContaining('webhooks[0].allowPrivate'),
  });
  expect(there.received).toEqual([]);
  const meant = await webhookFindings({ url, allowHttp: true, allowPrivate: true }, { resolve });
  expect(meant).toMatchObject({ finding: 'webhook-reached' });
  const never = await webhookFindings(
    { url, allowHttp: true },
    { resolve: () => new Promise(() => {}), timeoutMs: 100 },
  );
  expect(never).toMatchObject({ finding: 'webhook-name-unknown', cause: expect.stringContaining('within 0.1 s') });
});

test('webhooks: nobody there, somebody silent, somebody without TLS', async () => {
  expect(await webhookFindings({ url: `http://127.0.0.1:${CLOSED_PORT}` })).toMatchObject({
    finding: 'webhook-unreachable',
  });
  const silent = await webhookFindings({ url: `http://127.0.0.1:${await silentPort()}` }, { timeoutMs: 200 });
  expect(silent).toMatchObject({ finding: 'webhook-unreachable', cause: expect.stringContaining('within 0.2 s') });
  const plain = await receiver();
  expect(await webhookFindings({ url: `https://127.0.0.1:${plain.port}` })).toMatchObject({
    finding: 'webhook-unreachable',
    cause: expect.stringContaining('does not speak TLS'),
  });
});

test("webhooks: the central's, the hub's and the original dashboard's too", async () => {
  const there = await receiver();
  const heard = new HeardDates(new ManualClock(Date.now()));
  const central = { key: '0'.repeat(32), webhooks: { request: `${there.url}/r`, telemetry: `${there.url}/t` } };
  const examination = await new House().examine({
    iotsocket: { tcp: '127.0.0.1:0', central },
    hub: { apps: [{ ...APP, webhooks: [{ url: `${there.url}/h` }] }] },
  });
  const findings = await checkWebhooks(examination, heard);
  expect(findings.map(({ subject }) => subject.split(' ')[0])).toEqual([
    'iotsocket.central.webhooks.request',
    'iotsocket.central.webhooks.telemetry',
    'hub.apps[0].webhooks[0].url',
  ]);
  expect(there.received.map(({ path }) => path).sort()).toEqual(['/h', '/r', '/t']);
  expect(heard.all.length).toBe(3);
  const dashboard = await new House().examine({
    clients: [],
    api: { url: there.url, token: 'hush' },
    pusher: { 'app-key': 'k', cluster: 'eu' },
  });
  expect(await checkWebhooks(dashboard, nobody)).toMatchObject([
    { finding: 'webhook-reached', subject: `api.url (${there.url})` },
  ]);
  expect(namesOf(await checkWebhooks(await new House().examine({}), nobody))).toEqual(['not-configured']);
  const half = await new House().examine({
    webhooks: [{ url: 'nowhere' }],
    hub: { apps: [{ ...APP, webhooks: [{ url: there.url }] }] },
  });
  expect(namesOf(await checkWebhooks(half, nobody))).toEqual(['needs-configuration', 'webhook-reached']);
});

const ntp =
  (answer: string): System['run'] =>
  async (program) =>
    program === 'timedatectl' ? { exitCode: 0, output: `NTPSynchronized=${answer}\n` } : undefined;

const NOW = Date.UTC(2026, 10, 26);

async function clockFinding(given: Partial<System>, aheadMs: readonly number[] = [], house = new House()) {
  const clock = new ManualClock(NOW);
  const heard = { all: aheadMs.map((ahead) => ({ from: 'hook.example', aheadMs: ahead })) };
  return (await checkClock(await house.examine({}, { clock, ...given }), heard, Promise.resolve()))[0]!;
}

test('clock: kept right, not kept right, and nobody to ask', async () => {
  expect(await clockFinding({ run: ntp('yes') }, [9_999_999])).toMatchObject({ finding: 'clock-right', status: 'ok' });
  expect(await clockFinding({ run: ntp('no') })).toMatchObject({ finding: 'clock-unsynchronised', status: 'warning' });
  expect(await clockFinding({})).toMatchObject({ finding: 'clock-unknown', status: 'skipped' });
});

test.each([
  [60_000, 'clock-right'],
  [-60_000, 'clock-right'],
  [60_001, 'clock-off'],
  [-60_001, 'clock-off'],
])('clock: %i ms ahead of a server', async (aheadMs, name) => {
  expect(await clockFinding({}, [5, aheadMs])).toMatchObject({ finding: name });
});

test('clock: the year, and the moment the store was last written', async () => {
  for (const year of [1970, 2025, 2100])
    expect(await clockFinding({ clock: new ManualClock(Date.UTC(year, 5)) })).toMatchObject({ finding: 'clock-year' });
  const house = new House();
  const store = house.write('.baseunit/baseunit.db', '');
  const written = (at: number) => utimesSync(store, at / 1_000, at / 1_000);
  written(NOW + 60_000);
  expect(await clockFinding({ run: ntp('yes') }, [], house)).toMatchObject({ finding: 'clock-right' });
  written(NOW + 61_000);
  expect(await clockFinding({ run: ntp('yes') }, [], house)).toMatchObject({
    finding: 'clock-behind-store',
    status: 'problem',
  });
});

test('clock: what servers say is waited for', async () => {
  const heard = new HeardDates(new ManualClock(NOW));
  let hasHeard = (): void => {};
  const whenHeard = new Promise<void>((resolve) => {
    hasHeard = resolve;
  });
  const looking = checkClock(await new House().examine({}, { clock: new ManualClock(NOW) }), heard, whenHeard);
  heard.hear('a.example', 'no date');
  heard.hear('b.example', new Date(NOW - 3_600_000).toUTCString());
  hasHeard();
  expect(await looking).toMatchObject([{ finding: 'clock-off', cause: 'is 3600 s ahead of that of b.example' }]);
});

test('what the network says is told in words, whoever wrapped it', () => {
  const of = (error: unknown) => networkTrouble(error, 5_000);
  const coded = (code: string) => Object.assign(new Error('x'), { code });
  expect(of(new Error('fetch failed', { cause: coded('ECONNREFUSED') })).what).toContain('refuses');
  expect(
    of(Object.assign(new AggregateError([coded('EHOSTUNREACH'), coded('ENETUNREACH')]), { code: 'x' })).what,
  ).toContain('no way to it');
  expect(of(coded('EAI_AGAIN')).kind).toBe('name');
  expect(of(coded('CERT_NOT_YET_VALID')).kind).toBe('certificate');
  expect(of(coded('UND_ERR_CONNECT_TIMEOUT')).what).toBe('does not answer within 5 s');
  expect(of(new Error('a\u001b[31m line')).what).not.toContain('\u001b');
});
