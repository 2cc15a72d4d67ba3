import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ElfinClient } from '../../clients/elfin/index.js';
import { eventually, startHouse } from '../end-to-end/support/house.js';
import { Program, temporaryFolder } from './support/program.js';
import { runHere } from './support/run-here.js';

const MAC = 'F0:FE:6B:01:02:03';
const TOKEN = 'token-of-the-test';
const local = '127.0.0.1:0';
const configuration = { http: { listen: local }, elfin: { lineTcp: local } };

/** A folder with a configuration, and commands about it. */
function project(written: object = configuration) {
  const folder = temporaryFolder();
  const file = join(folder, 'base.json');
  writeFileSync(file, JSON.stringify(written), { mode: 0o600 });
  const run = (...words: string[]): Promise<string> => runHere(['elfin', ...words, '-c', file]);
  const json = async (...words: string[]): Promise<unknown> => JSON.parse(await run(...words, '--json'));
  return { folder, stateFolder: join(folder, '.baseunit'), run, json };
}

/** The base of that folder, in this process, and commands that are sent to it. */
async function running({ stateFolder }: { readonly stateFolder: string }) {
  const { base, log } = await startHouse(configuration, undefined, undefined, stateFolder);
  const line = log.find(({ message }) => message === 'Elfin devices may connect');
  const port = Number(/:(\d+)$/.exec(String(line?.fields.address))![1]);
  const run = (...words: string[]): Promise<string> =>
    runHere(['elfin', ...words, '--url', base.apiUrl!, '--token', TOKEN]);
  const json = async (...words: string[]): Promise<unknown> => JSON.parse(await run(...words, '--json'));
  const device = async (user: string, secret?: string): Promise<ElfinClient> => {
    const client = await ElfinClient.connect({ host: '127.0.0.1', port, user, secret });
    onTestFinished(() => client.close());
    client.beat({ mac: MAC, host: 'EW11' });
    await eventually('the device', () => base.router.get(MAC)?.state === 'online');
    return client;
  };
  return { base, port, run, json, device };
}

const filesWith = (folder: string, text: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[]).filter(
    (name) => statSync(join(folder, name)).isFile() && readFileSync(join(folder, name)).includes(text),
  );

test('users are kept before a base has run, and are there when it runs; no secret is on the disk', async () => {
  const { run, json, stateFolder } = project();
  expect(await run('users')).toBe('There are no users. Add one: baseunit elfin users add\n');
  const shed = (await json('users', 'add', 'shed', '--name', 'The shed', '--new-secret')) as { secret: string };
  expect(shed).toEqual({
    ...{ uuid: 'shed', name: 'The shed', hasSecret: true, devices: 0 },
    secret: expect.stringMatching(/^[\w-]{32}$/),
  });
  const made = (await json('users', 'add')) as { uuid: string };
  expect(made).toEqual({ uuid: expect.stringMatching(/^[0-9a-f-]{36}$/), hasSecret: false, devices: 0 });
  expect(statSync(stateFolder).mode & 0o777).toBe(0o700);
  expect(filesWith(stateFolder, shed.secret)).toEqual([]);
  expect(filesWith(stateFolder, 'The shed')).not.toEqual([]);
  expect(await run('users', 'list')).toMatch(/^USER +NAME +SECRET +DEVICES\n.*shed +The shed +yes +0$/ms);
  // What is left out stays.
  expect(await json('users', 'add', 'shed', '--name', 'Shed')).toMatchObject({ name: 'Shed', hasSecret: true });
  expect(await run('users', 'remove', made.uuid)).toBe(`The user ${made.uuid} is removed, with its devices.\n`);

  const base = await running({ stateFolder });
  const device = await base.device('shed', shed.secret);
  expect(await base.json('users')).toEqual({ users: [{ uuid: 'shed', name: 'Shed', hasSecret: true, devices: 1 }] });
  await device.close();
  await base.base.stop();

  // The device goes with its user.
  expect(await json('users')).toMatchObject({ users: [{ uuid: 'shed', devices: 1 }] });
  expect(await json('users', 'remove', 'shed')).toEqual({ user: 'shed', removed: true });
  await run('users', 'add', 'shed');
  expect(await json('users')).toEqual({ users: [{ uuid: 'shed', hasSecret: false, devices: 0 }] });
  await expect(run('users', 'remove', 'nobody')).rejects.toMatchObject({
    code: 'request-refused',
    message: 'there is no user "nobody"',
  });
});

