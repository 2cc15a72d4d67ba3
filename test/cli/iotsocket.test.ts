import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ObjectClient } from '../../clients/iotsocket/index.js';
import { BaseProcess, freePort } from '../process/support/base-process.js';
import { baseunit, onlyJson, Program, temporaryFolder } from './support/program.js';
import { untilHeard } from './support/until-heard.js';

const KEY = '43'.repeat(16);

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}

/** A base with one object, which answers what it is asked with what `answer` gives. */
async function house() {
  const folder = temporaryFolder();
  const [tcp, hub, udp] = [await freePort(), await freePort(), await freeUdpPort()];
  writeFileSync(join(folder, 'acl.json'), JSON.stringify({ porch: { GroupName: 'Devices', AuthKey: KEY } }));
  const app = { id: 'app', key: 'key', secret: 'secret' };
  const base = await BaseProcess.start(
    {
      http: { listen: '127.0.0.1:0' },
      iotsocket: { tcp: `127.0.0.1:${tcp}`, udp: `127.0.0.1:${udp}`, groups: { Devices: { telemetry: true } } },
      hub: { listen: `127.0.0.1:${hub}`, apps: [app] },
      pusher: { key: app.key, appId: app.id, secret: app.secret, host: '127.0.0.1', port: hub, tls: false },
    },
    { folder },
  );
  await base.logged('subscribed');
  const object = new ObjectClient({ host: '127.0.0.1', port: tcp, uid: 'porch', key: KEY, udp: { port: udp } });
  onTestFinished(() => object.close());
  const token = new Promise<void>((resolve) => object.onEvent(({ kind }) => kind === 'token' && resolve()));
  await object.connect();
  await token;
  return { base, object, run: (...words: string[]) => baseunit(words, { cwd: base.folder }) };
}

test('send --payload, units and watch: an object of the access list, in words and as JSON', async () => {
  const { base, object, run } = await house();
  object.onRequest(({ format, value }) => {
    if (value === 'no') return { code: 1, payload: { format: 'utf8', value: 'not \u001b[31mthat' } };
    return { payload: { format: 'json', value: { format, value } } };
  });
  const watch = new Program(['watch', 'porch'], { cwd: base.folder });
  await untilHeard(watch, /porch +outcome +request: ok/, () =>
    base.send('porch', { command: 'request', payload: 'there?' }),
  );
  const send = (...words: string[]) => run('send', 'porch', ...words);
  const [json, text, octets, channel, refused, wrong, byJson, query] = await Promise.all([
    send('--payload', '{"on":true}', '--via', 'api'),
    send('--payload', 'dä', '--format', 'utf8', '--via', 'api'),
    send('--payload', '[1,255]', '--format', 'binary', '--via', 'api'),
    send('--payload', '{"on":true}', '--via', 'pusher'),
    send('--payload', 'no', '--format', 'ascii', '--via', 'api'),
    send('--payload', '[256]', '--format', 'binary', '--via', 'api'),
    send('--payload', 'null', '--json'),
    send('--query', '--payload', '7'),
  ]);
  const answered = (format: string, value: string, via: string) => ({
    code: 0,
    err: '',
    out: `ok  {"format":"${format}","value":${value}}  (porch request, via ${via})\n`,
  });
  expect(json).toMatchObject(answered('json', '{"on":true}', 'api'));
  expect(text).toMatchObject(answered('utf8', '"dä"', 'api'));
  expect(octets).toMatchObject(answered('binary', '[1,255]', 'api'));
  expect(channel).toMatchObject(answered('json', '{"on":true}', 'pusher'));
  expect(refused).toMatchObject({
    code: 4,
    out: 'refused: the unit answered with return code 01  not \\u001b[31mthat  (porch request, via api)\n',
  });
  expect(wrong).toMatchObject({
    code: 4,
    out: expect.stringMatching(/^refused: the payload must be an array of whole/),
  });
  expect(query).toMatchObject({ code: 0, out: 'ok  {"format":"json","value":7}  (porch query, via api)\n' });
  expect(onlyJson(byJson)).toMatchObject({
    outcome: 'ok',
    code: 0,
    payload: { format: 'json', value: { value: null } },
  });

  // What a peer names and says must not steer the terminal.
  const said = { 'tem\u001b[2Jp': 21.5, note: '\u009bx' };
  expect(object.telemetry({ format: 'json', value: said })).toBe(true);
  void object.request({ format: 'utf8', value: `${'a'.repeat(199)}\u0007and more` }).catch(() => {});
  const [report, request] = await Promise.all([watch.line(/ {2}telemetry {2}/), watch.line(/ {2}request {2}/)]);
  expect(report).toMatch(/porch +telemetry +tem\\u001b\[2Jp 21.5, note \\u009bx$/);
  expect(request).toMatch(/porch +request +a{199}\\u0007…$/);
  await watch.line(/porch +response +code 160/);
  const units = await run('units');
  expect(units.out).toMatch(/^porch +iotsocket +- +online +dials in +telemetry: tem\\u001b\[2Jp 21.5, note \\u009bx$/m);
  const listed = onlyJson(await run('units', '--json')) as { readonly units: readonly object[] };
  expect(listed.units).toMatchObject([{ unit: 'porch', dialect: 'iotsocket', last: { telemetry: { fields: said } } }]);
}, 90_000);

test('send: what does not go together is refused before anybody is asked', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /write one of these/],
    [['setColor', '--payload', '1'], /write one of these/],
    [['--line', 'red', '--payload', '1'], /write one of these/],
    [['--payload', '{'], /--payload is no JSON: .*\{"on":true\}/],
    [['--payload', '1 2', '--format', 'binary'], /--payload is no JSON: .*\[1,2,255\]/],
    [['setColor', '--format', 'utf8'], /--format is for --payload/],
    [['--payload', '1', '--format', 'yaml'], /json, ascii, utf8, binary/],
  ];
  const ended = await Promise.all(cases.map(([words]) => baseunit(['send', 'porch', ...words])));
  for (const [index, { code, err }] of ended.entries()) {
    expect(err).toMatch(cases[index]![1]);
    expect([cases[index]![0], code]).toEqual([cases[index]![0], 2]);
  }
}, 60_000);
