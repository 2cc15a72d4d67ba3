import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { systemClock, systemRandom } from '../../../base/system.js';
import {
  CentralClient,
  type CentralClientOptions,
  ObjectClient,
  type ObjectClientOptions,
} from '../../../clients/iotsocket/index.js';
import type { IotsocketObjectEvent } from '../../../simulator/iotsocket-object-event.js';
import { IotsocketObjects } from '../../../simulator/iotsocket-objects.js';
import { ConcentratorRig, type RigOptions } from '../../base/dialects/iotsocket/concentrator-rig.js';
import { CENTRAL_KEY, KEY } from '../../base/dialects/iotsocket/octet-peer.js';
import { type Certificates, makeCertificates } from '../../base/uplinks/certificates.js';
import { Heard } from './support/heard.js';
import { within } from './support/scripted-peer.js';

let certificates: Certificates;
let files: { readonly cert: string; readonly key: string };
let remove: () => void;
beforeAll(() => {
  certificates = makeCertificates();
  const folder = mkdtempSync(join(tmpdir(), 'baseunit-iotsocket-clients-'));
  files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(files.cert, certificates.cert);
  writeFileSync(files.key, certificates.key);
  remove = () => rmSync(folder, { recursive: true });
  return () => remove();
});

const local = { host: '127.0.0.1', port: 0 };

async function concentrator({ options = {}, ...more }: RigOptions = {}): Promise<ConcentratorRig> {
  const rig = await ConcentratorRig.start({ ...more, clock: systemClock, options: { udp: local, ...options } });
  onTestFinished(() => rig.stop());
  return rig;
}

function object(rig: ConcentratorRig, options: Partial<ObjectClientOptions> = {}): ObjectClient {
  const place = options.url === undefined ? { host: '127.0.0.1', port: rig.ports.tcp } : {};
  const client = new ObjectClient({ ...place, uid: 'ObjTest', key: KEY, udp: { port: rig.ports.udp }, ...options });
  onTestFinished(() => client.close());
  return client;
}

function central(rig: ConcentratorRig, options: Partial<CentralClientOptions> = {}): CentralClient {
  const place = options.url === undefined ? { host: '127.0.0.1', port: rig.ports.tcp } : {};
  const client = new CentralClient({ ...place, key: CENTRAL_KEY, ...options });
  onTestFinished(() => client.close());
  return client;
}

const ways: readonly (readonly [
  string,
  () => Promise<{ readonly rig: ConcentratorRig; readonly how: Partial<CentralClientOptions> }>,
])[] = [
  ['TCP, v1.01', async () => ({ rig: await concentrator(), how: {} })],
  ['TCP, draft v0.07', async () => ({ rig: await concentrator(), how: { version: 0 } })],
  [
    'TLS',
    async () => ({ rig: await concentrator({ options: { tls: files } }), how: { tls: { ca: certificates.ca } } }),
  ],
  [
    'WebSocket',
    async () => {
      const rig = await concentrator({ options: { websocket: local } });
      return { rig, how: { url: `ws://127.0.0.1:${rig.ports.websocket}/` } };
    },
  ],
  [
    'WebSocket with TLS, draft v0.07',
    async () => {
      const rig = await concentrator({ options: { websocket: local, tls: files } });
      const how = { url: `wss://127.0.0.1:${rig.ports.websocket}/`, tls: { ca: certificates.ca }, version: 0 } as const;
      return { rig, how };
    },
  ],
];

describe.each(ways)('over %s', (_, begin) => {
  test('requests both ways, at once, and telemetry', async () => {
    const { rig, how } = await begin();
    const [lamp, app] = [object(rig, how), central(rig, how)];
    lamp.onRequest((payload) => ({ code: 7, payload }));
    app.onRequest((uid, { value }) => Promise.resolve({ payload: { format: 'json', value: { uid, value } } }));
    const heard = new Heard(lamp);
    await Promise.all([lamp.connect(), app.connect()]);
    const down = Array.from({ length: 50 }, (_, value) => app.request('ObjTest', { format: 'json', value }));
    const up = Array.from({ length: 50 }, (_, value) => lamp.request({ format: 'json', value }));
    for (const [index, { code, payload }] of (await Promise.all(down)).entries())
      expect([code, payload.value]).toEqual([7, index]);
    for (const [index, { code, payload }] of (await Promise.all(up)).entries())
      expect([code, payload.value]).toEqual([0, { uid: 'ObjTest', value: index }]);
    await heard.event('token');
    const telemetry = within('telemetry', (resolve) => app.onTelemetry((uid, { value }) => resolve([uid, value])));
    expect(lamp.telemetry({ format: 'ascii', value: '21.5' })).toBe(true);
    expect(await telemetry).toEqual(['ObjTest', '21.5']);
    await Promise.all([lamp.close('sleep'), app.close()]);
  });

  test('a wrong key', async () => {
    const { rig, how } = await begin();
    await expect(object(rig, { ...how, key: '00'.repeat(16) }).connect()).rejects.toMatchObject({
      code: 'proof-refused',
    });
  });
});

