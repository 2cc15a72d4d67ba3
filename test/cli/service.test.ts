import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { credentialName } from '../../base/config/credentials.js';
import { commandLine } from '../../cli/main.js';
import { planService } from '../../cli/service-plan.js';
import { serviceUnit, shownFolders, UNIT_MARK } from '../../cli/service-unit.js';
import { root, temporaryFolder } from './support/program.js';

const options = {
  name: 'baseunit',
  description: 'baseunit home',
  node: process.execPath,
  project: root,
  config: '/home/pi/house/base.json',
  folders: ['/home/pi/house', '/usr'],
  credentials: new Map([['base.json.1', '/home/pi/house/base.json']]),
  shutdownMs: 8_000,
  hasSerialPorts: false,
};

/** Settings of a unit; of one that is there several times, all. */
function settingsOf(unit: string): Map<string, string[]> {
  const settings = new Map<string, string[]>();
  for (const [, name, value] of unit.matchAll(/^([A-Za-z]+)=(.*)$/gm))
    settings.set(name!, [...(settings.get(name!) ?? []), value!]);
  return settings;
}

/** The configuration of a house, in a folder that everybody may look into; secrets of its own. */
function house(content: object = {}): { folder: string; config: string } {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'keys'), { mode: 0o700 });
  writeFileSync(join(folder, 'keys', 'hook'), 'a secret', { mode: 0o600 });
  const config = join(folder, 'base.json');
  const webhooks = [{ url: 'https://example.org', secret: 'file:keys/hook' }];
  writeFileSync(config, JSON.stringify({ name: 'home', webhooks, ...content }), { mode: 0o600 });
  return { folder, config };
}

