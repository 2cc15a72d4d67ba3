import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { listenersOf } from '../../../cli/doctor/listener.js';
import { checkPorts } from '../../../cli/doctor/ports.js';
import { House, namesOf } from './support/house.js';

/** A port that a server of this process holds. */
async function heldTcp(host = '127.0.0.1'): Promise<number> {
  const server = createServer().listen(0, host);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

async function heldUdp(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  onTestFinished(() => void socket.close());
  await once(socket, 'listening');
  return socket.address().port;
}

/** A port that nobody holds any more. */
async function freeTcp(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

const failing = (code: string) => () => Promise.reject(Object.assign(new Error(`listen ${code}`), { code }));

test('free ports, and one that the system chooses', async () => {
  const examination = await new House().examine({
    http: { listen: `127.0.0.1:${await freeTcp()}` },
    units: { listen: '127.0.0.1:0' },
  });
  expect(namesOf(await checkPorts(examination))).toEqual(['port-free', 'port-any']);
});

test('a port that another process has: which, by number and command, and none of its other words', async () => {
  const child = spawn(process.execPath, [
    ...['-e', "const s=require('net').createServer().listen(0,()=>console.log(s.address().port))", 'a secret word'],
  ]);
  onTestFinished(() => void child.kill('SIGKILL'));
  const port = Number(String((await once(child.stdout, 'data'))[0]));
  const [finding] = await checkPorts(
    await new House().examine({ http: { listen: `127.0.0.1:${port}` } }, { root: '/' }),
  );
  expect(finding).toMatchObject({ finding: 'port-taken', status: 'problem', subject: `http.listen 127.0.0.1:${port}` });
  expect(finding!.cause).toContain(`node (process ${child.pid}`);
  expect(finding!.cause).toContain('configure another port for http.listen');
  expect(finding!.mend).toBe(`kill ${child.pid}`);
  expect(JSON.stringify(finding)).not.toContain('secret');
});

test('UDP, IPv6 and an address of all: each finds its holder', async () => {
  const [udp, six, all] = [await heldUdp(), await heldTcp('::1'), await heldTcp()];
  const examination = await new House().examine(
    {
      iotsocket: { tcp: `[::1]:${six}`, udp: `127.0.0.1:${udp}` },
      units: { listen: `0.0.0.0:${all}` },
    },
    { root: '/' },
  );
  const findings = await checkPorts(examination);
  expect(namesOf(findings)).toEqual(['port-taken', 'port-taken', 'port-taken']);
  for (const { cause } of findings) expect(cause).toContain(`process ${process.pid}`);
});

test('a port whose holder is not ours to see: the command that finds it', async () => {
  const port = await heldTcp();
  const examination = await new House().examine({ http: { listen: `127.0.0.1:${port}` } });
  expect(await checkPorts(examination)).toMatchObject([
    {
      finding: 'port-taken',
      cause: expect.stringContaining('not yours to see'),
      mend: `sudo ss -lnpt 'sport = :${port}'`,
    },
  ]);
});

test('a service of systemd is stopped by its name', async () => {
  const house = new House();
  const port = await heldTcp();
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const line = (state: string, inode: number): string =>
    ` 0: 0100007F:${hex} 00000000:0000 ${state} 0:0 00:0 0 0 0 ${inode} 1 0\n`;
  // A client's connection to that port is in nobody's way.
  house.put('proc/net/tcp', `  sl  local_address\n${line('01', 4712)}${line('0A', 4711)}`);
  house.put('proc/11/comm', 'browser\n');
  house.link('proc/11/fd/5', 'socket:[4712]');
  house.put('proc/77/comm', 'nginx\n');
  house.put('proc/77/cmdline', '/usr/sbin/nginx\0--password\0hush\0');
  house.put('proc/77/cgroup', '0::/system.slice/nginx.service\n');
  house.link('proc/77/fd/5', 'socket:[4711]');
  expect(await checkPorts(await house.examine({ http: { listen: `127.0.0.1:${port}` } }))).toMatchObject([
    { cause: expect.stringContaining('nginx (process 77, nginx.service)'), mend: 'sudo systemctl stop nginx.service' },
  ]);
});

test("the running base's own ports are its own, and nobody else's", async () => {
  const port = await heldTcp();
  const house = new House();
  const examination = await house.examine({ http: { listen: `127.0.0.1:${port}` } }, { root: '/' });
  const as = (pid: number) => checkPorts({ ...examination, running: { pid } });
  expect(await as(process.pid)).toMatchObject([{ finding: 'port-of-base', status: 'ok' }]);
  expect(await as(1)).toMatchObject([{ finding: 'port-taken' }]);
  const unseen = { ...examination, system: house.system(), running: { pid: 1 } };
  expect(await checkPorts(unseen)).toMatchObject([{ finding: 'port-of-base' }]);
});

test('an address of another machine, a name that is none, a port below 1024, and whatever else', async () => {
  const house = new House();
  const one = async (listen: string, given = {}) =>
    (await checkPorts(await house.examine({ http: { listen } }, given)))[0];
  expect(await one('192.0.2.1:18889')).toMatchObject({ finding: 'port-address-foreign', mend: 'ip -brief address' });
  const named = await one('no-such-name.invalid:18889', { listen: failing('ENOTFOUND') });
  expect(named).toMatchObject({ finding: 'port-host-unknown', cause: expect.stringContaining('no-such-name.invalid') });
  expect(await one('0.0.0.0:80', { listen: failing('EACCES') })).toMatchObject({
    finding: 'port-forbidden',
    mend: 'sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80',
  });
  expect(await one('0.0.0.0:80', { listen: failing('EMFILE') })).toMatchObject({
    finding: 'port-refused',
    status: 'problem',
  });
});

test('nothing to listen at, and nothing known of it', async () => {
  expect(namesOf(await checkPorts(await new House().examine({})))).toEqual(['not-configured']);
  expect(namesOf(await checkPorts(await new House().examine('{')))).toEqual(['needs-configuration']);
});

test('every listener of a configuration is looked at', async () => {
  const house = new House();
  const { configuration } = await house.examine({
    http: {},
    units: { listen: '0.0.0.0' },
    hub: { apps: [{ id: 'a', key: 'k', secret: 's' }] },
    iotsocket: {
      ...{ tcp: '127.0.0.1', websocket: '127.0.0.1', udp: '127.0.0.1', http: '127.0.0.1' },
      central: { key: '0'.repeat(32) },
    },
    connector: { websocket: '127.0.0.1', http: '127.0.0.1' },
    elfin: { tcp: '127.0.0.1', lineTcp: '127.0.0.1' },
    yamqtt: { tcp: '127.0.0.1' },
  });
  expect(listenersOf(configuration!).map(({ path, transport }) => `${path} ${transport}`)).toEqual([
    ...['http.listen tcp', 'units.listen tcp', 'hub.listen tcp'],
    ...['iotsocket.tcp tcp', 'iotsocket.websocket tcp', 'iotsocket.udp udp', 'iotsocket.http tcp'],
    ...['connector.websocket tcp', 'connector.http tcp'],
    ...['elfin.tcp tcp', 'elfin.lineTcp tcp', 'yamqtt.tcp tcp'],
  ]);
});