describe('at the concentrator', () => {
  test('no such object, and one that does not answer in time', async () => {
    const rig = await concentrator({ options: { requestTimeoutMs: 50 } });
    const [lamp, app] = [object(rig), central(rig)];
    lamp.onRequest(() => new Promise(() => {}));
    await Promise.all([lamp.connect(), app.connect()]);
    expect(await app.request('nobody')).toMatchObject({ code: 0xa0 });
    expect(await app.request('ObjTest')).toMatchObject({ code: 0xa1 });
  });

  test('a session is kept over sleep: what was asked meanwhile comes, and so do answers', async () => {
    const rig = await concentrator();
    const [lamp, app] = [object(rig), central(rig)];
    let answer = (): void => {};
    const asked = within<void>('the request', (resolve) =>
      app.onRequest(() => {
        resolve();
        return new Promise((done) => {
          answer = () => done({ code: 5 });
        });
      }),
    );
    lamp.onRequest((payload) => ({ payload }));
    await Promise.all([lamp.connect(), app.connect()]);
    const own = lamp.request();
    await asked;
    await lamp.close('sleep');
    answer();
    const meanwhile = app.request('ObjTest', { format: 'utf8', value: 'wake up' });
    await lamp.connect();
    expect((await meanwhile).payload.value).toBe('wake up');
    expect(await own).toMatchObject({ code: 5 });
  });

  test('a second connection of the same UID replaces the first', async () => {
    const rig = await concentrator();
    const [first, second] = [object(rig), object(rig)];
    const heard = new Heard(first);
    await first.connect();
    await second.connect();
    await heard.event('closed');
    expect([first.state, second.state]).toEqual(['idle', 'connected']);
  });

  test('the central lets a new object in, and the old one out', async () => {
    const rig = await concentrator();
    const [old, lamp, app] = [object(rig), object(rig, { uid: 'lamp' }), central(rig)];
    await Promise.all([old.connect(), app.connect()]);
    await expect(lamp.connect()).rejects.toMatchObject({ code: 'proof-refused' });
    const heard = new Heard(old);
    await app.setAccessList([{ group: 'Devices', uid: 'lamp', key: KEY }]);
    await lamp.connect();
    await heard.event('closed');
    await expect(app.setAccessList([{ group: 'nothing', uid: 'lamp', key: KEY }])).rejects.toThrow();
  });

  test('a redirection leads to another', async () => {
    const second = await concentrator();
    const first = await concentrator({
      options: { redirect: { host: '127.0.0.1', port: second.ports.tcp, aboveSessions: 0 } },
    });
    const lamp = object(first);
    const heard = new Heard(lamp);
    await lamp.connect();
    expect(heard.events.slice(0, 2)).toEqual([
      { kind: 'redirected', host: '127.0.0.1', port: second.ports.tcp },
      { kind: 'connected', remote: `127.0.0.1:${second.ports.tcp}` },
    ]);
  });

  test('an object that takes little is not sent more: the answer is A0', async () => {
    const rig = await concentrator();
    const [lamp, app] = [object(rig, { maxTransmission: 100 }), central(rig)];
    lamp.onRequest(() => ({ code: 9 }));
    await Promise.all([lamp.connect(), app.connect()]);
    const of = (length: number) => app.request('ObjTest', { format: 'ascii', value: 'x'.repeat(length) });
    expect(await of(94)).toMatchObject({ code: 9 });
    expect(await of(95)).toMatchObject({ code: 0xa0 });
  });

  test('a hundred simulated objects log in within its bounds, and echo', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `o-${index + 1}`);
    const rig = await concentrator({ objects: names, limits: { unprovedPerAddress: 16 } });
    const app = central(rig);
    const values = new Set<string>();
    const telemetry = within<void>('telemetry of all', (resolve) =>
      app.onTelemetry((uid) => {
        values.add(uid);
        if (values.size === names.length) resolve();
      }),
    );
    await app.connect();
    const events: IotsocketObjectEvent[] = [];
    const objects = new IotsocketObjects({
      concentrator: { host: '127.0.0.1', port: rig.ports.tcp, udp: { port: rig.ports.udp } },
      uid: 'o',
      count: names.length,
      keyOf: () => KEY,
      everyMs: 500,
      clock: systemClock,
      random: systemRandom,
      hear: (event) => events.push(event),
    });
    onTestFinished(() => objects.stop());
    objects.start();
    await telemetry;
    const answers = await Promise.all(names.map((uid) => app.request(uid, { format: 'utf8', value: uid })));
    expect(answers.map(({ code, payload }) => [code, payload.value])).toEqual(names.map((uid) => [0, uid]));
    await objects.stop();
    expect(events.filter(({ kind }) => kind === 'connected')).toHaveLength(names.length);
    expect(events.filter(({ kind }) => kind === 'refusedConnection')).toEqual([]);
  });
});
