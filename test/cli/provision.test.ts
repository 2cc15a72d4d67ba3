import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { loadDefinitions } from '../../base/config/definitions.js';
import { loadConfiguration } from '../../base/config/load-config.js';
import { exitCodeOf } from '../../cli/exit-codes.js';
import { showPorts } from '../../cli/provision/show-ports.js';
import { buildNative } from '../../codegen/native-build.js';
import { toHex } from '../../protocol/octets.js';
import { encodeImprov, type ImprovPacket, improvCommands, improvRpc } from '../../protocol/serial/improv.js';
import { ImprovReader } from '../../protocol/serial/improv-reader.js';
import { FarEnd, SerialLine } from '../base/links/serial/serial-line.js';
import { SerialBoard } from '../process/support/serial-firmware.js';
import { root, temporaryFolder } from './support/program.js';
import { printed, runHere } from './support/run-here.js';

const PASSWORD = 'correct horse';

// To compile it may take longer than a test.
beforeAll(() => buildNative('thermometer', { root }));
beforeEach(() => {
  vi.stubEnv('WIFI', PASSWORD);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** `baseunit provision hall …` at a board, with the keys of that folder. Rejects as the command does. */
const provision = (board: { readonly path: string }, cwd: string, ...words: readonly string[]): Promise<string> =>
  runHere(['provision', 'hall', '--port', board.path, '-c', join(cwd, 'base.json'), ...words]);
const toWifi = (name: string) => ['--wifi', name, '--password', 'env:WIFI'];
const refusal = (message: RegExp, code = 'provisioning-failed') => ({ code, message: expect.stringMatching(message) });

test('a board as it was flashed: what it is, UID, a new key, Wi-Fi, and lines that work in the configuration', async () => {
  const board = await SerialBoard.plugged('thermometer');
  const cwd = temporaryFolder();
  const out = await provision(board, cwd, ...toWifi('home'));
  const file = join(cwd, 'keys', 'hall.key');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const key = readFileSync(file, 'utf8').trim();
  for (const secret of [key, PASSWORD]) expect(out).not.toContain(secret);
  expect(out).toContain(`At ${board.path} is thermometer 1.0.0 on native, without a UID.`);
  expect(out).toContain('It has joined.');

  const [, lines] = /In .*base\.json, under units\.known:\n(.*)\n/.exec(out)!;
  const base = join(cwd, 'base.json');
  writeFileSync(base, `{ "discovery": {}, "units": { "known": { ${lines} } } }`, { mode: 0o600 });
  const { configuration, warnings } = loadConfiguration(base, await loadDefinitions());
  const [known] = configuration.units!.known;
  expect([known!.uid, known!.address, toHex(known!.key!), warnings]).toEqual(['hall', 'mdns', key, []]);

  // Once more, in its first minute: it keeps its key, and there is nothing of another one.
  const again = await provision(board, cwd, '--base', '192.168.1.2', '--json');
  expect(JSON.parse(again)).toEqual({
    unit: 'hall',
    port: board.path,
    definition: 'thermometer',
    version: '1.0.0',
    chip: 'native',
    previousUid: 'hall',
    hasIdentity: true,
    keyFile: null,
    wifi: null,
    configured: { definition: 'thermometer', key: 'file:keys/hall.key' },
  });
  expect(readFileSync(file, 'utf8').trim()).toBe(key);

  await provision(board, cwd, '--new-key');
  expect(readFileSync(`${file}.previous`, 'utf8').trim()).toBe(key);
  expect(readFileSync(file, 'utf8').trim()).toMatch(/^(?!undefined)[0-9a-f]{32}$/);
  expect(readFileSync(file, 'utf8').trim()).not.toBe(key);
  expect(existsSync(`${file}.new`)).toBe(false);
});

test('a wrong password, or a network out of reach, is said in plain words', async () => {
  const board = await SerialBoard.plugged('thermometer');
  const cwd = temporaryFolder();
  const failing = provision(board, cwd, ...toWifi('nowhere'));
  await expect(failing).rejects.toMatchObject(
    refusal(/^the unit cannot join that Wi-Fi: its name or password is wrong/),
  );
  const error = await failing.catch((caught: Error) => caught);
  expect(exitCodeOf(error)).toBe(2);
  // The unit has its UID and key all the same, and may be told another one's password.
  await provision(board, cwd, ...toWifi('home'));
});

test('a unit with a key takes no other one later than its first minute: unplug it, and nothing of the new key is left', async () => {
  const board = await SerialBoard.plugged('thermometer');
  const cwd = temporaryFolder();
  await provision(board, cwd);
  await board.unplug();
  // Not by power: as after a restart of its own.
  await board.plug(['--reset-reason', '4']);
  const other = temporaryFolder();
  const refused = refusal(/unplug the board, plug it in, and try again within 60 s/);
  await expect(provision(board, other)).rejects.toMatchObject(refused);
  expect(existsSync(join(other, 'keys', 'hall.key'))).toBe(false);
  expect(existsSync(join(other, 'keys', 'hall.key.new'))).toBe(false);
});

test('a board that is gone before it has answered may have its new key: it is kept, and said where', async () => {
  const line = await SerialLine.plugged();
  const unit = await FarEnd.at(line);
  const cwd = temporaryFolder();
  const pending = join(cwd, 'keys', 'hall.key.new');
  const reader = new ImprovReader();
  let told: Uint8Array | undefined;
  unit.onHeard = () => {
    for (const packet of reader.push(unit.take())) {
      if (packet.kind !== 'rpc') continue;
      if (packet.command === improvCommands.state)
        void unit.write(encodeImprov({ kind: 'state', state: 'provisioned' }));
      else if (packet.command === improvCommands.device)
        void unit.write(encodeImprov({ kind: 'result', command: 3, texts: ['thermometer', '1.0.0', 'ESP8266', ''] }));
      else {
        told = packet.data.subarray(1 + 'hall'.length, 1 + 'hall'.length + 16);
        void line.unplug();
      }
    }
  };
  await expect(provision(line, cwd)).rejects.toMatchObject(
    refusal(
      /^the unit did not say whether it has its new key, which is in .*hall\.key\.new until .* unplug/,
      'link-lost',
    ),
  );
  expect(readFileSync(pending, 'utf8').trim()).toBe(toHex(told!));
  expect(existsSync(join(cwd, 'keys', 'hall.key'))).toBe(false);
});

test('a port that is not there, options that contradict each other, and what is too long, before anything is done', async () => {
  const cwd = temporaryFolder();
  const board = { path: join(cwd, 'ttyUSB7') };
  const cases: [readonly string[], RegExp][] = [
    [['--password', 'env:WIFI'], /--password is for a Wi-Fi/],
    [['--wifi', 'home'], /no terminal to ask for the password/],
    [['--wifi', 'home', '--password', 'secret'], /write env:NAME or file:path/],
    [['--wifi', 'n'.repeat(33), '--no-password'], /--wifi must have 1 to 32 octets, not 33/],
    [['--base', `${'b'.repeat(60)}:8888`], /--base must have 1 to 64 octets, not 65/],
  ];
  for (const [words, message] of cases)
    await expect(provision(board, cwd, ...words)).rejects.toMatchObject(refusal(message, 'config-invalid'));
  const absent = provision(board, cwd);
  await expect(absent).rejects.toMatchObject(refusal(/ttyUSB7 is not there .*plug the board in/, 'connect-failed'));
  expect(exitCodeOf(await absent.catch((error: Error) => error))).toBe(3);
  expect(existsSync(join(cwd, 'keys'))).toBe(false);
});

test('a key that is named is given, and named in the configuration; what is none is refused', async () => {
  const board = await SerialBoard.plugged('thermometer');
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'own.key'), `${'4b'.repeat(16)}\n`, { mode: 0o600 });
  writeFileSync(join(cwd, 'no.key'), 'not a key', { mode: 0o600 });
  const own = `file:${join(cwd, 'own.key')}`;
  const done = JSON.parse(await provision(board, cwd, '--key', own, '--json'));
  expect(done).toMatchObject({ configured: { key: 'file:own.key', address: `serial:${board.path}` } });
  expect(existsSync(join(cwd, 'keys'))).toBe(false);
  for (const [words, message] of [
    [['--key', `file:${join(cwd, 'no.key')}`], /holds no key/],
    [['--key', '4b'.repeat(16)], /not the key itself/],
    [['--key', own, '--new-key'], /contradict/],
  ] as const)
    await expect(provision(board, cwd, ...words)).rejects.toMatchObject(refusal(message, 'config-invalid'));
});

