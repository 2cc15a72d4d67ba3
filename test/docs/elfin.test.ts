import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { defaultElfinLimits as limits } from '../../base/dialects/elfin/elfin-limits.js';
import { ElfinClient } from '../../clients/elfin/index.js';
import { MAX_SECRET_CHARACTERS, MAX_UUID_CHARACTERS, MIN_SECRET_CHARACTERS } from '../../protocol/elfin/account.js';
import { decodeControl, decodeDataHead, MAX_DATA_OCTETS } from '../../protocol/elfin/message.js';
import { runHere } from '../cli/support/run-here.js';
import { eventually, startHouse, temporaryFolder } from '../end-to-end/support/house.js';
import { blocks, codeIn, proseOf, root, tableRows } from './support/documents.js';
import { ExampleProgram } from './support/example-program.js';

const PAGE = 'docs/elfin.md';
const MAC = 'F0:FE:6B:01:02:03';
const [first] = blocks('json', [PAGE]).map(({ text }) => JSON.parse(text) as { readonly elfin: object });
const lines = blocks('sh', [PAGE]).flatMap(({ text }) => text.trim().split('\n'));

// The example imports what a user imports: the compiled package.
beforeAll(() => void execFileSync(process.execPath, ['scripts/prepare.mjs', 'build'], { cwd: root, stdio: 'pipe' }));

/** The line of the page that has this in it. */
function shown(part: string): string {
  const line = lines.find((each) => each.includes(part));
  if (line === undefined) throw new Error(`${PAGE} shows nothing with ${part}`);
  return line;
}

test('what the page tries works: a user, a device, and its answer', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'base.json');
  writeFileSync(file, JSON.stringify(first), { mode: 0o600 });
  await promisify(execFile)('sh', ['-c', shown('openssl rand')], { cwd: folder });
  const secret = readFileSync(join(folder, 'shed.secret'), 'utf8').trim();
  const named = (line: string): string[] =>
    / baseunit (.*)$/.exec(line)![1]!.replaceAll('file:', `file:${folder}/`).split(' ');
  expect(await runHere([...named(shown('users add shed')), '-c', file])).toContain('The user shed is there');

  const local = '127.0.0.1:0';
  const configuration = { http: { listen: local }, elfin: { ...first!.elfin, lineTcp: local } };
  const { base, log } = await startHouse(configuration, undefined, undefined, join(dirname(file), '.baseunit'));
  const told = log.find(({ message }) => message === 'Elfin devices may connect');
  const port = /:(\d+)$/.exec(String(told?.fields.address))![1]!;
  const [, program, words] = /node examples\/(\S+) (.*)$/.exec(shown('examples/elfin-adapter.mjs'))!;
  const adapter = new ExampleProgram(program!, words!.split(' '), { USER_SECRET: secret, PORT: port });
  await adapter.shows(/connected/);
  await eventually('the device', () => base.router.get(MAC)?.state === 'online');
  expect(await runHere(['elfin', 'devices', '--url', base.apiUrl!, '--token', 'token-of-the-test'])).toMatch(
    new RegExp(`^${MAC} +shed +example +online`, 'm'),
  );

  const script = join(root, 'cli', 'baseunit.mjs');
  const line = shown('printf')
    .replace('npx baseunit', `${process.execPath} ${script}`)
    .replace(' | od', ` --address 127.0.0.1:${port} | od`);
  const { stdout } = await promisify(execFile)('sh', ['-c', line], { cwd: folder });
  const [answer] = /01 03 [0-9a-f ]+/.exec(stdout)!;
  expect(proseOf(PAGE)).toContain(`\`${answer.trim()}\``);
  await adapter.shows(new RegExp(`received ${answer.replaceAll(' ', '').trim()}`));

  // The program of the page.
  const client = await ElfinClient.connect({ host: '127.0.0.1', port: Number(port), user: 'shed', secret });
  onTestFinished(() => client.close());
  const device = (await client.query()).find(({ isOnline }) => isOnline)!;
  const tunnel = await client.connectMe(device.mac);
  tunnel.write(Buffer.from('010300000001840a', 'hex'));
  await eventually('the echo', () => tunnel.readableLength === 8);
  await base.stop();
  await adapter.shows(/closed the connection/);
}, 60_000);

test('what goes into the form of an adapter is a message, and so is every one of the table', () => {
  const [beat, head] = tableRows(PAGE, 'Setting up adapters and programs').flatMap(([, text]) => codeIn(text) ?? []);
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const account = { uuid: 'shed', secret: 'SECRET' };
  const device = { account, mac: 'F0FE6B010203', host: 'EW11 of the lathe', type: '0' };
  expect(decodeControl(encode(beat!))).toEqual({ kind: 'beat', ...device });
  expect(decodeDataHead(encode(head!))).toEqual(device);
  const messages = tableRows(PAGE, 'Messages').flatMap(([message]) => codeIn(message) ?? []);
  expect(messages.map((message) => message.split(';')[0])).toEqual(['beat', 'data', 'connme', 'connthem', 'query']);
  for (const message of messages) {
    const written = message.replaceAll('<mac>', MAC).replace(/<(\w+)>/g, '$1');
    const read = message.startsWith('data')
      ? decodeDataHead(encode(written.replace('payload', '')))
      : decodeControl(encode(written));
    expect(read, message).not.toBeInstanceOf(Error);
  }
  const answers = tableRows(PAGE, 'Messages').flatMap((row) =>
    [...row[2]!.matchAll(/`([^`]+)`/g)].map(([, text]) => text!),
  );
  for (const answer of answers) expect(() => JSON.parse(answer), answer).not.toThrow();
});

const thousands = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ' ');
const s = (ms: number): string => `${ms / 1_000} s`;
const KiB = (octets: number): string => `${octets / 1_024} KiB`;

test('the table of limits says what the source says', () => {
  expect(
    tableRows(PAGE, 'Limits')
      .slice(1)
      .map(([, much]) => much),
  ).toEqual([
    thousands(limits.users),
    `${thousands(limits.devices)}, of one user ${thousands(limits.devicesPerUser)}`,
    `${limits.controlOctets} octets`,
    `${limits.hostCharacters} characters`,
    `${limits.messagesPerS} a second, ${limits.messageBurst} at once`,
    thousands(limits.connections),
    `${limits.unproved}, of one address ${limits.unprovedPerAddress}, for ${s(limits.proveMs)}`,
    `${limits.loginFailures} in a minute`,
    `${KiB(limits.unsentOctets)}, for ${s(limits.stalledMs)}`,
  ]);
});

test.each([
  `1 to ${MAX_UUID_CHARACTERS} printable characters`,
  `A secret has ${MIN_SECRET_CHARACTERS} to ${MAX_SECRET_CHARACTERS} characters`,
  `After ${limits.loginFailures} wrong secrets`,
  `silent for ${s(limits.onlineMs)}`,
  `at most once in ${s(limits.recordEveryMs)}, and once more`,
  `What waits for it is ${KiB(limits.unsentOctets)} at most`,
  `takes nothing for ${s(limits.stalledMs)} is cut`,
  `as large as ${thousands(MAX_DATA_OCTETS)}`,
])('the page says "%s", as the source does', (words) => {
  expect(proseOf(PAGE)).toContain(words);
});
