import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { verifyWebhook } from '../../../base/uplinks/webhooks/standard-webhook.js';
import type { LegacyWebhookOptions, WebhookOptions } from '../../../base/uplinks/webhooks/webhook-options.js';
import { MAX_LEGACY_PER_UNIT, WebhooksUplink } from '../../../base/uplinks/webhooks/webhooks-uplink.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';
import { makeCertificates } from './certificates.js';
import { fixedRandom } from './fixed-random.js';
import { HttpReceiver, status } from './http-receiver.js';
import { LocalBus, outcome, presence, report } from './local-bus.js';
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

async function run(webhooks: readonly WebhookOptions[], legacy?: LegacyWebhookOptions) {
  const clock = new ManualClock(Date.UTC(2026, 5, 1));
  const log = new QuietLog();
  const bus = new LocalBus();
  const uplink = new WebhooksUplink({ webhooks, legacy });
  cleanUps.push(() => uplink.stop());
  const command = () => Promise.reject(new Error('no webhook commands anything'));
  await uplink.start({ bus, command, clock, random: fixedRandom(), log });
  return { clock, log, bus, uplink };
}

const all = ['report', 'presence', 'outcome'] as const;

describe('typed webhooks', () => {
  it('reach an HTTPS receiver whose certificate its own authority signed, with a valid signature', async () => {
    const receiver = await receiveTls();
    const { bus, clock } = await run([{ url: `${receiver.url}/hook?a=1`, secret, events: all, ca: certificates.ca }]);
    bus.publish(report('thermometer', 42, { temperature: 21.5 }));
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

  it('carry only the events asked for', async () => {
    const receiver = await receive();
    const { bus } = await run([{ url: receiver.url, secret, events: ['outcome'] }]);
    bus.publish(report('u', 1));
    bus.publish(presence('u'));
    bus.publish(outcome('c1'));
    await soon(() => expect(receiver.received.map(({ body }) => JSON.parse(body).type)).toEqual(['outcome']));
  });

  it('keep their id and sign anew over attempts; ids of outcomes and presence are unique', async () => {
    const receiver = await receive({ respond: status(503) });
    const { bus, clock } = await run([{ url: receiver.url, secret, events: all }]);
    bus.publish(outcome('c1'));
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
    bus.publish(outcome('c1'));
    bus.publish(presence('lamp'));
    await soon(() => expect(receiver.received.length).toBe(4));
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(3);
  });

  it.each([
    ['another authority', () => certificates.cert, () => certificates.strangerCa],
    ['the public authorities', () => certificates.cert, () => undefined],
    ['a certificate whose time is over', () => certificates.expired, () => certificates.ca],
  ])('go to nobody behind %s', async (_, cert, ca) => {
    const receiver = await receiveTls(cert());
    const { bus, log, uplink } = await run([{ url: receiver.url, secret, events: all, ca: ca() }]);
    bus.publish(report('u', 1));
    await soon(() => expect(log.lines.length).toBe(1));
    expect(String(log.lines[0]!.fields.reason)).toMatch(/CERT|certificate/i);
    expect(receiver.received).toEqual([]);
    expect(uplink.status).toMatchObject([{ state: 'failing', waiting: 1 }]);
  });

  it('do not follow a redirect', async () => {
    const other = await receive();
    const receiver = await receive({ respond: status(302, { location: other.url }) });
    const { bus, log } = await run([{ url: receiver.url, secret, events: all }]);
    bus.publish(report('u', 1));
    await soon(() =>
      expect(log.lines.map(({ fields }) => fields.reason)).toEqual(['answered 302, and redirects are not followed']),
    );
    expect(other.received).toEqual([]);
  });

  it('end at 15 s without a complete answer, and one receiver does not hold another up', async () => {
    const silent = await receive({ respond: () => {} });
    const healthy = await receive();
    const events = ['report'] as const;
    const { bus, log, clock, uplink } = await run([
      { url: silent.url, secret, events },
      { url: healthy.url, secret, events },
    ]);
    for (let sequence = 1; sequence <= 20; sequence += 1) bus.publish(report('u', sequence));
    await soon(() => expect(healthy.received.length).toBe(20));
    expect(healthy.received.map(({ headers }) => headers['webhook-id'])).toEqual(
      Array.from({ length: 20 }, (_, index) => `u/7/${index + 1}`),
    );
    expect(silent.received.length).toBe(1);
    await clock.advance(14_999);
    expect(log.lines).toEqual([]);
    await clock.advance(1);
    await soon(() => expect(log.lines.map(({ fields }) => fields.reason)).toEqual(['no complete answer within 15 s']));
    expect(uplink.status).toMatchObject([
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
    const { bus, log } = await run([{ url: `https://127.0.0.1:${port}`, secret, events: all, ca: certificates.ca }]);
    bus.publish(report('u', 1));
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
    const { bus, uplink } = await run([{ url: receiver.url, secret, events: all }]);
    bus.publish(report('u', 1));
    await soon(() => expect([uplink.status[0]!.delivered, isClosed]).toEqual([1, true]));
    expect(written).toBeLessThan(32 * 1024 * 1024);
  });

  it('honour Retry-After in seconds and as a date, and end at 410', async () => {
    const receiver = await receive({ respond: status(429, { 'retry-after': '100' }) });
    const { bus, clock, uplink } = await run([{ url: receiver.url, secret, events: all }]);
    bus.publish(report('u', 1));
    await soon(() => expect(uplink.status[0]!.state).toBe('failing'));
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
    await soon(() => expect(uplink.status[0]!.state).toBe('disabled'));
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
    const { uplink } = await run([{ url: 'http://192.0.2.1/', secret, events: all, allowHttp: true }]);
    expect(uplink.status.length).toBe(1);
    await expect(run([{ url: 'https://example.org', secret: '', events: all }])).rejects.toMatchObject({
      code: 'config-invalid',
    });
  });

  it('leave nothing behind when stopped, twice', async () => {
    const receiver = await receive({ respond: () => {} });
    const { bus, clock, uplink } = await run([{ url: receiver.url, secret, events: all }]);
    bus.publish(report('u', 1));
    await soon(() => expect(receiver.received.length).toBe(1));
    const stopping = uplink.stop();
    await clock.advance(2_000);
    await stopping;
    await uplink.stop();
    expect([bus.hearers, clock.waiting]).toEqual([0, 0]);
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
    const { bus, log } = await run([], legacyOf(`${receiver.url}/base/`));
    bus.publish(report('thermometer', 1));
    for (const [index, level] of [512, 'a b', '../../x', '%2e%2e', '../../x'].entries())
      bus.publish(report('hall-light', index + 1, { level }));
    await soon(() => expect(receiver.received.length).toBe(3));
    expect(receiver.received.map(({ path }) => path)).toEqual(
      ['512', 'a%20b', '%252e%252e'].map((value) => `/base/webhook/update-unit/192.168.1.10/${value}`),
    );
    expect(receiver.received[0]).toMatchObject({ method: 'PUT', body: '', headers: { authorization: 'Bearer t0ken' } });
    expect(log.lines.map(({ fields }) => fields.unit)).toEqual(['hall-light']);
  });

  it('gets the newest when it was away: 16 of a unit wait', async () => {
    const receiver = await receive({ respond: status(500) });
    const { bus, clock, uplink } = await run([], legacyOf(receiver.url));
    bus.publish(report('hall-light', 1));
    await soon(() => expect(receiver.received.length).toBe(1));
    await soon(() => expect(uplink.status[0]!.state).toBe('failing'));
    for (let sequence = 2; sequence <= MAX_LEGACY_PER_UNIT; sequence += 1) bus.publish(report('hall-light', sequence));
    expect(uplink.status[0]!.dropped).toBe(0);
    bus.publish(report('hall-light', MAX_LEGACY_PER_UNIT + 1));
    receiver.respond = status(200);
    expect(uplink.status[0]!.dropped).toBe(1);
    await soon(async () => {
      await clock.advance(5_000);
      expect(uplink.status[0]!.waiting).toBe(0);
    });
    const values = receiver.received.slice(-15).map(({ path }) => path.split('/').at(-1));
    expect(values).toEqual(Array.from({ length: 15 }, (_, index) => String(index + 3)));
  });

  it('that does not know a unit holds nothing up', async () => {
    const receiver = await receive({ respond: status(404) });
    const { bus, log, uplink } = await run([], legacyOf(receiver.url));
    for (const sequence of [1, 2, 3]) bus.publish(report('hall-light', sequence));
    await soon(() => expect(uplink.status[0]).toMatchObject({ waiting: 0, givenUp: 3, state: 'working' }));
    expect(log.lines.length).toBe(1);
  });

  it('needs https to another machine, and a token that fits a header', async () => {
    const refused = { code: 'config-invalid' };
    await expect(run([], { ...legacyOf('http://192.168.1.5'), token: 't' })).rejects.toMatchObject(refused);
    await expect(run([], { ...legacyOf('https://example.org'), token: 'a\r\nb' })).rejects.toMatchObject(refused);
    await expect(run([], legacyOf('https://example.org/?x'))).rejects.toMatchObject(refused);
  });
});
