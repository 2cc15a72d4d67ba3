import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { loadDefinitions } from '../../base/config/definitions.js';
import { systemClock, systemRandom } from '../../base/system.js';
import { signWebhook } from '../../base/uplinks/webhooks/standard-webhook.js';
import { freePort } from '../../cli/free-port.js';
import { type RunningSimulation, simulate } from '../../simulator/simulate.js';
import type { SimulationEvent } from '../../simulator/simulation-event.js';
import { makeCertificates } from '../base/uplinks/certificates.js';
import { eventually, startHouse, temporaryFolder } from '../end-to-end/support/house.js';
import { inlineCode, root } from './support/documents.js';
import { ExampleProgram, PYTHON } from './support/example-program.js';

// The examples import what a user imports: the compiled package.
beforeAll(() => void execFileSync(process.execPath, ['scripts/prepare.mjs', 'build'], { cwd: root, stdio: 'pipe' }));

async function simulated(name: string, hear: (event: SimulationEvent) => void = () => {}): Promise<RunningSimulation> {
  const { definition } = (await loadDefinitions()).get(name)!;
  const simulation = await simulate({ definition, uid: name, clock: systemClock, random: systemRandom, hear });
  onTestFinished(() => simulation.stop());
  return simulation;
}

test.each([
  { channel: 'private-requests', more: {} },
  {
    channel: 'private-encrypted-requests',
    more: { encryptionKey: Buffer.alloc(32, 9).toString('base64') },
  },
])('trigger-command.mjs sends a command over $channel and prints its outcome', async ({ channel, more }) => {
  const applied: SimulationEvent[] = [];
  const lamp = await simulated('led-lamp', (event) => void (event.kind === 'applied' && applied.push(event)));
  const port = await freePort();
  const app = { id: 'home', key: 'home-key', secret: 'home-secret' };
  const pusher = { host: '127.0.0.1', port, tls: false, key: app.key, appId: app.id, secret: app.secret, channel };
  const configuration = {
    units: { known: lamp.known() },
    hub: { listen: `127.0.0.1:${port}`, apps: [app] },
    pusher: { ...pusher, ...more },
  };
  const { log } = await startHouse(configuration);
  await eventually('the base on the channel', () => log.some(({ message }) => message === 'subscribed'));
  const file = join(temporaryFolder(), 'base.json');
  writeFileSync(file, JSON.stringify(configuration));

  const done = new ExampleProgram('trigger-command.mjs', [file, 'led-lamp', 'setColor', '{"color":"#0000ff"}']);
  expect([await done.ended, done.text]).toEqual([0, expect.stringContaining('"outcome":"ok"')]);
  expect(applied).toMatchObject([{ command: 'setColor', fields: { color: '#0000ff' } }]);

  const refused = new ExampleProgram('trigger-command.mjs', [file, 'led-lamp', 'setColor', '{"color":"blue"}']);
  expect([await refused.ended, refused.text]).toEqual([4, expect.stringContaining('"outcome":"refused"')]);
});

test.each(['http', 'https'])('webhook-receiver.mjs prints readings that the base sends over %s', async (scheme) => {
  const folder = temporaryFolder();
  const { ca, cert, key } = makeCertificates();
  for (const [name, text] of Object.entries({ ca, cert, key })) writeFileSync(join(folder, `${name}.pem`), text);
  const tls = { TLS_CERT: join(folder, 'cert.pem'), TLS_KEY: join(folder, 'key.pem') };
  const environment = { HOOK_SECRET: 'a secret', PORT: '0', ...(scheme === 'https' ? tls : {}) };
  const receiver = new ExampleProgram('webhook-receiver.mjs', [], environment);
  const [, url] = await receiver.shows(/listening at (\S+)/);
  expect(url).toContain(`${scheme}://`);

  const thermometer = await simulated('thermometer');
  const trusted = scheme === 'https' ? { ca: join(folder, 'ca.pem') } : {};
  await startHouse({
    units: { known: thermometer.known() },
    webhooks: [{ url, secret: 'a secret', events: ['report'], ...trusted }],
  });
  await receiver.shows(/ report \{"id":"thermometer\/\d+\/1",.*"fields":\{"temperature":/);
});

test('webhook-receiver.mjs refuses a wrong signature, and prints an event that comes twice once', async () => {
  const receiver = new ExampleProgram('webhook-receiver.mjs', [], { HOOK_SECRET: 'a secret', PORT: '0' });
  const [, url] = await receiver.shows(/listening at (\S+)/);
  const body = JSON.stringify({ type: 'report', timestamp: '2026-01-01T00:00:00.000Z', data: { id: 'only-once' } });
  const post = async (secret: string, id: string): Promise<number> => {
    const headers = { ...signWebhook(secret, id, Math.floor(Date.now() / 1_000), body) };
    return (await fetch(url!, { method: 'POST', headers, body })).status;
  };
  expect(await post('another secret', 'one')).toBe(401);
  expect([await post('a secret', 'one'), await post('a secret', 'one')]).toEqual([204, 204]);
  expect(await post('a secret', 'two')).toBe(204);
  await receiver.shows(/only-once.*only-once/s);
  expect(receiver.text.match(/only-once/g)).toHaveLength(2);
});

test('webhook-receiver.mjs takes what either of two secrets signed, while the secret is changed', async () => {
  const environment = { HOOK_SECRET: 'new', HOOK_SECRET_PREVIOUS: 'old', PORT: '0' };
  const receiver = new ExampleProgram('webhook-receiver.mjs', [], environment);
  const [, url] = await receiver.shows(/listening at (\S+)/);
  const body = JSON.stringify({ type: 'report', timestamp: '2026-01-01T00:00:00.000Z', data: {} });
  const post = async (secret: string | readonly string[]): Promise<number> => {
    const headers = { ...signWebhook(secret, 'one', Math.floor(Date.now() / 1_000), body) };
    return (await fetch(url!, { method: 'POST', headers, body })).status;
  };
  expect([await post('new'), await post('old'), await post(['newer', 'new'])]).toEqual([204, 204, 204]);
  expect(await post(['newer', 'older'])).toBe(401);
});

test('custom-handler.mjs serves a protocol of its own: reports, commands and their answers', async () => {
  const [http, port] = [await freePort(), await freePort()];
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'base.json'), JSON.stringify({ http: { listen: `127.0.0.1:${http}` } }));
  const environment = { PORT: String(port), STATE_DIRECTORY: folder };
  const program = new ExampleProgram('custom-handler.mjs', [join(folder, 'base.json')], environment);
  await program.shows(/the base runs/);
  const token = readFileSync(join(folder, 'api-token'), 'utf8');
  const ask = async (path: string, body?: object): Promise<Record<string, unknown>> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const more = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const answer = await fetch(`http://127.0.0.1:${http}/api/v1/units/tank-1${path}`, { headers, ...more });
    return (await answer.json()) as Record<string, unknown>;
  };

  const device = connect(port, '127.0.0.1');
  onTestFinished(() => void device.destroy());
  device.write('id=tank-1\nlevel=4');
  device.write('2\nnonsense\n');
  const answered = once(device, 'data').then(([octets]) => {
    const [, number, payload] = /^#(\d+) (.*)\n$/.exec(String(octets))!;
    device.write(`#${Number(number) + 1} of another\n#${number} done\n`);
    return payload;
  });
  await expect
    .poll(() => ask(''), { timeout: 15_000 })
    .toMatchObject({ dialect: 'lines', state: 'online', last: { telemetry: { fields: { level: 42 } } } });
  expect(await ask('/commands', { command: 'request', payload: { pump: true } })).toMatchObject({
    outcome: 'ok',
    payload: { format: 'utf8', value: 'done' },
  });
  expect(await answered).toBe('{"pump":true}');
  expect(await ask('')).toMatchObject({ counts: { reports: 1, refused: 2 } });
  device.destroy();
  await expect.poll(() => ask(''), { timeout: 15_000 }).toMatchObject({ state: 'offline' });
});

