import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { CentralClient, ObjectClient, type OutgoingPayload } from '../../clients/iotsocket/index.js';
import { fromHex } from '../../protocol/octets.js';
import { makeCertificates } from '../base/uplinks/certificates.js';
import { temporaryFolder } from '../cli/support/program.js';
import { eventually } from '../end-to-end/support/house.js';
import { BaseProcess, freePort } from './support/base-process.js';

const CENTRAL = '00112233445566778899AABBCCDDEEFF';
const OBJECT = '43434343434343434444444444444444';

/** The application behind the concentrator: its two webhooks. */
async function application() {
  const asked: unknown[] = [];
  const telemetry: unknown[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as unknown;
    const isRight = incoming.headers.authorization?.toUpperCase() === `BEARER ${CENTRAL}`;
    (incoming.url === '/request' ? asked : telemetry).push(isRight ? body : 'wrong key');
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ Code: 0, Payload: 'SALUT', Format: 'ASCII' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, telemetry };
}

/** The two files as the original has them, with all of its keys. */
function files(
  url: string,
  folder: string,
  [sessions, http]: readonly number[],
): { readonly config: object; readonly ca: string } {
  const { ca, cert, key } = makeCertificates();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'server.crt'), cert);
  writeFileSync(join(folder, 'server.key'), key, { mode: 0o600 });
  const list = { ObjTest: { GroupName: 'Devices', AuthKey: OBJECT } };
  writeFileSync(join(folder, 'acl.json'), JSON.stringify(list), { mode: 0o600 });
  const tls = { SSLKeyFilename: 'server.key', SSLCrtFilename: 'server.crt' };
  const config = {
    PoolThreadsCount: 25,
    KeepSessionSec: 60,
    TCPServer: {
      Addr: '127.0.0.1',
      Port: sessions,
      SlotsCount: 5000,
      SlotsSize: 4096,
      Backlog: 256,
      ...tls,
      ReqTimeoutSec: 10,
    },
    HTTPServer: {
      Addr: '127.0.0.1',
      Port: http,
      SlotsCount: 200,
      SlotsSize: 4096,
      Backlog: 64,
      ...tls,
      MaxContentLength: 524_288,
      MaxSecWaitResponse: 30,
    },
    UDPServer: { Addr: '127.0.0.1', Port: sessions, DatagramMaxSize: 1_400 },
    Central: {
      AuthKey: CENTRAL,
      WebHooks: {
        Request: `${url}/request`,
        Telemetry: `${url}/telemetry`,
        HTTPBufferSize: 4096,
        MaxContentLength: 524_288,
        MaxSecWaitResponse: 5,
      },
    },
    Groups: { Devices: { Telemetry: true, TelemetryTokenExpMin: 60 }, Stations: { Telemetry: false } },
  };
  return { config, ca };
}

const portIn = (address: unknown): number => Number(String(address).split(':').at(-1));

