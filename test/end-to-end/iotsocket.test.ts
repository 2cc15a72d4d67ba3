import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../base/system.js';
import { CentralClient, ObjectClient, type ReceivedPayload } from '../../clients/iotsocket/index.js';
import { eventually, startHouse, temporaryFolder } from './support/house.js';

const CENTRAL = '00112233445566778899aabbccddeeff';
const OBJECT = '43434343434343434444444444444444';
const local = '127.0.0.1:0';

/** Whoever receives webhooks of the base. */
async function receiver() {
  const events: { readonly type: string; readonly data: Record<string, unknown> }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    events.push(JSON.parse(Buffer.concat(chunks).toString()) as never);
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, events };
}

async function house(options: { readonly more?: object; readonly folder?: string } = {}) {
  const folder = options.folder ?? temporaryFolder();
  const accessList = join(folder, 'acl.json');
  writeFileSync(accessList, JSON.stringify({ porch: { GroupName: 'Devices', AuthKey: OBJECT } }), { mode: 0o600 });
  const iotsocket = {
    tcp: local,
    udp: local,
    central: { key: CENTRAL },
    groups: { Devices: { telemetry: true } },
    accessList,
  };
  const { base, log } = await startHouse(
    { http: { listen: local }, iotsocket, ...options.more },
    undefined,
    systemClock,
    folder,
  );
  const portOf = (what: string): number =>
    Number(
      String(log.find(({ message }) => message.includes(what))!.fields.address)
        .split(':')
        .at(-1),
    );
  const common = { host: '127.0.0.1', port: portOf('(TCP)') };
  const open = async <T extends ObjectClient | CentralClient>(client: T): Promise<T> => {
    onTestFinished(() => client.close());
    await client.connect();
    return client;
  };
  return {
    base,
    folder,
    object: (hear?: (payload: ReceivedPayload) => void) => {
      const client = new ObjectClient({ ...common, uid: 'porch', key: OBJECT, udp: { port: portOf('(UDP)') } });
      if (hear)
        client.onRequest((payload) => {
          hear(payload);
          return undefined;
        });
      return open(client);
    },
    central: () => open(new CentralClient({ ...common, key: CENTRAL })),
  };
}

test("an object's telemetry, requests and presence reach webhooks, the event stream and the API", async () => {
  const { url, events } = await receiver();
  const { base, object, central } = await house({ more: { webhooks: [{ url, secret: 'a secret' }] } });
  const headers = { authorization: 'Bearer token-of-the-test', 'content-type': 'application/json' };
  const stream = await fetch(`${base.apiUrl}/api/v1/events`, { headers });
  let streamed = '';
  void (async () => {
    for await (const chunk of stream.body!) streamed += Buffer.from(chunk as Uint8Array).toString();
  })().catch(() => {});

  const application = await central();
  application.onRequest(() => ({ code: 1, payload: { format: 'utf8', value: 'non' } }));
  const device = await object();
  device.onRequest((payload) => ({ payload }));
  const answer = await device.request({ format: 'json', value: { hello: 1 } });
  expect([answer.code, answer.payload.value]).toEqual([1, 'non']);
  await eventually('a token', () => device.hasTelemetry);
  device.telemetry({ format: 'json', value: { temperature: 21.5, isOpen: false } });

  await eventually('the webhooks', () => events.filter(({ data }) => data.unit === 'porch').length >= 4);
  const of = (type: string) => events.filter((event) => event.type === type).map(({ data }) => data);
  expect(of('presence')).toMatchObject([{ unit: 'porch', state: 'online' }]);
  const [asked] = of('request');
  expect(asked).toMatchObject({ unit: 'porch', payload: { format: 'json', value: { hello: 1 } } });
  expect(of('response')).toMatchObject([{ id: asked!.id, unit: 'porch', code: 1, payload: { value: 'non' } }]);
  expect(of('report')).toMatchObject([
    { unit: 'porch', report: 'telemetry', fields: { temperature: 21.5, isOpen: false }, payload: { format: 'json' } },
  ]);
  for (const kind of ['presence', 'request', 'response', 'report'])
    await eventually(`${kind} in the stream`, () => streamed.includes(`event: ${kind}\n`));

  const query = 'report=telemetry&resolution=raw';
  const history = await fetch(`${base.apiUrl}/api/v1/units/porch/history?${query}`, { headers });
  expect(await history.json()).toMatchObject({ fields: { temperature: { values: [21.5] } } });
  const commanded = await fetch(`${base.apiUrl}/api/v1/units/porch/commands`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ command: 'request', payload: 'text', format: 'utf8' }),
  });
  expect(await commanded.json()).toMatchObject({ outcome: 'ok', code: 0, payload: { format: 'utf8', value: 'text' } });
});

test('what was kept for an object that is away outlives the base', async () => {
  const first = await house();
  const application = await first.central();
  const device = await first.object();
  await device.close('sleep');
  const asked = application.request('porch', { format: 'ascii', value: 'one' });
  asked.catch(() => {});
  const later = application.request('porch', { format: 'ascii', value: 'two' });
  later.catch(() => {});
  await eventually('both are kept', () => application.inFlight === 2);
  // Behind the two requests, so that they have been taken.
  expect((await application.request('nobody')).code).toBe(0xa0);
  await first.base.stop();

  const second = await house({ folder: first.folder });
  const heard: unknown[] = [];
  const back = await second.object((payload) => void heard.push(payload.value));
  await eventually('what was kept', () => heard.length === 2);
  expect(heard).toEqual(['one', 'two']);
  // Once: it is gone from the disk before it is sent.
  await back.close('sleep');
  await second.base.stop();
  const third = await house({ folder: first.folder });
  await third.object((payload) => void heard.push(payload.value));
  expect((await (await third.central()).request('porch', { format: 'ascii', value: 'three' })).code).toBe(0);
  expect(heard).toEqual(['one', 'two', 'three']);
});
