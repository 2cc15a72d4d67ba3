import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Journal } from '../../../base/core/journal.js';
import type { Report } from '../../../base/core/messages.js';
import type { Told } from '../../../base/core/outboxes.js';
import type { Resolve } from '../../../base/links/guarded-lookup.js';
import { verifyWebhook } from '../../../base/uplinks/webhooks/standard-webhook.js';
import type { LegacyWebhookOptions, WebhookOptions } from '../../../base/uplinks/webhooks/webhook-options.js';
import { MAX_LEGACY_PER_UNIT, WebhooksUplink } from '../../../base/uplinks/webhooks/webhooks-uplink.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';
import { openTestStore, type TestStore, temporaryStoreFile } from '../../support/test-store.js';
import { makeCertificates } from './certificates.js';
import { fixedRandom } from './fixed-random.js';
import { HttpReceiver, status } from './http-receiver.js';
import { LocalBus, outcome, presence, report, request, response } from './local-bus.js';
import { soon } from './soon.js';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const certificates = makeCertificates();
const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function receive(options: Parameters<typeof HttpReceiver.start>[0] = {}): Promise<HttpReceiver> {
  const receiver = await HttpReceiver.start(options);
  cleanUps.push(() => receiver.stop());
  return receiver;
}

const receiveTls = (cert = certificates.cert): Promise<HttpReceiver> =>
  receive({ tls: { key: certificates.key, cert } });

async function run(
  webhooks: readonly WebhookOptions[],
  legacy?: LegacyWebhookOptions,
  resolve?: Resolve,
  given?: TestStore,
) {
  const clock = new ManualClock(Date.UTC(2026, 5, 1));
  const log = new QuietLog();
  const bus = new LocalBus();
  const store = given ?? (await openTestStore());
  const { engine, outboxes } = store;
  cleanUps.push(() => store.end());
  const journal = new Journal(bus, engine.store, outboxes);
  const uplink = new WebhooksUplink({ webhooks, legacy, resolve });
  cleanUps.push(() => uplink.stop());
  const command = () => Promise.reject(new Error('no webhook commands anything'));
  const queue = (name: string) => engine.queue(name);
  await uplink.start({ bus, outboxes, queue, command, clock, random: fixedRandom(), log });
  /** All that happened, one after the other. */
  const tell = async (...messages: readonly Told[]): Promise<void> => {
    for (const message of messages) await journal.record(message, []);
  };
  const statuses = () => uplink.outboxes.map(({ status }) => status);
  return { clock, log, bus, store, uplink, tell, statuses };
}

const all = ['report', 'presence', 'outcome'] as const;
const reports = (unit: string, from: number, to: number): Report[] =>
  Array.from({ length: to - from + 1 }, (_, index) => report(unit, from + index));

