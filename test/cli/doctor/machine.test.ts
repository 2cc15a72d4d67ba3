import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkDiscovery } from '../../../cli/doctor/discovery.js';
import { checkPlatformio } from '../../../cli/doctor/platformio-check.js';
import { checkSerial } from '../../../cli/doctor/serial.js';
import { checkService } from '../../../cli/doctor/service-check.js';
import type { System } from '../../../cli/doctor/system.js';
import { thisSystem } from '../../../cli/doctor/system.js';
import { House, namesOf } from './support/house.js';

/** A program that says that, whichever words it gets. */
const saying =
  (answers: Readonly<Record<string, string>>, exitCode = 0): System['run'] =>
  async (program, ...words) => {
    const output = answers[words[0] ?? ''] ?? answers[program];
    return output === undefined ? undefined : { exitCode, output };
  };

const none = () => false;

test('serial: no board is plugged in, and one could be used', () => {
  const house = new House();
  house.put('etc/group', 'root:x:0:\ndialout:x:20:pi\n');
  const user = { uid: 1000, name: 'pi', groups: [1000, 20] };
  expect(checkSerial(house.system({ user }))).toMatchObject([{ finding: 'serial-absent', status: 'skipped' }]);
  expect(namesOf(checkSerial(house.system({ platform: 'darwin' })))).toEqual(['serial-absent']);
});

test('serial: no board is plugged in, and none could be used', () => {
  const house = new House();
  house.put('etc/group', 'dialout:x:20:somebody\n');
  const user = { uid: 1000, name: 'pi', groups: [1000] };
  expect(checkSerial(house.system({ user }))).toMatchObject([
    { finding: 'serial-group', status: 'warning', mend: 'sudo usermod -aG dialout pi' },
  ]);
});

test('serial: each board, and who may use it', () => {
  const house = new House();
  house.put('etc/group', `root:x:0:\ndialout:x:20:\nboards:x:${process.getgid!()}:\n`);
  for (const name of ['ttyUSB0', 'ttyACM1', 'ttyS0', 'ttyUSBx']) house.put(`dev/${name}`);
  const user = { uid: 1000, name: 'pi', groups: [1000] };
  expect(checkSerial(house.system({ user }))).toMatchObject([
    { finding: 'serial-usable', subject: '/dev/ttyACM1' },
    { finding: 'serial-usable', subject: '/dev/ttyUSB0' },
  ]);
  const [finding] = checkSerial(house.system({ user, mayUse: none }));
  // The files are of the group that runs the test; a port of root's is dialout's to be.
  const group = process.getgid!() === 0 ? 'dialout' : 'boards';
  expect(finding).toMatchObject({ finding: 'serial-forbidden', mend: `sudo usermod -aG ${group} pi` });
});

test('serial: a group joined since the login', () => {
  const house = new House();
  house.put('etc/group', `boards:x:${process.getgid!()}:mary,pi\n`);
  house.put('dev/ttyUSB0');
  const user = { uid: 1000, name: 'pi', groups: [1000] };
  expect(checkSerial(house.system({ user, mayUse: none }))).toMatchObject([
    { finding: 'serial-login-old', mend: 'newgrp boards', cause: expect.stringContaining('log out and in again') },
  ]);
});

test('serial: a unit that is configured at a port which is not there', async () => {
  const house = new House();
  house.put('dev/ttyUSB0');
  const known = {
    hall: { definition: 'light-sensor', address: 'serial:/dev/ttyUSB0' },
    attic: { definition: 'light-sensor', address: 'serial:/dev/serial/by-id/usb-1a86@9600' },
  };
  const { system, configuration } = await house.examine({ units: { known } }, { mayUse: () => true });
  expect(checkSerial(system, configuration)).toMatchObject([
    { finding: 'serial-usable', subject: '/dev/ttyUSB0' },
    {
      finding: 'serial-unplugged',
      status: 'warning',
      subject: 'the port of attic, /dev/serial/by-id/usb-1a86',
      cause: expect.stringContaining('there are /dev/ttyUSB0'),
    },
  ]);
});

test('PlatformIO: absent, found, broken', async () => {
  const house = new House();
  const check = (run?: System['run']) =>
    checkPlatformio({ environment: { PATH: join(house.root, 'bin'), HOME: house.folder }, run: run ?? saying({}) });
  expect(await check()).toMatchObject([
    { finding: 'platformio-absent', mend: expect.stringContaining('pipx install platformio') },
  ]);
  const path = house.write('.platformio/penv/bin/pio', '#!/bin/sh\necho "PlatformIO Core, version 6.1.19"\n', 0o755);
  expect(await check(thisSystem({ PATH: process.env.PATH }).run)).toMatchObject([
    { finding: 'platformio-found', subject: 'PlatformIO 6.1.19', cause: `is installed (${path})` },
  ]);
  house.write('.platformio/penv/bin/pio', '#!/bin/sh\necho "No module named platformio" >&2\nexit 1\n', 0o755);
  expect(await check(thisSystem({ PATH: process.env.PATH }).run)).toMatchObject([{ finding: 'platformio-broken' }]);
  chmodSync(path, 0o644);
  expect(namesOf(await check())).toEqual(['platformio-absent']);
});

