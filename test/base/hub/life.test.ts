import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Hub } from '../../../base/hub/hub.js';
import { ManualClock } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';
import { APP, startHub } from './support/hub-under-test.js';
import { eventOf, pusherClient, pusherServer, subscribed } from './support/pusher-clients.js';
import { RawClient } from './support/raw-client.js';
import { realClock, realRandom, within } from './support/real-time.js';
import { WebhookReceiver } from './support/webhook-receiver.js';

const injected = { clock: realClock, random: realRandom, log: new QuietLog() };

describe('stopping', () => {
  it('closes the clients with 1001, may be asked for twice, and leaves nothing behind', async () => {
    const receiver = await WebhookReceiver.start();
    receiver.status = 500;
    const clock = new ManualClock();
    const { hub, port } = await startHub({ webhooks: [{ url: receiver.url }] }, { clock });
    const client = await RawClient.connect(port);
    await client.joinAs('presence-a', 'u');
    await receiver.inbox.next();
    expect(hub.connectionCount).toBe(1);
    await Promise.all([hub.stop(), hub.stop()]);
    await hub.stop();
    expect(await client.closed).toEqual({ code: 1001, reason: 'Server is shutting down' });
    expect([hub.connectionCount, clock.waiting]).toEqual([0, 0]);
    const late = new RawClient(`ws://127.0.0.1:${port}/app/${APP.key}?protocol=7`);
    expect((await late.closed).code).toBe(1006);
  });

  it('does not wait for ever for a client that does not answer', async () => {
    const clock = new ManualClock();
    const { hub, port } = await startHub({}, { clock });
    const client = await RawClient.connect(port);
    client.socket.pause();
    const stopped = hub.stop();
    await clock.advance(2_000);
    await within('the stop', stopped);
    client.socket.resume();
    await client.closed;
    expect(clock.waiting).toBe(0);
  });

  it('before starting is nothing', async () => {
    await new Hub({ apps: [APP], ...injected }).stop();
  });
});

describe('starting', () => {
  it('on a port in use fails with a code, and can be stopped', async () => {
    const { port } = await startHub();
    const hub = new Hub({ apps: [APP], port, ...injected });
    await expect(hub.start()).rejects.toMatchObject({ code: 'port-in-use' });
    await hub.stop();
  });

  it.each([
    [[APP, { ...APP, key: 'other' }], 'two apps have the id 3'],
    [[APP, { ...APP, id: '4' }], 'two apps have the key'],
    [[{ ...APP, secret: '' }], 'secret must be'],
    [[{ ...APP, key: 'a/b' }], 'no "/"'],
    [[{ ...APP, webhooks: [{ url: 'nonsense' }] }], 'webhooks'],
    [[{ ...APP, webhooks: [{ url: 'ftp://a/' }] }], 'webhooks'],
  ])('with impossible apps fails with a code', async (apps, message) => {
    const failed = new Hub({ apps, ...injected }).start();
    await expect(failed).rejects.toMatchObject({ code: 'config-invalid', message: expect.stringContaining(message) });
  });

  it('with a time-out of 0 fails, for pusher-js would', async () => {
    const failed = new Hub({ apps: [APP], timeouts: { activityS: 0 }, ...injected }).start();
    await expect(failed).rejects.toMatchObject({ code: 'config-invalid' });
  });

  it('again after a stop, on the same port: pusher-js comes back by itself and hears again', async () => {
    const { hub, port } = await startHub();
    const client = pusherClient(port);
    const channel = await subscribed(client, 'private-room');
    const firstId = client.connection.socket_id;
    await hub.stop();
    const again = new Hub({ apps: [APP], port, ...injected });
    onTestFinished(() => again.stop());
    await again.start();
    await eventOf(channel, 'pusher:subscription_succeeded');
    expect(client.connection.socket_id).not.toBe(firstId);
    const heard = eventOf(channel, 'x');
    await pusherServer(port).trigger('private-room', 'x', { n: 1 });
    expect(await heard).toEqual({ n: 1 });
    client.disconnect();
  });

  it('of the same hub after its stop works', async () => {
    const { hub } = await startHub();
    await hub.stop();
    const { port } = await hub.start();
    await RawClient.connect(port);
    await hub.stop();
  });

  it('with a certificate speaks TLS, and then lets in those who must come over TLS', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'hub-tls-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
    const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    execFileSync('openssl', [...make, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
    const tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
    const { port } = await startHub({ tlsOnly: true }, { tls });
    const client = new RawClient(`wss://127.0.0.1:${port}/app/${APP.key}?protocol=7`, { ca: tls.cert });
    expect((await client.next()).event).toBe('pusher:connection_established');
    const status = await new Promise((resolve, reject) => {
      get(`https://127.0.0.1:${port}/apps/3/channels`, { ca: tls.cert, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
    });
    expect(status).toBe(401);
  });
});

describe('listening', () => {
  it('is on this machine only unless told otherwise', async () => {
    const hub = new Hub({ apps: [APP], ...injected });
    onTestFinished(() => hub.stop());
    expect(await hub.start()).toEqual({ host: '127.0.0.1', port: expect.any(Number) });
  });

  it('takes a port given up a moment ago', async () => {
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const { port } = probe.address() as { port: number };
    await new Promise((resolve) => probe.close(resolve));
    const hub = new Hub({ apps: [APP], port, ...injected });
    onTestFinished(() => hub.stop());
    expect((await hub.start()).port).toBe(port);
  });
});
