import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { loadDefinitions } from '../../base/config/definitions.js';
import { systemClock, systemRandom } from '../../base/system.js';
import { type ConnectorMessage, encodeMessage } from '../../protocol/connector/message.js';
import { simulate } from '../../simulator/simulate.js';
import { type Certificates, makeCertificates } from '../base/uplinks/certificates.js';
import { eventually, startHouse, temporaryFolder } from '../end-to-end/support/house.js';
import { type Block, blocks, tableRows } from './support/documents.js';

const PAGE = 'docs/cloud-connector.md';
const run = promisify(execFile);
const [plain, guarded] = blocks('json', [PAGE])
  .filter(({ kind }) => kind === '')
  .map(({ text }) => JSON.parse(text) as { readonly connector: object });
const [python] = blocks('python', [PAGE]);

/** The lines of the page that begin with `curl`, and the answer that is shown below each. */
interface Shown {
  readonly line: string;
  readonly answer: unknown;
}

function shownCalls(): Shown[] {
  const lineOf = ({ where }: Block): number => Number(where.split(':')[1]);
  const answers = blocks('json', [PAGE]).filter(({ kind }) => kind === 'connector-answer');
  return blocks('sh', [PAGE]).flatMap((block) => {
    if (!block.text.startsWith('curl ')) return [];
    const next = answers.find((answer) => lineOf(answer) === lineOf(block) + block.text.split('\n').length + 2);
    return next === undefined ? [] : [{ line: block.text.trim(), answer: JSON.parse(next.text) as unknown }];
  });
}

/** A figure is any figure; a text is that text, but for ids, addresses and states that differ each time. */
function alike(shown: unknown): unknown {
  if (typeof shown === 'number') return expect.any(Number);
  if (typeof shown === 'string') {
    if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(shown)) return expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    return /^[\d.]+:\d+$/.test(shown) ? expect.stringMatching(/^127\.0\.0\.1:\d+$/) : shown;
  }
  if (Array.isArray(shown)) return shown.map(alike);
  return Object.fromEntries(Object.entries(shown as object).map(([key, value]) => [key, alike(value)]));
}

const local = { websocket: '127.0.0.1:0', http: '127.0.0.1:0' };

/** A base of the page, on free ports. */
async function startConnector(connector: object, more: object = {}) {
  const house = await startHouse({ connector: { ...connector, ...local }, ...more });
  const portOf = (what: RegExp): string => {
    const line = house.log.find(({ message }) => what.test(message));
    return /:(\d+)\/?$/.exec(String(line?.fields.address ?? line?.fields.url))![1]!;
  };
  const [websocket, http] = [portOf(/devices may connect/), portOf(/API of the connector/)];
  const here = (text: string): string => text.replaceAll(':8080', `:${websocket}`).replaceAll(':9090', `:${http}`);
  const sh = async (line: string, cwd?: string): Promise<string> =>
    (await run('sh', ['-c', here(line)], { cwd, timeout: 15_000 })).stdout;
  return { ...house, here, sh };
}

/** The page's own device, until the end of the test. */
async function startDevice(house: Awaited<ReturnType<typeof startConnector>>, text = python!.text): Promise<string[]> {
  const file = join(temporaryFolder(), 'device.py');
  writeFileSync(file, house.here(text));
  const printed: string[] = [];
  // Debian's, whose packages the page installs.
  const child = spawn('/usr/bin/python3', ['-u', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (words: string) => void printed.push(words));
  const ended = new Promise((resolve) => child.once('close', resolve));
  onTestFinished(async () => {
    child.kill();
    await ended;
  });
  await eventually(
    `the device, which printed ${printed}`,
    () => house.base.router.get('greenhouse')?.state === 'online',
  );
  return printed;
}

let certificates: Certificates;
beforeAll(() => {
  certificates = makeCertificates();
});

/** A value with nothing but its names, in their order. */
const namesOf = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) => (typeof each === 'object' && each !== null ? each : 0));

async function startLamp() {
  const { definition } = (await loadDefinitions()).get('led-lamp')!;
  const parts = { clock: systemClock, random: systemRandom, hear: () => {} };
  const lamp = await simulate({ definition, uid: 'led-lamp', ...parts });
  onTestFinished(() => lamp.stop());
  return lamp;
}

