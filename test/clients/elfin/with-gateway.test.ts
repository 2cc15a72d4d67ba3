import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../base/system.js';
import { pipeTunnel } from '../../../cli/pipe-tunnel.js';
import { type ElfinAdapter, ElfinClient, type ElfinClientOptions } from '../../../clients/elfin/index.js';
import { type Certificates, makeCertificates } from '../../base/uplinks/certificates.js';
import { eventually, startHouse, temporaryFolder } from '../../end-to-end/support/house.js';

const LATHE: ElfinAdapter = { mac: 'f0fe6b010203', host: 'Lathe' };
const SAW: ElfinAdapter = { mac: 'F0-FE-6B-01-02-04', host: 'Saw' };
const SECRET = 'long enough';
const TOKEN = 'token-of-the-test';

let certificates: Certificates;
beforeAll(() => {
  certificates = makeCertificates();
});

/** A base that is a gateway, with the user `shed`. */
async function gateway() {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries({ cert: certificates.cert, key: certificates.key }))
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  const local = '127.0.0.1:0';
  const tls = { listen: local, cert: join(folder, 'cert'), key: join(folder, 'key'), framing: 'line' };
  const { base, log } = await startHouse({ http: { listen: local }, elfin: { tcp: local, lineTcp: local, tls } });
  const [segments, lines, secured] = log
    .filter(({ message }) => message === 'Elfin devices may connect')
    .map(({ fields }) => Number(/:(\d+)$/.exec(String(fields.address))![1]));
  const api = async <T>(path: string, init: RequestInit = {}): Promise<T> => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    return (await fetch(`${base.apiUrl}/api/v1/elfin${path}`, { headers, ...init })).json() as Promise<T>;
  };
  await api('/users/shed', { method: 'PUT', body: JSON.stringify({ secret: SECRET }) });
  const connect = async (options: Partial<ElfinClientOptions> = {}): Promise<ElfinClient> => {
    const client = await ElfinClient.connect({
      ...{ host: '127.0.0.1', port: lines!, user: 'shed', secret: SECRET },
      ...options,
    });
    onTestFinished(() => client.close());
    return client;
  };
  const device = async (adapter: ElfinAdapter, options: Partial<ElfinClientOptions> = {}): Promise<ElfinClient> => {
    const client = await connect(options);
    client.beat(adapter);
    await eventually(adapter.host, () => base.router.get(uidOf(adapter))?.state === 'online');
    return client;
  };
  return { base, api, connect, device, segments: segments!, secured: secured! };
}

const uidOf = ({ mac }: ElfinAdapter): string => mac.replaceAll(/[:-]/g, '').toUpperCase().match(/../g)!.join(':');

test('a program finds a device and talks to it, octet for octet, 100 KB there and back', async () => {
  const { base, api, connect, device, secured } = await gateway();
  const lathe = await device(LATHE, { host: 'localhost', port: secured, tls: { ca: certificates.ca } });
  lathe.tunnel!.pipe(lathe.tunnel!);
  const client = await connect();
  const [listed, none] = await client.query();
  expect([listed, none]).toEqual([
    { ...LATHE, lastSeen: expect.stringMatching(/^20\d\d\. /), isOnline: true },
    undefined,
  ]);
  const payload = randomBytes(100_000);
  const [input, output] = [new PassThrough(), new PassThrough()];
  const received: Buffer[] = [];
  const all = new AbortController();
  output.on('data', (chunk: Buffer) => {
    received.push(chunk);
    if (Buffer.concat(received).length >= payload.length) all.abort();
  });
  const tunnel = await client.connectMe(listed!.mac);
  expect(base.router.get(uidOf(LATHE))).toMatchObject({ state: 'online', reason: expect.stringContaining('tunnel') });
  const piped = pipeTunnel({ tunnel, input, output, waitMs: 15_000, clock: systemClock, signal: all.signal });
  input.end(payload);
  await piped;
  expect(Buffer.concat(received).equals(payload)).toBe(true);
  const { tunnels } = await api<{ tunnels: { ends: { unit?: string; octets: number }[] }[] }>('/tunnels');
  expect(tunnels.map(({ ends }) => ends.map(({ unit, octets }) => [unit, octets]))).toEqual([
    [
      [undefined, payload.length],
      [uidOf(LATHE), payload.length],
    ],
  ]);
});

test('two devices are brought together; the gateway does not say why it refuses', async () => {
  const { api, connect, device } = await gateway();
  const [lathe, saw, client] = [await device(LATHE), await device(SAW), await connect()];
  await client.connectThem(LATHE.mac, SAW.mac);
  lathe.tunnel!.write(Uint8Array.of(0, 255));
  expect((await once(saw.tunnel!, 'data'))[0]).toEqual(Buffer.of(0, 255));
  saw.data(Buffer.from('back'), SAW);
  expect(String((await once(lathe.tunnel!, 'data'))[0])).toBe('back');
  const { devices } = await api<{ devices: { host: string; isOnline: boolean }[] }>('/devices?user=shed');
  expect(devices.map(({ host, isOnline }) => [host, isOnline]).sort()).toEqual([
    ['Lathe', true],
    ['Saw', true],
  ]);
  const refused = { code: 'connect-failed' };
  await expect(client.connectMe('000000000000')).rejects.toMatchObject(refused);
  await expect(client.connectThem(LATHE.mac, LATHE.mac)).rejects.toMatchObject(refused);
  for (const options of [{ secret: 'a wrong one' }, { secret: undefined }, { user: 'nobody' }]) {
    const stranger = await connect(options);
    await expect(stranger.connectMe(LATHE.mac)).rejects.toMatchObject(refused);
    expect(await stranger.query()).toEqual([]);
  }
});

test('at a listener in segments no tunnel is made that would spoil what is sent', async () => {
  const { connect, device, segments } = await gateway();
  const lathe = await device(LATHE);
  const client = await connect({ port: segments, answerTimeoutMs: 200 });
  await expect(client.connectMe(LATHE.mac)).rejects.toMatchObject({
    code: 'command-timeout',
    message: expect.stringContaining('framing "line"'),
  });
  expect(lathe.tunnel!.readableLength).toBe(0);
});