test('the password is asked for on a terminal, and not shown', async () => {
  const board = await SerialBoard.plugged('thermometer');
  const script = join(root, 'cli', 'baseunit.mjs');
  const words = [process.execPath, script, 'provision', 'hall', '--port', board.path, '--wifi', 'home'];
  // `script` gives a terminal to what it runs.
  const terminal = spawn('script', ['-qec', words.map((word) => `'${word}'`).join(' '), '/dev/null'], {
    cwd: temporaryFolder(),
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void terminal.kill('SIGKILL'));
  let out = '';
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    // Typed, with a slip that is taken back.
    if (text.includes('Password of the Wi-Fi "home": ')) terminal.stdin.end(`${PASSWORD}x\x7f\r`);
  });
  await once(terminal, 'close');
  expect(out).toContain('It has joined.');
  expect(out).not.toContain(PASSWORD);
});

test('a line unit is told its Wi-Fi alone', async () => {
  const line = await SerialLine.plugged();
  const unit = await FarEnd.at(line);
  const told: ImprovPacket[] = [];
  const answers: Readonly<Record<number, ImprovPacket>> = {
    [improvCommands.state]: { kind: 'state', state: 'ready' },
    [improvCommands.device]: { kind: 'result', command: 3, texts: ['light-sensor', '1.0.0', 'ESP8266', ''] },
    [improvCommands.wifi]: { kind: 'result', command: 1, texts: [] },
  };
  const reader = new ImprovReader();
  unit.onHeard = () => {
    for (const packet of reader.push(unit.take())) {
      told.push(packet);
      if (packet.kind === 'rpc') void unit.write(encodeImprov(answers[packet.command]!));
    }
  };
  const cwd = temporaryFolder();
  const done = JSON.parse(await provision(line, cwd, ...toWifi('home'), '--json'));
  expect(done).toMatchObject({ hasIdentity: false, wifi: 'home', configured: { definition: 'light-sensor' } });
  expect(told.at(-1)).toEqual(improvRpc.wifi('home', PASSWORD));
  expect(existsSync(join(cwd, 'keys'))).toBe(false);
  for (const [words, message] of [
    [[], /all it can be told is its Wi-Fi/],
    [['--new-key', ...toWifi('home')], /without UID and key: leave --new-key away/],
    [['--base', '192.168.1.2', ...toWifi('home')], /leave --base away/],
  ] as const)
    await expect(provision(line, cwd, ...words)).rejects.toMatchObject(refusal(message, 'config-invalid'));
  expect(told.filter((packet) => packet.kind === 'rpc' && packet.command === improvCommands.identity)).toEqual([]);
});