describe('typed webhooks', () => {
  it('reach an HTTPS receiver whose certificate its own authority signed, with a valid signature', async () => {
    const receiver = await receiveTls();
    const { clock, tell } = await run([{ url: `${receiver.url}/hook?a=1`, secret, events: all, ca: certificates.ca }]);
    await tell(report('thermometer', 42, { temperature: 21.5 }));
    const [got] = await soon(() => {
      expect(receiver.received.length).toBe(1);
      return receiver.received;
    });
    expect(got).toMatchObject({ method: 'POST', path: '/hook?a=1' });
    expect(got!.headers).toMatchObject({ 'webhook-id': 'thermometer/7/42', 'content-type': 'application/json' });
    expect(got!.headers['webhook-timestamp']).toBe(String(clock.now() / 1_000));
    expect(verifyWebhook(secret, got!.headers, got!.body, clock.now())).toEqual({ isValid: true });
    const { kind: _kind, ...data } = report('thermometer', 42, { temperature: 21.5 });
    expect(JSON.parse(got!.body)).toEqual({ type: 'report', timestamp: '2026-01-01T00:00:00.000Z', data });
  });

  it('carry what objects ask, under its own id, and what they are answered', async () => {
    const receiver = await receive();
    const { tell } = await run([{ url: receiver.url, secret, events: ['request', 'response'] }]);
    await tell(report('u', 1));
    await tell(request('board', 'time?'));
    await tell(response('board'));
    await soon(() => expect(receiver.received.length).toBe(2));
    const [asked, answered] = receiver.received.map(({ headers, body }) => [headers['webhook-id'], JSON.parse(body)]);
    const timestamp = '2026-01-01T00:00:00.000Z';
    const { kind: _kind, ...data } = request('board', 'time?');
    expect(asked).toEqual(['board/5/r/1', { type: 'request', timestamp, data }]);
    expect(answered).toEqual([
      expect.stringMatching(/^response_[0-9a-f]{32}$/),
      { type: 'response', timestamp, data: expect.objectContaining({ id: 'board/5/r/1', code: 0 }) },
    ]);
  });

  it('say which kinds they want, so that others need not be made', async () => {
    const receiver = await receive();
    const { store } = await run([{ url: receiver.url, secret, events: ['outcome'] }]);
    const kinds = ['report', 'request', 'response', 'presence', 'outcome'] as const;
    expect(kinds.filter((kind) => store.outboxes.wants(kind))).toEqual(['outcome']);
  });

  it('carry only the events asked for', async () => {
    const receiver = await receive();
    const { tell } = await run([{ url: receiver.url, secret, events: ['outcome'] }]);
    await tell(report('u', 1));
    await tell(presence('u'));
    await tell(outcome('c1'));
    await soon(() => expect(receiver.received.map(({ body }) => JSON.parse(body).type)).toEqual(['outcome']));
  });

  it('keep their id and sign anew over attempts; ids of outcomes and presence are unique', async () => {
    const receiver = await receive({ respond: status(503) });
    const { clock, tell } = await run([{ url: receiver.url, secret, events: all }]);
    await tell(outcome('c1'));
    await soon(() => expect(receiver.received.length).toBe(1));
    receiver.respond = status(204);
    await settle();
    await soon(async () => {
      await clock.advance(1_000);
      expect(receiver.received.length).toBe(2);
    });
    const [first, second] = receiver.received.map(({ headers }) => headers);
    expect(second!['webhook-id']).toBe(first!['webhook-id']);
    expect(second!['webhook-timestamp']).not.toBe(first!['webhook-timestamp']);
    expect(verifyWebhook(secret, second!, receiver.received[1]!.body, clock.now()).isValid).toBe(true);
    await tell(outcome('c1'));
    await tell(presence('lamp'));
    await soon(() => expect(receiver.received.length).toBe(4));
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(3);
  });

  it.each([
    ['another authority', () => certificates.cert, () => certificates.strangerCa],
    ['the public authorities', () => certificates.cert, () => undefined],
    ['a certificate whose time is over', () => certificates.expired, () => certificates.ca],
  ])('go to nobody behind %s', async (_, cert, ca) => {
    const receiver = await receiveTls(cert());
    const { log, tell, statuses } = await run([{ url: receiver.url, secret, events: all, ca: ca() }]);
    await tell(report('u', 1));
    await soon(() => expect(log.lines.length).toBe(1));
    expect(String(log.lines[0]!.fields.reason)).toMatch(/CERT|certificate/i);
    expect(receiver.received).toEqual([]);
    expect(statuses()).toMatchObject([{ state: 'failing', waiting: 1 }]);
  });

  it.each([301, 302, 303, 307, 308])('do not follow a redirect to a private address (%i)', async (code) => {
    const inside = await receive();
    const receiver = await receive({ respond: status(code, { location: inside.url }) });
    const { log, tell } = await run([{ url: receiver.url, secret, events: all }]);
    await tell(report('u', 1));
    await soon(() =>
      expect(log.lines.map(({ fields }) => fields.reason)).toEqual([
        `answered ${code}, and redirects are not followed`,
      ]),
    );
    expect(inside.received).toEqual([]);
  });

  it('carry two signatures while the secret is changed, the new one first', async () => {
    const receiver = await receive();
    const next = 'the next secret';
    const { clock, tell } = await run([{ url: receiver.url, secret: next, previousSecret: secret, events: all }]);
    await tell(report('u', 1));
    await soon(() => expect(receiver.received.length).toBe(1));
    const { headers, body } = receiver.received[0]!;
    const signatures = String(headers['webhook-signature']).split(' ');
    const isBy = (one: string, by: string): boolean =>
      verifyWebhook(by, { ...headers, 'webhook-signature': one }, body, clock.now()).isValid;
    expect(signatures.map((one) => [isBy(one, next), isBy(one, secret)])).toEqual([
      [true, false],
      [false, true],
    ]);
    for (const known of [next, secret, [next, secret]])
      expect(verifyWebhook(known, headers, body, clock.now())).toEqual({ isValid: true });
  });

  it('end at 15 s without a complete answer, and one receiver does not hold another up', async () => {
    const silent = await receive({ respond: () => {} });
    const healthy = await receive();
    const events = ['report'] as const;
    const { clock, log, tell, statuses } = await run([
      { url: silent.url, secret, events },
      { url: healthy.url, secret, events },
    ]);
    await tell(...reports('u', 1, 20));
    await soon(() => expect(healthy.received.length).toBe(20));
    expect(healthy.received.map(({ headers }) => headers['webhook-id'])).toEqual(
      Array.from({ length: 20 }, (_, index) => `u/7/${index + 1}`),
    );
    expect(silent.received.length).toBe(1);
    await clock.advance(14_999);
    expect(log.lines).toEqual([]);
    await clock.advance(1);
    await soon(() => expect(log.lines.map(({ fields }) => fields.reason)).toEqual(['no complete answer within 15 s']));
    expect(statuses()).toMatchObject([
      { state: 'failing', waiting: 20 },
      { state: 'working', waiting: 0 },
    ]);
  });

  it('give up on a receiver that accepts and never ends the handshake', async () => {
    const mute = createServer((socket) => {
      socket.on('error', () => {});
      cleanUps.push(async () => socket.destroy());
    });
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    cleanUps.push(() => new Promise((resolve) => mute.close(resolve)));
    const { port } = mute.address() as { port: number };
    const { log, tell } = await run([{ url: `https://127.0.0.1:${port}`, secret, events: all, ca: certificates.ca }]);
    await tell(report('u', 1));
    await soon(() => expect(String(log.lines[0]?.fields.reason)).toMatch(/CONNECT_TIMEOUT/));
  });

  it('take a success whose answer never ends for a success, and read no more than 64 KiB of it', async () => {
    let written = 0;
    let isClosed = false;
    const receiver = await receive({
      respond: (_, response) => {
        const chunk = Buffer.alloc(65_536);
        const more = (): void => {
          while (!response.destroyed && response.write(chunk)) written += chunk.length;
          written += chunk.length;
        };
        response.on('drain', more);
        response.on('close', () => {
          isClosed = true;
        });
        more();
      },
    });
    const { tell, statuses } = await run([{ url: receiver.url, secret, events: all }]);
    await tell(report('u', 1));
    await soon(() => expect([statuses()[0]!.delivered, isClosed]).toEqual([1, true]));
    expect(written).toBeLessThan(32 * 1024 * 1024);
  });

  it('honour Retry-After in seconds and as a date, and end at 410', async () => {
    const receiver = await receive({ respond: status(429, { 'retry-after': '100' }) });
    const { clock, tell, statuses } = await run([{ url: receiver.url, secret, events: all }]);
    await tell(report('u', 1));
    await soon(() => expect(statuses()[0]!.state).toBe('failing'));
    receiver.respond = status(503, { 'retry-after': new Date(clock.now() + 300_000).toUTCString() });
    await clock.advance(99_999);
    expect(receiver.received.length).toBe(1);
    await clock.advance(1);
    await soon(() => expect(receiver.received.length).toBe(2));
    await settle();
    receiver.respond = status(410);
    await soon(async () => {
      await clock.advance(100_000);
      expect(receiver.received.length).toBe(3);
    });
    expect(clock.monotonic()).toBeGreaterThanOrEqual(300_000);
    await soon(() => expect(statuses()[0]!.state).toBe('disabled'));
  });

  it.each([
    ['http://192.168.1.5/hook', 'plain http'],
    ['ftp://127.0.0.1/', 'https://'],
    ['nonsense', 'https://'],
    ['https://user:pass@example.org/', 'password'],
  ])('to %s are refused at the start', async (url, words) => {
    await expect(run([{ url, secret, events: all }])).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining(words),
    });
  });

  it('to another machine in plain http are possible where allowHttp says so; an empty secret is not', async () => {
    const { statuses } = await run([{ url: 'http://192.0.2.1/', secret, events: all, allowHttp: true }]);
    expect(statuses().length).toBe(1);
    await expect(run([{ url: 'https://example.org', secret: '', events: all }])).rejects.toMatchObject({
      code: 'config-invalid',
    });
    const previous = { url: 'https://example.org', secret, previousSecret: 'whsec_', events: all };
    await expect(run([previous])).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('webhooks[0].previousSecret is empty'),
    });
  });

  it('leave nothing behind when stopped, twice', async () => {
    const receiver = await receive({ respond: () => {} });
    const { bus, clock, uplink, tell } = await run([{ url: receiver.url, secret, events: all }]);
    await tell(report('u', 1));
    await soon(() => expect(receiver.received.length).toBe(1));
    const stopping = uplink.stop();
    await clock.advance(2_000);
    await stopping;
    await uplink.stop();
    expect([bus.hearers, clock.waiting]).toEqual([0, 0]);
  });
});

