import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeCertificates } from '../base/uplinks/certificates.js';
import { CHALLENGE, KEY, OBJECT_LOGIN, ScriptedPeer } from '../clients/iotsocket/support/scripted-peer.js';
import { baseunit, onlyJson, Program, temporaryFolder } from './support/program.js';

test('simulate --iotsocket: objects that log in, send telemetry and echo; it prints what the access list must have', async () => {
  const udp = createSocket('udp4');
  await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void udp.close());
  const datagram = new Promise<Buffer>((resolve) => udp.once('message', resolve));
  const peer = await ScriptedPeer.start();
  const program = new Program([
    ...['simulate', '--iotsocket', `127.0.0.1:${peer.port}`, '--uid', 'ObjTest', '--key', KEY, '--json'],
    ...['--udp', String(udp.address().port), '--every', '100ms', '--seed', 'one'],
  ]);
  const list = await program.until('the access list', ({ json }) => json.find((line) => 'accessList' in line));
  expect(list).toEqual({ accessList: { ObjTest: { GroupName: 'Devices', AuthKey: KEY } } });
  const connection = await peer.opened(OBJECT_LOGIN, '01000000', '500102030405060708');
  const octets = await datagram;
  expect(octets.subarray(0, 10).toString('hex')).toBe('0102030405060708a000');
  expect(JSON.parse(octets.subarray(11).toString())).toEqual({ temperature: expect.any(Number) });
  connection.send('300007a000027b7d');
  await connection.expects('40000700a000027b7d');
  await program.until('the answer', ({ json }) => json.find(({ kind }) => kind === 'answered'));
  program.kill('SIGINT');
  await connection.expects('f0a1');
  expect(await program.ended).toMatchObject({ code: 0, err: '' });
}, 60_000);

test('for people: several over TLS as draft v0.07, and why there is no session', async () => {
  const { ca, key, cert } = makeCertificates();
  const file = join(temporaryFolder(), 'ca.pem');
  writeFileSync(file, ca);
  const peer = await ScriptedPeer.start();
  const program = new Program([
    ...['simulate', '--iotsocket', `localhost:${peer.port}`, '--count', '2', '--draft', '--ca', file],
  ]);
  const [taken, refused] = [await peer.connection(), await peer.connection()];
  await taken.expects('80000000');
  taken.send('8000');
  taken.startTls({ key, cert });
  taken.send(CHALLENGE);
  expect((await taken.takes(49)).slice(96)).toBe('10');
  taken.send('20');
  refused.send('0000');
  await program.line(/Obj-[12] +connected +localhost:/);
  await program.line(/Obj-[12] +refused +the concentrator refused the opening/);
  expect(program.out).toMatch(
    /For the access list of the concentrator[\s\S]*"Obj-2"[\s\S]*2 simulated; Ctrl-C ends it\./,
  );
  program.kill('SIGTERM');
  expect(await program.ended).toMatchObject({ code: 0, err: '' });
}, 60_000);

test('options that do not go together, or cannot be: exit 2 and a hint', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /name a definition, as led-lamp, or give --iotsocket/],
    [['led-lamp', '--iotsocket', '127.0.0.1'], /either a definition or --iotsocket/],
    [['led-lamp', '--udp', '1'], /--udp is for --iotsocket/],
    [['led-lamp', '--tls'], /--tls is for --iotsocket/],
    [['--iotsocket', '127.0.0.1', '--listen', '127.0.0.1:1'], /--listen is not for --iotsocket/],
    [['--iotsocket', '127.0.0.1', '--fault', 'silence'], /--fault is not for --iotsocket/],
    [['--iotsocket', '127.0.0.1:0'], /port 0/],
    [['--iotsocket', 'a b'], /no valid host/],
    [['--iotsocket', 'ws://127.0.0.1:1/', '--tls'], /wss:\/\//],
    [['--iotsocket', '127.0.0.1', '--udp', '65536'], /1 to 65535/],
    [['--iotsocket', '127.0.0.1', '--every', '10h'], /10s, 500ms or 1min/],
    [['--iotsocket', '127.0.0.1', '--every', '1s'], /--every is for telemetry: give --udp too/],
    [['--iotsocket', '127.0.0.1', '--ca', 'nowhere.pem'], /nowhere.pem cannot be read/],
    [['--iotsocket', '127.0.0.1', '--uid', 'x'.repeat(17)], /a UID of these units may have 1 to 16/],
  ];
  const ended = await Promise.all(cases.map(([words]) => baseunit(['simulate', ...words])));
  for (const [index, { code, err }] of ended.entries()) {
    expect(err).toMatch(cases[index]![1]);
    expect([cases[index]![0], code]).toEqual([cases[index]![0], 2]);
  }
  const json = await baseunit(['simulate', '--json']);
  expect(onlyJson(json)).toMatchObject({ error: { code: 'config-invalid' } });
}, 60_000);
