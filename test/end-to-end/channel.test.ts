import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import PusherServer from 'pusher';
import { expect, onTestFinished, test } from 'vitest';
import { clientOptions, createClient, dropClient } from '../../base/uplinks/pusher/pusher-client.js';
import { verifyWebhook } from '../../base/uplinks/webhooks/standard-webhook.js';
import { freePort } from '../../cli/free-port.js';
import { makeCertificates } from '../base/uplinks/certificates.js';
import { eventually, known, startFirmware, startHouse, temporaryFolder } from './support/house.js';

const app = { id: 'house', key: 'house-key', secret: 'house-secret' };
const channel = 'private-requests';

interface OutcomeEvent {
  readonly id: string;
  readonly unit: string;
  readonly command: string;
  readonly outcome: string;
  readonly reason?: string;
}

/** What stands before the base: a dashboard with the vendor's two libraries. */
async function dashboard(port: number) {
  const server = new PusherServer({
    appId: app.id,
    key: app.key,
    secret: app.secret,
    host: '127.0.0.1',
    port: String(port),
    useTLS: false,
    timeout: 5_000,
  });
  const options = { key: app.key, host: '127.0.0.1', port, tls: false };
  const client = createClient(
    app.key,
    clientOptions(options, ({ socketId, channelName }, answer) =>
      answer(null, server.authorizeChannel(socketId, channelName)),
    ),
    () => {},
  );
  onTestFinished(() => dropClient(client));
  const outcomes: OutcomeEvent[] = [];
  const subscribed = client.subscribe(channel);
  subscribed.bind('outcome', (outcome: OutcomeEvent) => outcomes.push(outcome));
  await new Promise((resolve) => subscribed.bind('pusher:subscription_succeeded', resolve));
  const occupied = async (): Promise<number> => {
    const response = await server.get({ path: `/channels/${channel}`, params: { info: 'subscription_count' } });
    return ((await response.json()) as { subscription_count: number }).subscription_count;
  };
  while ((await occupied()) < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  return { trigger: (event: string, data: unknown) => server.trigger(channel, event, data), outcomes };
}

function house(port: number, units: object, more: object = {}): object {
  return {
    name: 'test',
    units: { known: units },
    hub: { listen: `127.0.0.1:${port}`, apps: [{ ...app, clientEvents: true }] },
    pusher: { key: app.key, appId: app.id, secret: app.secret, host: '127.0.0.1', port, tls: false, channel },
    ...more,
  };
}

test('a command on the private channel reaches the compiled lamp, and its outcome comes back on the channel', async () => {
  const lamp = await startFirmware('led-lamp', { uid: 'kitchen-lamp' });
  const port = await freePort();
  await startHouse(house(port, known(lamp)));
  const { trigger, outcomes } = await dashboard(port);

  await trigger('command', { id: 'c-1', unit: 'kitchen-lamp', command: 'setColor', fields: { color: '#ff8800' } });
  await lamp.printed('#ff8800');
  await eventually('the outcome', () => outcomes.length === 1);
  expect(outcomes[0]).toMatchObject({ id: 'c-1', unit: 'kitchen-lamp', command: 'setColor', outcome: 'ok' });
});

test("the original's update.request reaches the compiled line lamp as it is", async () => {
  const lamp = await startFirmware('led-lamp-line');
  const port = await freePort();
  await startHouse(house(port, known(lamp)));
  const { trigger, outcomes } = await dashboard(port);

  await trigger('update.request', { ip: lamp.address, payload: 'red' });
  await lamp.printed('#ff0000');
  await eventually('the outcome', () => outcomes.length === 1);
  expect(outcomes[0]).toMatchObject({ unit: lamp.uid, command: 'update', outcome: 'ok' });
});

test('what is not ours on the channel is refused, logged once, and nothing else is disturbed', async () => {
  const lamp = await startFirmware('led-lamp');
  const port = await freePort();
  const { log } = await startHouse(house(port, known(lamp)));
  const { trigger, outcomes } = await dashboard(port);

  for (let round = 0; round < 3; round += 1) {
    await trigger('command', { what: 'is this' });
    await trigger('command', 'no JSON at all');
    await trigger('update.request', { ip: '10.1.2.3', payload: 'red' });
    await trigger('update.request', { ip: 7 });
  }
  await trigger('command', { id: 'after', unit: 'led-lamp', command: 'setColor', fields: { color: '#010203' } });
  await lamp.printed('#010203');
  await eventually('the outcome', () => outcomes.some(({ id }) => id === 'after'));
  const strangers = outcomes.filter(({ unit }) => unit === '10.1.2.3');
  expect(strangers.length).toBe(3);
  expect(new Set(strangers.map(({ outcome }) => outcome))).toEqual(new Set(['refused']));
  const refusals = log
    .filter(({ level, fields }) => level === 'warn' && fields.uplink === 'pusher')
    .map(({ fields, message }) => JSON.stringify([fields, message]));
  expect(new Set(refusals).size).toBe(refusals.length);
});

test('a reading of the compiled thermometer reaches an HTTPS receiver whose certificate is checked', async () => {
  const { ca, key, cert, strangerCa } = makeCertificates();
  const received: {
    readonly url: string | undefined;
    readonly headers: NodeJS.Dict<string | string[]>;
    readonly body: string;
  }[] = [];
  const server = createServer({ key, cert }, (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      received.push({ url: request.url, headers: request.headers, body });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'ca.pem'), ca);
  writeFileSync(join(folder, 'stranger.pem'), strangerCa);

  const thermometer = await startFirmware('thermometer');
  const url = `https://127.0.0.1:${port}`;
  const { log } = await startHouse({
    name: 'test',
    units: { known: known(thermometer) },
    webhooks: [
      { url: `${url}/good`, secret: 'a secret', events: ['report'], ca: join(folder, 'ca.pem') },
      { url: `${url}/stranger`, secret: 'a secret', events: ['report'], ca: join(folder, 'stranger.pem') },
    ],
  });

  await eventually('a webhook', () => received.length > 0);
  const { headers, body } = received[0]!;
  expect(headers['webhook-id']).toBe('thermometer/1/1');
  expect(verifyWebhook('a secret', headers, body, Date.now())).toEqual({ isValid: true });
  expect(JSON.parse(body)).toMatchObject({ type: 'report', data: { unit: 'thermometer', report: 'reading' } });
  await eventually('the other receiver to be refused', () =>
    log.some(({ message, fields }) => /certificate/i.test(message + JSON.stringify(fields))),
  );
  expect(new Set(received.map(({ url: path }) => path))).toEqual(new Set(['/good']));
});