describe('the unit', () => {
  test('has every item of the bounds that are set for it, and lets Node compile', () => {
    const settings = settingsOf(serviceUnit(options));
    const wanted = {
      Type: 'notify',
      NotifyAccess: 'all',
      WatchdogSec: '30',
      Restart: 'always',
      RestartSec: '1',
      StartLimitIntervalSec: '5min',
      StartLimitBurst: '10',
      TimeoutStopSec: '10',
      DynamicUser: 'yes',
      StateDirectory: 'baseunit',
      ProtectSystem: 'strict',
      ProtectHome: 'tmpfs',
      PrivateTmp: 'yes',
      PrivateDevices: 'yes',
      PrivateUsers: 'yes',
      CapabilityBoundingSet: '',
      NoNewPrivileges: 'yes',
      UMask: '0077',
      MemoryMax: '512M',
      TasksMax: '64',
      LimitNOFILE: '65536',
    };
    for (const [name, value] of Object.entries(wanted)) expect([name, settings.get(name)]).toEqual([name, [value]]);
    expect(settings.get('SystemCallFilter')).toEqual(['@system-service', '~@privileged @resources']);
    for (const name of ['AddressFamilies', 'Namespaces', 'Realtime', 'SUIDSGID'])
      expect(settings.has(`Restrict${name}`)).toBe(true);
    expect(settings.has('MemoryDenyWriteExecute')).toBe(false);
  });

  test('is waited for longer than the base takes to end', () => {
    const stopS = (shutdownMs: number) => settingsOf(serviceUnit({ ...options, shutdownMs })).get('TimeoutStopSec');
    expect([stopS(1_000), stopS(8_000), stopS(9_000), stopS(60_000)]).toEqual([['10'], ['10'], ['11'], ['62']]);
  });

  test('shows of homes what it is to read, each once, and of the rest nothing, which is there anyway', () => {
    expect(
      shownFolders(['/home/pi/baseunit/house', '/home/pi/baseunit', '/opt/x', '/root/.nvm', '/home/pi/baseunit']),
    ).toEqual(['/home/pi/baseunit', '/root/.nvm']);
    expect(shownFolders(['/homework', '/etc', '/var/tmp/house'])).toEqual(['/var/tmp/house']);
    expect(settingsOf(serviceUnit(options)).get('BindReadOnlyPaths')).toContain('/home/pi/house');
  });

  test('has serial ports, and no other device, when a unit is at one', async () => {
    const { config } = house({
      units: { known: { light: { definition: 'light-sensor', address: 'serial:/dev/ttyUSB0' } } },
    });
    const settings = settingsOf((await planService({ config, name: 'baseunit' })).unit);
    expect(settings.has('PrivateDevices')).toBe(false);
    expect(settings.get('DevicePolicy')).toEqual(['closed']);
    expect(settings.get('DeviceAllow')).toContain('char-ttyUSB rw');
    expect(settings.get('SupplementaryGroups')).toEqual(['dialout']);
  });

  // What is left is what it needs: the network, the program systemd-notify, Node, which compiles, and serial ports.
  test.each([
    [false, 1.3],
    [true, 1.7],
  ])(
    'is one that systemd understands without a complaint, and finds safe (serial ports: %s)',
    (hasSerialPorts, most) => {
      const folder = temporaryFolder();
      const file = join(folder, 'baseunit.service');
      writeFileSync(file, serviceUnit({ ...options, hasSerialPorts }));
      const analyze = (...words: string[]): string =>
        execFileSync('systemd-analyze', [...words, file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
      const said = execFileSync('sh', ['-c', `systemd-analyze verify '${file}' 2>&1`], { encoding: 'utf8' });
      expect(said.split('\n').filter((line) => line.includes('baseunit.service'))).toEqual([]);
      const [, exposure] = /Overall exposure level for baseunit\.service: ([\d.]+)/.exec(
        analyze('security', '--offline=true', '--no-pager'),
      )!;
      expect(Number(exposure)).toBeLessThanOrEqual(most);
    },
  );
});

describe('the service of a configuration', () => {
  test('reads the configuration and its secrets through systemd’s copies', async () => {
    const { folder, config } = house();
    const { unit, warnings } = await planService({ config, name: 'house-2' });
    const copies = [config, join(folder, 'keys', 'hook')].map((path) => `${credentialName(path)}:${path}`);
    expect(settingsOf(unit).get('LoadCredential')).toEqual(copies);
    expect(settingsOf(unit).get('ExecStart')).toEqual([
      `${process.execPath} ${root}/cli/baseunit.mjs run -c ${config}`,
    ]);
    expect(settingsOf(unit).get('StateDirectory')).toEqual(['house-2']);
    expect(warnings).toEqual([]);
    expect(unit).not.toContain('a secret');
  });

  test('says what it may not write, and which secrets its environment lacks', async () => {
    process.env.HOOK_OF_TEST = 'x';
    const { config, folder } = house({
      store: { file: 'house.db' },
      webhooks: [{ url: 'https://example.org', secret: 'env:HOOK_OF_TEST' }],
    });
    const { warnings } = await planService({ config, name: 'baseunit' });
    delete process.env.HOOK_OF_TEST;
    expect(warnings).toEqual([
      expect.stringContaining(`store.file is ${join(folder, 'house.db')}`),
      expect.stringMatching(/env:HOOK_OF_TEST.*\/etc\/baseunit\.env/),
    ]);
  });

  test('is refused where it could not read what it needs, with the command that mends it', async () => {
    const { config, folder } = house({ handlers: ['./mine.mjs'] });
    const handler = join(folder, 'mine.mjs');
    writeFileSync(handler, 'export default { name: "mine", async listen() {} }');
    chmodSync(handler, 0o600);
    await expect(planService({ config, name: 'baseunit' })).rejects.toThrow(`chmod o+r ${handler}`);
    chmodSync(handler, 0o644);
    chmodSync(folder, 0o700);
    await expect(planService({ config, name: 'baseunit' })).rejects.toThrow(`chmod o+rx ${folder}`);
    chmodSync(folder, 0o755);
    await planService({ config, name: 'baseunit' });
    await expect(planService({ config, name: 'Base Unit' })).rejects.toThrow(/no name for a service/);
    const blank = join(folder, 'my house.json');
    writeFileSync(blank, '{}');
    await expect(planService({ config: blank, name: 'baseunit' })).rejects.toThrow(/my house\.json.*letters, digits/);
  });
});

test('install writes, says what is next, replaces its own and no other; uninstall removes its own', async () => {
  const { config } = house();
  const units = temporaryFolder();
  const file = join(units, 'baseunit.service');
  const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  onTestFinished(() => stdout.mockRestore());
  const run = async (...words: string[]): Promise<string> => {
    stdout.mockClear();
    await commandLine().parseAsync(['node', 'baseunit', ...words, '--unit-folder', units]);
    return stdout.mock.calls.map(([text]) => text).join('');
  };
  expect(await run('service', 'install', '-c', config)).toContain('systemctl enable --now baseunit');
  expect(readFileSync(file, 'utf8').startsWith(UNIT_MARK)).toBe(true);
  expect(JSON.parse(await run('--json', 'service', 'install', '-c', config))).toEqual({ written: file, warnings: [] });
  const printed = JSON.parse(await run('--json', 'service', 'print', '-c', config));
  expect(printed).toEqual({ file, unit: readFileSync(file, 'utf8'), warnings: [] });

  writeFileSync(file, '[Unit]\nDescription=of somebody else\n');
  for (const words of [['install', '-c', config], ['uninstall']])
    await expect(run('service', ...words)).rejects.toMatchObject({
      code: 'request-refused',
      message: expect.stringContaining('not written by this program'),
    });
  expect(readFileSync(file, 'utf8')).toContain('somebody else');
  await run('service', 'install', '-c', config, '--force');
  expect(await run('service', 'uninstall')).toContain('/var/lib/baseunit');
  expect(existsSync(file)).toBe(false);
  await expect(run('service', 'uninstall')).rejects.toThrow(/there is no/);
});