/** A base with the cloud connector at that port; it asks devices for a token. */
async function connectorAt(port: number) {
  const { base } = await startHouse({
    connector: {
      websocket: `127.0.0.1:${port}`,
      http: '127.0.0.1:0',
      deviceAuth: { kind: 'bearer', token: 'token-of-devices' },
    },
  });
  const devices = async (): Promise<unknown> => (await fetch(`${base.connectorUrl}/devices`)).json();
  const command = async (id: string, payload: string): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify({ payload }) };
    return (await fetch(`${base.connectorUrl}/devices/command/${id}`, init)).json();
  };
  return { base, devices, command };
}

test('connector-devices.mjs connects devices, answers commands, and comes back when the base does', async () => {
  const port = await freePort();
  const first = await connectorAt(port);
  const words = ['127.0.0.1', String(port), '3'];
  const program = new ExampleProgram('connector-devices.mjs', words, { TOKEN: 'token-of-devices' });
  const all = { devices: expect.arrayContaining(['device-1', 'device-2', 'device-3']) };
  await expect.poll(first.devices, { timeout: 15_000 }).toMatchObject(all);
  expect(await first.command('device-2', 'on')).toEqual({ response: 'it is on', errors: '' });
  await program.shows(/device-2 command: on/);

  await first.base.stop();
  await program.shows(/device-1 closed .* again in/);
  const second = await connectorAt(port);
  await expect.poll(second.devices, { timeout: 15_000 }).toMatchObject(all);

  const stranger = new ExampleProgram('connector-devices.mjs', words, { NAME: 'stranger' });
  await stranger.shows(/stranger-1 .*401/);
});

const hasPython = spawnSync(PYTHON, ['-c', 'import websocket']).status === 0;

test.runIf(hasPython)('connector_device.py connects and answers', async () => {
  const port = await freePort();
  const { devices, command } = await connectorAt(port);
  const environment = { TOKEN: 'token-of-devices' };
  new ExampleProgram('connector_device.py', ['127.0.0.1', String(port), 'python-1'], environment);
  await expect.poll(devices, { timeout: 15_000 }).toEqual({ devices: ['python-1'] });
  expect(await command('python-1', 'blink')).toEqual({ response: 'done: blink', errors: '' });
});

test('every path of the API that a document names is in its description', async () => {
  const { base } = await startHouse({ http: { listen: '127.0.0.1:0' } });
  const headers = { authorization: 'Bearer token-of-the-test' };
  const answer = await fetch(`${base.apiUrl}/api/v1/openapi.json`, { headers });
  const { paths } = (await answer.json()) as { readonly paths: Readonly<Record<string, object>> };
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const named = inlineCode()
    .map(({ text }) => text)
    // What the concentrator has for its central is another server's.
    .filter((text) => /^(GET|POST|PUT|DELETE) \/(healthz|metrics|api\/)/.test(text))
    .map((text) => text.replace(/\/units\/(led-lamp|porch)\//, '/units/{unit}/').replace(/\?.*/, ''));
  expect(described).toEqual(expect.arrayContaining(named));
  expect(new Set(named).size).toBe(described.length);
});