test('users, devices and tunnels of a base that runs', async () => {
  const { stateFolder, folder } = project();
  const { run, json, device, port } = await running({ stateFolder });
  expect([await run('devices'), await run('tunnels')]).toEqual([
    'No device has said a word yet.\n',
    'There are no tunnels.\n',
  ]);
  const file = join(folder, 'shed.secret');
  writeFileSync(file, 'long enough\n', { mode: 0o600 });
  const added = await run('users', 'add', 'shed', '--secret', `file:${file}`);
  expect(added).toBe('The user shed is there, with a secret; devices: 0.\n');
  const shown = await run('users', 'add', 'barn', '--name', 'Barn', '--new-secret');
  const secret = /this once: (\S+)$/m.exec(shown)![1]!;
  expect(shown).toContain(`wrote the uuid: barn:${secret}\n`);

  const adapter = await device('shed', 'long enough');
  const client = await ElfinClient.connect({ host: '127.0.0.1', port, user: 'shed', secret: 'long enough' });
  onTestFinished(() => client.close());
  const tunnel = await client.connectMe(MAC);
  tunnel.write('four');
  adapter.tunnel!.write('seven..');
  await eventually('the answer', () => tunnel.readableLength === 7);
  expect(await run('devices')).toMatch(/^DEVICE .*\nF0:FE:6B:01:02:03 +shed +EW11 +online +20\d\d-\S+Z\n$/);
  expect(await json('devices', 'barn')).toEqual({ devices: [] });
  expect(await json('devices', 'shed')).toMatchObject({ devices: [{ unit: MAC, user: 'shed', isOnline: true }] });
  expect(await run('tunnels')).toMatch(
    /^USER .*\nshed +127\.0\.0\.1:\d+ +4 octets +F0:FE:6B:01:02:03 +7 octets +20\d\d-\S+Z\n$/,
  );
  expect(await json('tunnels')).toMatchObject({ tunnels: [{ user: 'shed', ends: [{ octets: 4 }, { unit: MAC }] }] });

  expect(await run('users', 'add', 'shed', '--no-secret')).toContain('without a secret');
  expect(await run('users', 'remove', 'shed')).toContain('shed is removed');
  await expect(run('users', 'remove', 'shed')).rejects.toMatchObject({
    code: 'request-refused',
    message: expect.stringContaining('there are: barn'),
  });
  await expect(run('users', 'add', 'a;b')).rejects.toMatchObject({ code: 'request-refused' });
});

test('what cannot be is refused, and no secret is shown', async () => {
  const { run } = project();
  const add = (...words: string[]): Promise<string> => run('users', 'add', 'shed', ...words);
  const refused = async (tried: Promise<string>, code: string, message: string): Promise<void> => {
    await expect(tried).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
    await expect(tried).rejects.not.toMatchObject({ message: expect.stringContaining('do-not-show') });
  };
  await refused(add('--secret', 'do-not-show'), 'config-invalid', 'write env:NAME or file:path, not the secret itself');
  await refused(add('--secret', 'env:NOT_SET'), 'secret-missing', '--secret names the environment variable NOT_SET');
  process.env.SHORT = 'do-not-show;';
  onTestFinished(() => void delete process.env.SHORT);
  await refused(add('--secret', 'env:SHORT'), 'request-refused', 'a secret has 8 to 64 characters'.slice(9));
  await refused(add('--secret', 'env:SHORT', '--new-secret'), 'config-invalid', 'one of these');
  await refused(add('--name', 'n'.repeat(129)), 'request-refused', 'at most 128 characters');
  await refused(run('users', 'add', 'a:b'), 'request-refused', 'a user has 1 to 64');
  await refused(run('devices'), 'connect-failed', 'no base is running here');
  const connect = (...words: string[]): Promise<string> => runHere(['elfin', 'connect', 'shed', MAC, ...words]);
  await refused(connect('--secret', 'do-not-show'), 'config-invalid', 'not the secret itself');
  await refused(connect('--ca', 'none.pem'), 'config-unreadable', 'none.pem cannot be read');
  await refused(connect('--address', '127.0.0.1:1'), 'connect-failed', '127.0.0.1:1 cannot be reached');
  await refused(project({}).run('users'), 'config-invalid', 'no section "elfin"');
});

test('connect: 100 KB of a file through a tunnel to a device that echoes, and back into a file', async () => {
  const { stateFolder, run: _, ...offline } = project();
  await offline.json('users', 'add', 'shed');
  const { device, port } = await running({ stateFolder });
  const echo = await device('shed');
  echo.tunnel!.pipe(echo.tunnel!);
  const cwd = temporaryFolder();
  const payload = randomBytes(100_000);
  writeFileSync(join(cwd, 'in'), payload);
  const under = ['sh', '-c', 'exec "$@" <in >out', 'sh'];
  const words = ['elfin', 'connect', 'shed', MAC, '--address', `127.0.0.1:${port}`, '--wait', '2'];
  const [good, nobody] = await Promise.all([
    new Program(words, { cwd, under }).ended,
    new Program(words.with(3, '00:00:00:00:00:00')).ended,
  ]);
  expect(good).toEqual({ code: 0, out: '', err: '' });
  expect(readFileSync(join(cwd, 'out')).equals(payload)).toBe(true);
  expect(nobody).toMatchObject({ code: 3, out: '', err: expect.stringContaining('opens no tunnel to 00:00:00') });
}, 60_000);