test('units --serial: ports, what they are, and who is configured at them, without a base', async () => {
  const root = temporaryFolder();
  for (const name of ['ttyUSB0', 'ttyACM0']) {
    mkdirSync(join(root, 'dev'), { recursive: true });
    writeFileSync(join(root, 'dev', name), '');
  }
  const device = join(root, 'sys', 'class', 'tty', 'ttyUSB0', 'device');
  mkdirSync(device, { recursive: true });
  for (const [name, text] of [
    ['idVendor', '1a86'],
    ['idProduct', '7523'],
    ['product', 'USB Serial\u001b'],
  ] as const)
    writeFileSync(join(device, name), text);
  const config = join(root, 'base.json');
  const known = {
    hall: { address: 'serial:/dev/ttyUSB0' },
    shed: { address: 'serial:/dev/ttyUSB7@9600' },
    lamp: { address: '192.168.1.20' },
    odd: null,
  };
  writeFileSync(config, JSON.stringify({ units: { known } }));
  const shown = await printed(() => showPorts({ config }, false, root));
  expect(shown.split('\n')).toEqual([
    expect.stringMatching(/^PORT +BOARD +USB +SERIAL NUMBER +UNIT$/),
    expect.stringMatching(/^\/dev\/ttyACM0 +- +- +- +-$/),
    expect.stringMatching(/^\/dev\/ttyUSB0 +USB Serial\\u001b +1a86:7523 +- +hall$/),
    'shed is configured at /dev/ttyUSB7.',
    '',
  ]);
  const json = JSON.parse(await printed(() => showPorts({ config }, true, root)));
  expect(json.ports[1]).toEqual({
    path: '/dev/ttyUSB0',
    product: 'USB Serial\u001b',
    vendorId: '1a86',
    productId: '7523',
    users: [{ unit: 'hall' }],
  });
  expect(await printed(() => showPorts({ config: join(root, 'none.json') }, false, join(root, 'sys')))).toMatch(
    /^No board is plugged in/,
  );
});