describe('the queues of webhooks', () => {
  const events = all;
  const queuesOf = (...urls: string[]): readonly string[] =>
    new WebhooksUplink({ webhooks: urls.map((url) => ({ url, secret, events })) }).queues;

  it('belong to their url, wherever it stands in the configuration, and tell nothing of it', () => {
    const [a, b] = ['https://example.org/a?token=hush', 'https://example.org/b'];
    const [first, second] = queuesOf(a, b);
    expect(queuesOf(b, a)).toEqual([second, first]);
    expect(queuesOf('https://example.org/c', a)[1]).toBe(first);
    for (const name of [first, second]) expect(name).toMatch(/^webhook-[0-9a-f]{12}$/);
    expect(first).not.toBe(second);
  });

  it('are different for two webhooks with the same url, and the original dashboard has its own', () => {
    const url = 'https://example.org/a';
    const [first, ...others] = queuesOf(url, 'https://example.org/b', url, url);
    expect(others.slice(1)).toEqual([`${first}-2`, `${first}-3`]);
    const legacy = { url, token: 't', addressOf: () => undefined };
    expect(new WebhooksUplink({ webhooks: [{ url, secret, events }], legacy }).queues).toEqual([first, 'dashboard']);
    expect(new WebhooksUplink({}).queues).toEqual([]);
  });

  it('have one id and one body of a message, whatever its kind, also for two with the same url', async () => {
    const [one, other] = [await receive(), await receive()];
    const { tell, uplink } = await run([one, one, other].map(({ url }) => ({ url, secret, events })));
    await tell(report('u', 1), outcome('c1', 'u'), presence('u'));
    await soon(() => expect([one.received.length, other.received.length]).toEqual([6, 3]));
    const told = [...one.received, ...other.received].map(({ headers, body }) => `${headers['webhook-id']} ${body}`);
    expect(new Set(told).size).toBe(3);
    for (const each of new Set(told)) expect(told.filter((text) => text === each).length).toBe(3);
    expect(new Set(uplink.outboxes.map(({ name }) => name)).size).toBe(3);
    expect(uplink.outboxes.map(({ name }) => name)).toEqual(uplink.queues);
  });

  it('keep what waits over a restart: the same id, the same body, signed anew, and each receiver its own', async () => {
    const [file, remove] = temporaryStoreFile();
    cleanUps.push(async () => remove());
    const [healthy, away] = [await receive(), await receive({ respond: status(503) })];
    const dashboard = await receive({ respond: status(503) });
    const legacy = { url: dashboard.url, token: 't0ken', addressOf: () => '192.168.1.10' };
    const webhooks = [healthy, away].map(({ url }) => ({ url, secret, events }));
    const first = await run(webhooks, legacy, undefined, await openTestStore(file));
    await first.tell(report('u', 1), report('u', 2));
    await soon(() => expect(first.statuses().map(({ state }) => state)).toEqual(['working', 'failing', 'failing']));
    await soon(() => expect(healthy.received.length).toBe(2));
    await first.uplink.stop();
    await first.store.end();
    const [attempted] = away.received.splice(0);
    dashboard.received.length = 0;
    for (const receiver of [away, dashboard]) receiver.respond = status(204);

    const next = await run([...webhooks].reverse(), legacy, undefined, await openTestStore(file));
    expect(next.statuses().map(({ waiting }) => waiting)).toEqual([2, 0, 2]);
    await next.clock.advance(5_000);
    await soon(() => expect([away.received.length, dashboard.received.length]).toEqual([2, 2]));
    expect(away.received.map(({ headers }) => headers['webhook-id'])).toEqual(['u/7/1', 'u/7/2']);
    expect(away.received[0]!.body).toBe(attempted!.body);
    expect(away.received[0]!.headers['webhook-timestamp']).not.toBe(attempted!.headers['webhook-timestamp']);
    for (const { headers, body } of away.received)
      expect(verifyWebhook(secret, headers, body, next.clock.now())).toEqual({ isValid: true });
    expect(dashboard.received.map(({ path }) => path.split('/').at(-1))).toEqual(['1', '2']);
    expect(healthy.received.length).toBe(2);
  });

  it('get nothing of what could not be stored, and go on when it can', async () => {
    const receiver = await receive();
    const { store, tell } = await run([{ url: receiver.url, secret, events }]);
    store.disk.isFull = true;
    await expect(tell(report('u', 1))).rejects.toMatchObject({ code: 'store-failed' });
    store.disk.isFull = false;
    await tell(report('u', 2));
    await soon(() => expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual(['u/7/2']));
  });

  it('hear nothing any more once stopped', async () => {
    const receiver = await receive();
    const { store, tell, uplink } = await run([{ url: receiver.url, secret, events }]);
    await uplink.stop();
    await tell(report('u', 1));
    expect((await store.engine.queue(uplink.queues[0]!).load()).entries).toEqual([]);
  });
});

