import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { closeCodes } from '../../protocol/iotsocket/transmission.js';
import { baseunit, temporaryFolder } from '../cli/support/program.js';
import { countingProxy } from '../end-to-end/support/counting-proxy.js';
import { known, startFirmware } from '../end-to-end/support/house.js';
import { BaseProcess, freePort } from './support/base-process.js';
import { simulated } from './support/simulated.js';

const http = { listen: '127.0.0.1:0' };
const modeOf = (file: string): number => statSync(file).mode & 0o777;
const setColor = (color: string) => ({ command: 'setColor', fields: { color } });

/** What the base writes last on a connection it ends: close, code, and the tag of 8 octets. */
const lastCloseCode = (octets: readonly Uint8Array[]): number | undefined =>
  Buffer.concat(octets as Uint8Array[]).at(-9);

test('a base with compiled units: JSON lines, a token only its owner can read, and a goodbye to every unit at SIGTERM', async () => {
  const thermometer = await startFirmware('thermometer');
  const lamp = await startFirmware('led-lamp');
  const proxies = [await countingProxy(thermometer.address), await countingProxy(lamp.address)];
  const base = await BaseProcess.start({
    name: 'life',
    http,
    units: {
      known: {
        ...known({ ...thermometer, address: proxies[0]!.address }),
        ...known({ ...lamp, address: proxies[1]!.address }),
      },
    },
  });
  expect(base.log.every(({ level, time, msg }) => typeof level === 'number' && time && msg)).toBe(true);
  expect(await base.logged('the base runs')).toMatchObject({ name: 'life', units: 2 });
  expect(modeOf(join(base.stateFolder, 'api-token'))).toBe(0o600);
  expect(modeOf(base.stateFolder)).toBe(0o700);
  const kept = readdirSync(base.stateFolder).filter((name) => statSync(join(base.stateFolder, name)).isFile());
  expect(kept.sort()).toEqual(['api-token', 'baseunit.db', 'baseunit.db-wal', 'running.json']);
  for (const name of kept) expect(`${name} ${modeOf(join(base.stateFolder, name))}`).toBe(`${name} ${0o600}`);
  const running = JSON.parse(readFileSync(join(base.stateFolder, 'running.json'), 'utf8'));
  expect(running).toMatchObject({ pid: base.pid, url: base.url, configFile: base.file });

  await base.unitIs('thermometer', 'reported', ({ last }) => last.reading !== undefined);
  expect(await base.send('led-lamp', setColor('#102030'))).toMatchObject({ outcome: 'ok' });
  await lamp.printed('#102030');

  const { code, tookMs } = await base.stop();
  expect(code).toBe(0);
  expect(tookMs).toBeLessThan(5_000);
  expect(existsSync(join(base.stateFolder, 'running.json'))).toBe(false);
  expect(base.log.at(-1)?.msg).toBe('stopped');
  expect(base.err).toBe('');
  for (const { fromBase } of proxies) expect(lastCloseCode(fromBase.at(-1)!)).toBe(closeCodes.maintenance);
  expect(closeCodes.maintenance).toBe(0x01);
});

test('killed, it leaves a stale running.json that fools nobody, and it starts again as what it was', async () => {
  const folder = temporaryFolder();
  const unit = await simulated('thermometer');
  const configuration = { http, units: { known: unit.known() } };
  const first = await BaseProcess.start(configuration, { folder });
  await first.unitIs('thermometer', 'reported', ({ last }) => last.reading !== undefined);
  const { token } = first;
  first.kill('SIGKILL');
  await first.ended;
  expect(existsSync(join(first.stateFolder, 'running.json'))).toBe(true);
  const asked = await baseunit(['units'], { cwd: folder });
  expect(asked).toMatchObject({ code: 3, err: expect.stringMatching(/no base is running here/) });

  const second = await BaseProcess.start(configuration, { folder });
  expect(second.token).toBe(token);
  const running = JSON.parse(readFileSync(join(second.stateFolder, 'running.json'), 'utf8'));
  expect(running.pid).toBe(second.pid);
  await second.unitIs('thermometer', 'reported', ({ last }) => last.reading !== undefined);
  expect(await baseunit(['units', '--json'], { cwd: folder })).toMatchObject({ code: 0 });
});

