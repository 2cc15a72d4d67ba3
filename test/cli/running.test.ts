import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SimulatedUnit } from '../../simulator/simulated-unit.js';
import { BaseProcess, freePort } from '../process/support/base-process.js';
import { simulated } from '../process/support/simulated.js';
import { baseunit, type Ended, onlyJson, Program, temporaryFolder } from './support/program.js';
import { untilHeard } from './support/until-heard.js';

const app = { id: 'app', key: 'key', secret: 'secret' };
const away = { definition: 'led-lamp', address: '127.0.0.1:1', key: '0'.repeat(32) };

/** A base with an API and a channel of its own hub, a lamp, a thermometer, a lamp that is away. */
async function house(): Promise<{ readonly base: BaseProcess; run(...words: string[]): Promise<Ended> }> {
  const lamp = await simulated('led-lamp');
  const thermometer = await simulated('thermometer');
  const port = await freePort();
  const base = await BaseProcess.start({
    http: { listen: '127.0.0.1:0' },
    units: { known: { ...lamp.known(), ...thermometer.known(), away } },
    hub: { listen: `127.0.0.1:${port}`, apps: [app] },
    pusher: { key: app.key, appId: app.id, secret: app.secret, host: '127.0.0.1', port, tls: false },
  });
  await base.logged('subscribed');
  return { base, run: (...words) => baseunit(words, { cwd: base.folder }) };
}

test('send: each outcome is told, in words and as JSON, over HTTP and over the channel, with its exit code', async () => {
  const orange = '{"color":"#ff8800"}';
  const lonely = temporaryFolder();
  const pusher = { key: app.key, appId: app.id, secret: app.secret, host: '127.0.0.1', port: 1, tls: false };
  writeFileSync(join(lonely, 'base.json'), JSON.stringify({ pusher }), { mode: 0o600 });
  // The library needs 10 s to call a server unavailable; the rest goes on meanwhile.
  const words = ['send', 'led-lamp', 'setColor', orange, '--via', 'pusher', '-c', 'base.json'];
  const noHub = baseunit(words, { cwd: lonely });
  const { base, run } = await house();
  const [auto, api, channel, refused, unknownUnit, unreachable, expired, byJson] = await Promise.all([
    run('send', 'led-lamp', 'setColor', orange),
    run('send', 'led-lamp', 'setColor', orange, '--via', 'api', '--id', 'mine'),
    run('send', 'led-lamp', 'setColor', orange, '--via', 'pusher'),
    run('send', 'led-lamp', 'fade', '{"durationMs":70000}', '--via', 'api'),
    run('send', 'hall-lamp', 'setColor', orange, '--via', 'api'),
    run('send', 'away', 'setColor', orange, '--via', 'api'),
    run('send', 'away', 'setColor', orange, '--via', 'pusher', '--ttl', '1'),
    run('send', 'led-lamp', 'setColor', orange, '--json'),
  ]);
  expect(auto).toMatchObject({ code: 0, err: '', out: 'ok  (led-lamp setColor, via pusher)\n' });
  expect(api).toMatchObject({ code: 0, out: 'ok  (led-lamp setColor, via api)\n' });
  expect(channel).toMatchObject({ code: 0, out: 'ok  (led-lamp setColor, via pusher)\n' });
  expect(refused).toMatchObject({ code: 4, out: expect.stringMatching(/^refused: durationMs/) });
  expect(unknownUnit).toMatchObject({ code: 2, err: expect.stringMatching(/no unit "hall-lamp".*led-lamp/) });
  expect(unreachable).toMatchObject({ code: 4, out: expect.stringMatching(/^unreachable: .*ECONNREFUSED/) });
  expect(expired).toMatchObject({ code: 4, out: expect.stringMatching(/^expired/) });
  expect(onlyJson(byJson)).toMatchObject({ unit: 'led-lamp', command: 'setColor', outcome: 'ok' });

  const [again, noUrl, noToken] = await Promise.all([
    run('send', 'led-lamp', 'setColor', orange, '--via', 'api', '--id', 'mine', '--json'),
    run('send', 'led-lamp', 'setColor', orange, '--url', 'http://127.0.0.1:1', '--token', base.token),
    run('send', 'led-lamp', 'setColor', orange, '--url', base.url, '--token', 'wrong'),
  ]);
  expect(again.code).toBe(4);
  expect(onlyJson(again)).toMatchObject({ id: 'mine', outcome: 'duplicate' });
  expect(noUrl).toMatchObject({ code: 3, err: expect.stringContaining('http://127.0.0.1:1') });
  expect(noToken).toMatchObject({ code: 2, err: expect.stringMatching(/token/i) });
  expect((await base.unit('led-lamp')).last.state?.fields.color).toBe('#ff8800');

  await base.stop();
  const [gone, goneByFile] = await Promise.all([
    run('send', 'led-lamp', 'setColor', orange),
    run('send', 'led-lamp', 'setColor', orange, '-c', 'base.json', '--json'),
  ]);
  expect(gone).toMatchObject({ code: 3, err: expect.stringMatching(/no base is running here/) });
  expect(goneByFile.code).toBe(3);
  expect(onlyJson(goneByFile)).toMatchObject({ error: { code: 'connect-failed' } });
  expect(await noHub).toMatchObject({ code: 3, err: expect.stringMatching(/Pusher server cannot be reached/) });
}, 60_000);