async function start() {
  const app = await application();
  const folder = temporaryFolder();
  const { config, ca } = files(app.url, folder, [await freePort(), await freePort()]);
  const base = await BaseProcess.start(config, { folder });
  const address = async (message: RegExp): Promise<number> => portIn((await base.logged(message)).address);
  const [tcp, udp, http] = [
    await address(/\(TCP\)/),
    await address(/\(UDP\)/),
    await address(/HTTP server for the central/),
  ];
  const agent = new Agent({ connect: { ca, servername: 'localhost' } });
  onTestFinished(() => agent.close());
  const post = async (path: string, body: unknown): Promise<{ status: number; text: string }> => {
    const { statusCode, body: answer } = await request(`https://127.0.0.1:${http}${path}`, {
      dispatcher: agent,
      method: 'POST',
      headers: { authorization: `Bearer ${CENTRAL}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: statusCode, text: await answer.text() };
  };
  const clients: (ObjectClient | CentralClient)[] = [];
  onTestFinished(async () => void (await Promise.all(clients.map((client) => client.close()))));
  const tls = { ca, servername: 'localhost' };
  const open = async <T extends ObjectClient | CentralClient>(client: T): Promise<T> => {
    clients.push(client);
    await client.connect();
    return client;
  };
  return {
    app,
    base,
    folder,
    post,
    object: (key = OBJECT) =>
      open(
        new ObjectClient({ host: '127.0.0.1', port: tcp, tls, uid: 'ObjTest', key, version: 1, udp: { port: udp } }),
      ),
    central: () => open(new CentralClient({ host: '127.0.0.1', port: tcp, tls, key: CENTRAL })),
  };
}

const text = (value: string): OutgoingPayload => ({ format: 'ascii', value });

test("the original concentrator's files, unchanged: TLS sessions, webhooks, HTTP and telemetry", async () => {
  const { app, base, folder, post, object, central } = await start();
  const device = await object();
  device.onRequest((payload) => ({ payload }));

  // Without a session of the central its webhooks are called.
  const answer = await device.request(text('BONJOUR'));
  expect([answer.code, answer.payload.value]).toEqual([0, 'SALUT']);
  expect(app.asked).toEqual([{ UID: 'ObjTest', Payload: 'BONJOUR', Format: 'ASCII' }]);
  await eventually('a token', () => device.hasTelemetry);
  device.telemetry(text('21.5'));
  await eventually('the telemetry webhook', () => app.telemetry.length > 0);
  expect(app.telemetry).toEqual([{ UID: 'ObjTest', Payload: '21.5', Format: 'ASCII' }]);

  // Over HTTP and over a session at the same time, each with its own answer.
  const application = await central();
  const heard: unknown[] = [];
  application.onTelemetry((uid, payload) => heard.push([uid, payload.value]));
  const [byHttp, bySession] = await Promise.all([
    post('/Request', { UID: 'ObjTest', Payload: [1, 2, 255], Format: 'BINARY', Timeout: 5 }),
    application.request('ObjTest', { format: 'json', value: { a: 1 } }),
  ]);
  expect(byHttp).toEqual({ status: 200, text: '{"Code":0,"Payload":[1,2,255],"Format":"BINARY"}' });
  expect([bySession.code, bySession.payload.value]).toEqual([0, { a: 1 }]);
  device.telemetry(text('22.0'));
  await eventually('telemetry for the central', () => heard.length > 0);
  expect(heard).toEqual([['ObjTest', '22.0']]);
  expect(app.telemetry).toHaveLength(1);

  // The list is replaced; the object is out within a second, and may come back with its new key.
  const isGone = new Promise<void>((resolve) =>
    device.onEvent(({ kind }) => {
      if (kind === 'closed') resolve();
    }),
  );
  const key = '0f'.repeat(16);
  expect(await post('/acl', [{ GroupName: 'Devices', UID: 'ObjTest', AuthKey: key }])).toEqual({
    status: 200,
    text: '',
  });
  await isGone;
  expect(JSON.parse(readFileSync(join(folder, 'acl.json'), 'utf8'))).toEqual({
    ObjTest: { GroupName: 'Devices', AuthKey: key },
  });
  expect(await post('/acl', [{ GroupName: 'Device', UID: 'ObjTest', AuthKey: OBJECT }])).toMatchObject({ status: 400 });
  await expect(object()).rejects.toMatchObject({ code: 'proof-refused' });
  const again = await object(key);
  again.onRequest(() => ({ payload: text('again') }));
  expect((await application.request('ObjTest')).payload.value).toBe('again');
  await application.setAccessList([{ group: 'Devices', uid: 'Other', key: fromHex(OBJECT) }]);
  expect((await application.request('ObjTest')).code).toBe(0xa0);

  // What means nothing here is said once, by name.
  const said = base.log.filter(({ msg }) => msg.includes('PoolThreadsCount'));
  expect(said).toHaveLength(1);
});