test('discovery: neither Avahi nor the package; then both', async () => {
  const house = new House();
  const missing = async () => 'it is not installed';
  const { configuration } = await house.examine({});
  const broken = await checkDiscovery({ system: house.system({ problemOfPackage: missing }), configuration });
  expect(broken).toMatchObject([
    {
      ...{ finding: 'avahi-absent', status: 'warning' },
      mend: 'sudo apt-get install avahi-daemon libavahi-compat-libdnssd-dev',
    },
    { finding: 'mdns-package-absent', status: 'warning' },
  ]);
  house.put('usr/sbin/avahi-daemon');
  house.put('run/avahi-daemon/pid', '4711\n');
  const stopped = await checkDiscovery({ system: house.system(), configuration });
  expect(stopped).toMatchObject([{ finding: 'avahi-stopped', mend: 'sudo systemctl enable --now avahi-daemon' }, {}]);
  house.put('proc/4711/comm', 'avahi-daemon\n');
  expect(namesOf(await checkDiscovery({ system: house.system(), configuration }))).toEqual([
    'avahi-runs',
    'mdns-package',
  ]);
  expect(namesOf(await checkDiscovery({ system: house.system({ platform: 'darwin' }), configuration }))).toEqual([
    'not-configured',
  ]);
});

test('discovery: the package that is not installed here says so itself', async () => {
  const problem = await thisSystem({ PATH: process.env.PATH }).problemOfPackage('mdns');
  expect(problem === undefined || /installed|loaded/.test(problem)).toBe(true);
});

test('discovery: names that end in .local need a resolver that asks for them', async () => {
  const house = new House();
  const known = { lamp: { definition: 'led-lamp', address: 'lamp.local', key: '0'.repeat(32) } };
  const { configuration } = await house.examine({ units: { known } });
  const check = async () => (await checkDiscovery({ system: house.system(), configuration })).slice(2);
  house.put('etc/nsswitch.conf', 'passwd: files\nhosts:          files dns\n');
  expect(await check()).toMatchObject([
    { finding: 'local-names-unresolved', subject: 'the address of lamp', mend: 'sudo apt-get install libnss-mdns' },
  ]);
  house.put('etc/nsswitch.conf', 'hosts: files mdns4_minimal [NOTFOUND=return] dns\n');
  expect(await check()).toEqual([]);
});

test('service: no systemd, no service, and each state of one', async () => {
  const house = new House();
  const check = async (answers: Readonly<Record<string, string>>) => {
    const { service } = await house.examine({});
    return checkService({ system: house.system({ run: saying(answers) }), service });
  };
  expect(namesOf(await check({}))).toEqual(['service-no-systemd']);
  house.put('run/systemd/system/keep');
  expect(await check({})).toMatchObject([{ finding: 'service-absent', status: 'skipped' }]);
  house.put(
    'etc/systemd/system/baseunit.service',
    '[Service]\nExecStart=/usr/bin/node /opt/baseunit/cli/baseunit.mjs run -c /other.json\n',
  );
  expect(namesOf(await check({}))).toEqual(['service-no-systemd']);
  const one = (enabled: string, active: string) => check({ 'is-enabled': `${enabled}\n`, 'is-active': `${active}\n` });
  expect(await one('enabled', 'active')).toMatchObject([{ finding: 'service-active', status: 'ok' }]);
  expect(await one('enabled', 'inactive')).toMatchObject([
    { finding: 'service-stopped', mend: 'sudo systemctl start baseunit' },
  ]);
  expect(await one('disabled', 'failed')).toMatchObject([
    { finding: 'service-failed', status: 'problem', mend: 'journalctl -u baseunit -n 50' },
    { finding: 'service-disabled', mend: 'sudo systemctl enable baseunit' },
  ]);
});

test('a base that systemd runs with this configuration is known by systemd, whatever its service is called', async () => {
  const house = new House();
  const unit = (name: string, config: string): string =>
    `[Service]\nExecStart=/usr/bin/node /opt/baseunit/cli/baseunit.mjs run -c ${config}\nEnvironmentFile=-/etc/${name}.env\nStateDirectory=${name}\n`;
  house.put('etc/systemd/system/baseunit.service', unit('baseunit', '/somewhere/else.json'));
  house.put('etc/systemd/system/nginx.service', '[Service]\nExecStart=/usr/sbin/nginx\n');
  const other = await house.examine({}, { run: saying({ show: '4711\n' }) });
  expect(other).toMatchObject({ running: undefined, service: { name: 'baseunit.service', isOfConfiguration: false } });
  house.put('etc/systemd/system/garden.service', unit('garden', house.config));
  house.put('etc/garden.env', '# secrets\nAPP_SECRET="of the service"\nOTHER=1 2 \n');
  const hub = { apps: [{ id: 'a', key: 'k', secret: 'env:APP_SECRET' }] };
  const examination = await house.examine({ hub }, { run: saying({ show: '4711\n' }) });
  expect(examination).toMatchObject({
    running: { pid: 4711 },
    stateFolder: join(house.root, 'var/lib/garden'),
    store: join(house.root, 'var/lib/garden/baseunit.db'),
    service: { name: 'garden.service', environment: { APP_SECRET: 'of the service', OTHER: '1 2' } },
    configuration: { hub: { apps: [{ secret: 'of the service' }] } },
  });
  const stopped = await house.examine({ hub }, { run: saying({ show: '0\n' }) });
  expect(stopped.running).toBeUndefined();
});