test('peers that do not let go cannot hold up the end: exit 0 within 5 s; a command with a time to live goes on after it', async () => {
  const silentReceiver = createServer(() => {});
  await new Promise<void>((resolve) => silentReceiver.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    silentReceiver.closeAllConnections();
    silentReceiver.close();
  });
  const { port } = silentReceiver.address() as AddressInfo;
  const asked = new Promise((resolve) => silentReceiver.once('request', resolve));
  const unit = await simulated('thermometer');
  const hubPort = await freePort();
  const app = { id: 'app', key: 'key', secret: 'secret' };
  const configuration = {
    http,
    units: {
      known: { ...unit.known(), away: { definition: 'led-lamp', address: '127.0.0.1:1', key: '0'.repeat(32) } },
    },
    webhooks: [{ url: `http://127.0.0.1:${port}`, secret: 'a secret', events: ['report'] }],
    hub: { listen: `127.0.0.1:${hubPort}`, apps: [app] },
    pusher: { ...app, id: undefined, appId: app.id, host: '127.0.0.1', port: hubPort, tls: false },
  };
  const base = await BaseProcess.start(configuration);
  await asked;
  const client = connect({ port: hubPort, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void client.destroy());
  client.on('error', () => {});
  await new Promise((resolve) => {
    client.once('data', resolve);
    client.write(
      'GET /app/key?protocol=7 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
  });
  const waiting = base.send('away', { ...setColor('#ffffff'), id: 'patient', ttlS: 600 });
  const behind = base.send('away', setColor('#ffffff'));
  await base.unitIs('away', 'had the command', ({ waiting: open }) => open === 2);
  unit.setFault({ kind: 'silence' });

  const { code, tookMs } = await base.stop();
  expect(await waiting).toMatchObject({ status: 503, detail: expect.stringContaining('commands/patient') });
  expect(await behind).toMatchObject({ outcome: 'unreachable', reason: 'the base is stopping' });
  expect(tookMs).toBeLessThan(5_000);
  expect(code).toBe(0);

  const again = await BaseProcess.start(configuration, { folder: base.folder });
  expect(await again.get('/units/away/commands/patient')).toMatchObject({ status: 'waiting' });
  expect(await again.unit('away')).toMatchObject({ waiting: 1 });
});

test('a second signal ends it at once', async () => {
  const unit = await simulated('thermometer');
  const base = await BaseProcess.start({ http, units: { known: unit.known() } });
  await base.unitIs('thermometer', 'connected', ({ state }) => state === 'online');
  unit.setFault({ kind: 'silence' });
  const startedAt = performance.now();
  base.kill('SIGINT');
  await base.logged('stopping');
  const again = setInterval(() => base.kill('SIGINT'), 50);
  const { code } = await base.ended;
  clearInterval(again);
  expect(code).toBe(1);
  // Without the second signal it waits 2 s for the silent unit.
  expect(performance.now() - startedAt).toBeLessThan(1_900);
});

test('a port in use: exit 2, the address by name, nothing left running', async () => {
  const taken = createTcpServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void taken.close());
  const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
  const free = await freePort();
  const hub = { listen: `127.0.0.1:${free}`, apps: [{ id: 'app', key: 'key', secret: 'secret' }] };
  // With the channel's client already connecting to the hub when the start fails.
  const pusher = { key: 'key', appId: 'app', secret: 'secret', host: '127.0.0.1', port: free, tls: false };
  const cases = [
    { hub, pusher, http: { listen: address } },
    { http, units: { listen: address } },
    { http, hub: { ...hub, listen: address } },
  ];
  const ended = await Promise.all(cases.map((configuration) => BaseProcess.begin(configuration).ended));
  for (const { code, err } of ended) {
    expect(err).toMatch(/in use/);
    expect(err).toContain(address);
    expect(err).not.toMatch(/^\s+at /m);
    expect(code).toBe(2);
  }
  await expect(fetch(`http://127.0.0.1:${free}`)).rejects.toThrow();
});