test('units and watch: what there is, and what happens as it happens', async () => {
  const { base, run } = await house();
  const watch = (...words: string[]): Program => new Program(['watch', ...words], { cwd: base.folder });
  const [all, lampOnly, inTheEnd] = [watch(), watch('led-lamp', '--json'), watch()];
  await Promise.all([
    all.line(/thermometer +reading +temperature [\d.]+ °C, humidity [\d.]+ %$/),
    inTheEnd.line(/reading/),
  ]);
  const light = () => base.send('led-lamp', { command: 'setColor', fields: { color: '#0a0b0c' } });
  await untilHeard(lampOnly, /"kind":"outcome"/, light);
  await all.line(/led-lamp +outcome +setColor: ok$/);
  await lampOnly.line(/"kind":"report"/);
  expect(new Set(lampOnly.json.map(({ unit }) => unit))).toEqual(new Set(['led-lamp']));
  all.kill('SIGINT');
  lampOnly.kill('SIGTERM');
  expect([(await all.ended).code, (await lampOnly.ended).code]).toEqual([0, 0]);
  expect((await all.ended).err + (await lampOnly.ended).err).toBe('');

  const [units, json, stranger, query] = await Promise.all([
    run('units'),
    run('units', '--json'),
    run('watch', 'hall'),
    run('send', 'led-lamp', 'state', '--query'),
  ]);
  expect(query).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^ok {2}color #0a0b0c.* \(led-lamp query, via api\)$/m),
  });
  expect(units.out).toMatch(
    /^thermometer +unit +thermometer +online +127\.0\.0\.1:\d+ +reading: temperature [\d.]+ °C/m,
  );
  expect(units.out).toMatch(/^led-lamp +unit +led-lamp +(idle|online) .* state: color #0a0b0c, brightness 100 %$/m);
  expect(units.code).toBe(0);
  expect(onlyJson(json).units).toHaveLength(3);
  expect(stranger).toMatchObject({ code: 2, err: expect.stringMatching(/no unit "hall"/) });

  await base.stop();
  expect(await inTheEnd.ended).toMatchObject({ code: 3, err: expect.stringMatching(/the base (has ended|is gone)/) });
}, 60_000);

test('what a unit says cannot steer the terminal', async () => {
  const barrel = await simulated('rain-barrel');
  const base = await BaseProcess.start({ http: { listen: '127.0.0.1:0' }, units: { known: barrel.known() } });
  await base.unitIs('rain-barrel', 'online', ({ state }) => state === 'online');
  const watch = new Program(['watch'], { cwd: base.folder });
  await watch.line(/./);
  (barrel.units[0] as unknown as SimulatedUnit).report('valve', { note: 'a\u001b[31mb\u009b31m\u007f' });
  await watch.line(/note "a\\u001b\[31mb\\u009b31m\\u007f"/);
  const { out } = await baseunit(['units'], { cwd: base.folder });
  expect(out).toContain('a\\u001b[31mb\\u009b31m');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(out + watch.out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
}, 60_000);