describe('a webhook to a host name', () => {
  /** Every name is that address; counts how often it was asked. */
  function namesAre(address: string) {
    const asked: string[] = [];
    const resolve: Resolve = async (hostname) => {
      asked.push(hostname);
      return [{ address, family: 4 }];
    };
    return { asked, resolve };
  }

  const named = (receiver: HttpReceiver, host: string): string => receiver.url.replace('127.0.0.1', host);

  it('that resolves to a private address goes nowhere, and the log says what to do', async () => {
    const receiver = await receive();
    const { resolve, asked } = namesAre('127.0.0.1');
    const other = { url: 'http://127.0.0.1:1/', secret, events: [] };
    const url = named(receiver, 'hook.example');
    const { log, tell, statuses } = await run(
      [other, { url, secret, events: all, allowHttp: true, allowPrivate: false }],
      undefined,
      resolve,
    );
    await tell(report('u', 1));
    await soon(() =>
      expect(log.lines.map(({ fields }) => fields.reason)).toEqual([
        'hook.example resolves to 127.0.0.1, a private address; set webhooks[1].allowPrivate if that is meant',
      ]),
    );
    expect([receiver.received, asked]).toEqual([[], ['hook.example']]);
    expect(statuses()[1]).toMatchObject({ state: 'failing', waiting: 1 });
  });

  it('may be private where allowPrivate says so; its name is resolved once for each connection', async () => {
    const connections = new Set<number | undefined>();
    const receiver = await receive({
      respond: (_, response) => {
        connections.add(response.socket?.remotePort);
        response.end();
      },
    });
    const { resolve, asked } = namesAre('127.0.0.1');
    const url = named(receiver, 'hook.example');
    const { tell } = await run([{ url, secret, events: all, allowHttp: true, allowPrivate: true }], undefined, resolve);
    await tell(...reports('u', 1, 10));
    await soon(() => expect(receiver.received.length).toBe(10));
    expect(receiver.received[0]!.headers.host).toBe(`hook.example:${receiver.port}`);
    expect(asked).toEqual(Array.from(connections, () => 'hook.example'));
    expect(asked.length).toBeLessThan(10);
  });

  it.each(['127.0.0.1', 'localhost'])('%s is reached as written, over TLS with its certificate', async (host) => {
    const receiver = await receiveTls();
    const { resolve, asked } = namesAre('127.0.0.1');
    const url = named(receiver, host);
    const { tell } = await run([{ url, secret, events: all, ca: certificates.ca }], undefined, resolve);
    await tell(report('u', 1));
    await soon(() => expect(receiver.received.length).toBe(1));
    expect(asked).toEqual(host === 'localhost' ? ['localhost'] : []);
  });

  it('whose certificate is for another name is not trusted, whatever it resolves to', async () => {
    const receiver = await receiveTls();
    const url = named(receiver, 'hook.example');
    const { resolve } = namesAre('127.0.0.1');
    const webhook = { url, secret, events: all, ca: certificates.ca, allowPrivate: true };
    const { log, tell } = await run([webhook], undefined, resolve);
    await tell(report('u', 1));
    await soon(() => expect(String(log.lines[0]?.fields.reason)).toContain('ERR_TLS_CERT_ALTNAME_INVALID'));
    expect(receiver.received).toEqual([]);
  });
});