test('a configuration that cannot work: exit 2, and every path by name', async () => {
  const base = BaseProcess.begin({
    http: { listen: '127.0.0.1:99999' },
    nonsense: 1,
    units: { known: { lamp: { definition: 'led-lmp', address: '127.0.0.1' }, away: { definition: 'thermometer' } } },
    webhooks: [{ url: 'http://example.org', secret: 'env:NOT_THERE' }],
  });
  const { code, err, out } = await base.ended;
  expect(code).toBe(2);
  for (const path of [
    'http.listen',
    'nonsense',
    'units.known.lamp',
    'units.known.away',
    'webhooks[0].url',
    'webhooks[0].secret',
  ])
    expect(err).toContain(path);
  expect(err).toContain('did you mean led-lamp?');
  expect(out).toBe('');
  expect(existsSync(base.stateFolder)).toBe(false);

  const folder = temporaryFolder();
  writeFileSync(join(folder, 'broken.json'), '{ "http": }');
  expect(await baseunit(['run', '-c', 'broken.json'], { cwd: folder })).toMatchObject({
    code: 2,
    err: expect.stringContaining('broken.json:1:11'),
  });
});

test('no key, token or secret gets into the log, whatever goes wrong', async () => {
  const unit = await simulated('thermometer', { uid: 'good' });
  const wrong = await simulated('thermometer', { uid: 'wrong', faults: [{ kind: 'wrong-key' }] });
  const secret = (): string => randomBytes(16).toString('hex');
  const ofConnector = { apiToken: secret(), devices: secret() };
  const secrets = { pusher: secret(), dashboard: secret(), webhook: secret(), hub: secret(), ...ofConnector };
  const hubPort = await freePort();
  const closed = await freePort();
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'hook'), secrets.webhook, { mode: 0o600 });
  const base = await BaseProcess.start(
    {
      http,
      units: { known: { ...unit.known(), ...wrong.known() } },
      webhooks: [{ url: `https://127.0.0.1:${closed}/hook`, secret: 'file:hook' }],
      hub: { listen: `127.0.0.1:${hubPort}`, apps: [{ id: 'app', key: 'key', secret: secrets.hub }] },
      connector: {
        websocket: '127.0.0.1:0',
        http: '127.0.0.1:0',
        auth: { kind: 'bearer', token: secrets.apiToken },
        deviceAuth: { kind: 'basic', user: 'device', password: secrets.devices },
      },
      pusher: {
        key: 'key',
        appId: 'app',
        // Not the hub's: outcomes are refused.
        secret: secrets.pusher,
        host: '127.0.0.1',
        port: hubPort,
        tls: false,
        auth: { endpoint: `https://127.0.0.1:${closed}/auth`, token: 'env:DASHBOARD_TOKEN' },
      },
    },
    { folder, env: { DASHBOARD_TOKEN: secrets.dashboard }, words: ['--log-level', 'debug'] },
  );
  await base.unitIs('good', 'reported', ({ last }) => last.reading !== undefined);
  await base.unitIs('wrong', 'was refused', ({ reason }) => /key/.test(reason ?? ''));
  await fetch(`${base.url}/api/v1/units`, { headers: { authorization: `Bearer ${secrets.hub}` } });
  const connector = (await base.logged('the base runs')).connector as string;
  const devices = `http://${(await base.logged(/devices may connect/)).address}/connect`;
  for (const token of [secrets.apiToken, secrets.devices])
    await fetch(`${connector}/devices`, { headers: { authorization: `Bearer ${token}` } });
  const wrongDevice = Buffer.from(`device:${secrets.apiToken}`).toString('base64');
  await fetch(devices, { headers: { 'device-id': secrets.hub, authorization: `Basic ${wrongDevice}` } });
  await base.send('good', { command: secrets.pusher.slice(0, 4) });
  await base.logged(/./, { uplink: 'pusher', level: 40 });
  await base.logged(/./, { uplink: 'webhooks', level: 40 });
  const { token } = base;
  await base.stop();
  const said = base.out + base.err;
  const keys = [...Object.values(unit.known()), ...Object.values(wrong.known())].map(({ key }) => key!);
  for (const hidden of [...Object.values(secrets), ...keys, token]) {
    for (const form of [hidden, Buffer.from(hidden, 'hex').toString('base64')]) {
      if (form.length > 8) expect(said).not.toContain(form);
    }
  }
});