test('the device of the page connects, is asked, and every answer is as the page shows it', async () => {
  const lamp = await startLamp();
  const house = await startConnector(plain!.connector, { units: { known: lamp.known() } });
  const printed = await startDevice(house);
  const telemetry = () => house.base.router.get('greenhouse')?.last.telemetry;
  await eventually('its report', () => telemetry() !== undefined);
  expect(telemetry()?.fields).toEqual({ temperature: 21.5 });

  const calls = shownCalls();
  expect(calls.length).toBeGreaterThan(6);
  for (const { line, answer } of calls) {
    const answered = JSON.parse(await house.sh(line)) as unknown;
    expect(answered, line).toEqual(alike(answer));
    expect(namesOf(answered), line).toBe(namesOf(answer));
  }
  expect(printed.join('')).toContain('command fan on\nquery how are you?\n');

  const [stream] = blocks('text', [PAGE]).filter(({ kind }) => kind === 'stream');
  const [command] = blocks('sh', [PAGE]).filter(({ text }) => text.includes('curl -sN'));
  const told = await fetch(house.here(/http:\S+/.exec(command!.text)![0]));
  let text = '';
  // The last of the figures that are told at the beginning.
  for await (const part of told.body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (text.includes('sse_subscribers')) break;
  }
  expect(text).toContain(stream!.text);
  expect(text.match(/^event: system_status$/gm)).toHaveLength(15);
});

test('devices and callers who must prove themselves do so as the page says', async () => {
  const folder = temporaryFolder();
  const [make, call] = blocks('sh', [PAGE])
    .find(({ text }) => text.startsWith('openssl'))!
    .text.trim()
    .split('\n');
  await run('sh', ['-c', make!], { cwd: folder });
  for (const [name, text] of Object.entries({ 'server.crt': certificates.cert, 'ca.pem': certificates.ca }))
    writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'server.key'), certificates.key, { mode: 0o600 });
  const placed = JSON.stringify(guarded!.connector)
    .replaceAll('"file:', `"file:${folder}/`)
    .replaceAll('"server.', `"${folder}/server.`);
  const house = await startConnector({ ...JSON.parse(placed), answerTimeoutS: 1 });
  const onThisMachine = call!.replace('base.example', 'localhost');
  expect(JSON.parse(await house.sh(onThisMachine, folder))).toEqual({ devices: [] });
  const withoutToken = onThisMachine.replace(/ -H .*/, '');
  expect(JSON.parse(await house.sh(withoutToken, folder))).toEqual({ error: 'The request has no token.' });

  const url = house.here('wss://localhost:8080/connect');
  const password = readFileSync(join(folder, 'devices.password'), 'utf8').trim();
  const connect = (headers: object): WebSocket =>
    new WebSocket(url, { ca: certificates.ca, headers: { device_id: 'greenhouse', ...headers } });
  const refused = once(connect({ authorization: 'Basic eDp5' }), 'unexpected-response');
  expect((await refused)[1]).toMatchObject({ statusCode: 401 });
  const authorization = `Basic ${Buffer.from(`device:${password}`).toString('base64')}`;
  const device = connect({ authorization });
  onTestFinished(() => device.terminate());
  await once(device, 'open');
  expect(JSON.parse(await house.sh(onThisMachine, folder))).toEqual({ devices: ['greenhouse'] });

  // It hears, and never answers.
  const asking = onThisMachine.replace('/devices', '/devices/query/greenhouse').concat(' -d x');
  const shown = tableRows(PAGE, 'Commands and queries').find(([status]) => status === '408')!;
  const timeout = { response: '', error: 'Device query timeout' };
  expect(JSON.parse(await house.sh(asking, folder))).toEqual(timeout);
  expect(shown.join()).toContain(timeout.error);

  const closed = once(device, 'close');
  const newer = connect({ authorization });
  onTestFinished(() => newer.terminate());
  const [code, reason] = (await closed) as [number, Buffer];
  expect([code, String(reason)]).toEqual([4000, 'replaced']);
});

test('a message to a device is as the page shows it', () => {
  const [block] = blocks('json', [PAGE]).filter(({ kind }) => kind === 'connector-message');
  const shown = JSON.parse(block!.text) as Record<string, never>;
  const { id, payload, timestamp } = shown;
  const message = {
    id,
    payload,
    timestamp,
    originRemoteAddress: shown.origin_remote_address,
    type: shown.message_type,
  };
  expect(encodeMessage(message as unknown as ConnectorMessage)).toBe(JSON.stringify(shown));
});