describe('the original dashboard', () => {
  const legacyOf = (url: string): LegacyWebhookOptions => ({
    url,
    token: 't0ken',
    addressOf: (unit) => (unit === 'hall-light' ? '192.168.1.10:8888' : undefined),
  });

  it('gets each reading of a line read unit as the original put it, escaped, and nothing of other units', async () => {
    const receiver = await receive();
    const { log, tell } = await run([], legacyOf(`${receiver.url}/base/`));
    await tell(report('thermometer', 1));
    for (const [index, level] of [512, 'a b', '../../x', '%2e%2e', '../../x'].entries())
      await tell(report('hall-light', index + 1, { level }));
    await soon(() => expect(receiver.received.length).toBe(3));
    expect(receiver.received.map(({ path }) => path)).toEqual(
      ['512', 'a%20b', '%252e%252e'].map((value) => `/base/webhook/update-unit/192.168.1.10/${value}`),
    );
    expect(receiver.received[0]).toMatchObject({ method: 'PUT', body: '', headers: { authorization: 'Bearer t0ken' } });
    expect(log.lines.map(({ fields }) => fields.unit)).toEqual(['hall-light']);
  });

  it('gets the newest when it was away: 16 of a unit wait', async () => {
    const receiver = await receive({ respond: status(500) });
    const { clock, tell, statuses } = await run([], legacyOf(receiver.url));
    await tell(report('hall-light', 1));
    await soon(() => expect(receiver.received.length).toBe(1));
    await soon(() => expect(statuses()[0]!.state).toBe('failing'));
    await tell(...reports('hall-light', 2, MAX_LEGACY_PER_UNIT));
    expect(statuses()[0]!.refused).toBe(0);
    await tell(report('hall-light', MAX_LEGACY_PER_UNIT + 1));
    receiver.respond = status(200);
    expect(statuses()[0]!.refused).toBe(1);
    await soon(async () => {
      await clock.advance(5_000);
      expect(statuses()[0]!.waiting).toBe(0);
    });
    const values = receiver.received.slice(-15).map(({ path }) => path.split('/').at(-1));
    expect(values).toEqual(Array.from({ length: 15 }, (_, index) => String(index + 3)));
  });

  it('may be at any address: its name is left to the system', async () => {
    const receiver = await receive();
    const neverAsked: Resolve = () => Promise.reject(new Error('asked'));
    const { tell } = await run([], legacyOf(receiver.url.replace('127.0.0.1', 'localhost')), neverAsked);
    await tell(report('hall-light', 1));
    await soon(() => expect(receiver.received.length).toBe(1));
  });

  it('that does not know a unit holds nothing up', async () => {
    const receiver = await receive({ respond: status(404) });
    const { log, tell, statuses } = await run([], legacyOf(receiver.url));
    await tell(...reports('hall-light', 1, 3));
    await soon(() => expect(statuses()[0]).toMatchObject({ waiting: 0, dead: 3, state: 'working' }));
    expect(log.lines.length).toBe(1);
  });

  it('needs https to another machine, and a token that fits a header', async () => {
    const refused = { code: 'config-invalid' };
    await expect(run([], { ...legacyOf('http://192.168.1.5'), token: 't' })).rejects.toMatchObject(refused);
    await expect(run([], { ...legacyOf('https://example.org'), token: 'a\r\nb' })).rejects.toMatchObject(refused);
    await expect(run([], legacyOf('https://example.org/?x'))).rejects.toMatchObject(refused);
  });
});
