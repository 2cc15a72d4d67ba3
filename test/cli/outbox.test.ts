import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { BaseProcess } from '../process/support/base-process.js';
import { simulated } from '../process/support/simulated.js';
import { baseunit, type Ended, onlyJson, temporaryFolder } from './support/program.js';

/** A receiver of webhooks that answers as it is told, and keeps the ids of what it got. */
async function receiver(): Promise<{ readonly url: string; status: number; readonly got: string[] }> {
  const state = { url: '', status: 410, got: [] as string[] };
  const server = createServer((request, response) => {
    state.got.push(request.headers['webhook-id'] as string);
    request.resume();
    response.writeHead(state.status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return state;
}

const lines = ({ out }: Ended): string[] => out.split('\n').slice(0, -1);

test('outbox: receivers, dead letters, sending them again, and enabling who answered 410', async () => {
  const hook = await receiver();
  const unit = await simulated('thermometer');
  const base = await BaseProcess.start({
    http: { listen: '127.0.0.1:0' },
    units: { known: unit.known() },
    webhooks: [{ url: hook.url, secret: 'a secret', events: ['report', 'presence'] }],
  });
  const run = (...words: string[]): Promise<Ended> => baseunit(['outbox', ...words], { cwd: base.folder });
  await base.logged(/^disabled/);

  const [list, json] = await Promise.all([run(), run('list', '--json')]);
  expect(list).toMatchObject({ code: 0, err: '' });
  expect(lines(list)[0]).toMatch(/^ENDPOINT +WHAT +STATE +WAITING +DEAD +DELIVERED$/);
  const [status] = onlyJson(json).endpoints as { endpoint: string; state: string; dead: number }[];
  const { endpoint, dead } = status!;
  expect(status).toMatchObject({ state: 'disabled', waiting: 0, delivered: 0 });
  expect(lines(list)[1]).toMatch(new RegExp(`^${endpoint} +webhook 0.* +disabled: .*410.* +0 +${dead} +0$`));
  expect(dead).toBeGreaterThan(0);

  const [letters, asJson] = await Promise.all([run('dead', endpoint), run('dead', endpoint, '--json')]);
  expect(letters).toMatchObject({ code: 0, err: '' });
  expect(lines(letters)).toHaveLength(dead);
  expect(lines(letters)[0]).toMatch(/^\d+ {2}20\d\d-\S+Z {2}thermometer {2}\S+ {2}\d+ attempts {2}.*410/);
  const all = lines(asJson).map((line) => JSON.parse(line) as { position: number; id: string });
  expect(all.map(({ position }) => position)).toEqual(lines(letters).map((line) => Number(line.split(' ')[0])));

  hook.status = 200;
  const got = hook.got.length;
  const [enabled] = [await run('enable', endpoint)];
  expect(enabled).toMatchObject({ code: 0, out: expect.stringContaining(`${endpoint} is working`) });
  expect(enabled.out).toContain(`baseunit outbox replay ${endpoint} --all`);
  const first = all[0]!;
  const one = await run('replay', endpoint, String(first.position), '999999', '--json');
  expect(onlyJson(one)).toEqual({ endpoint, replayed: 1 });
  const rest = await run('replay', endpoint, '--all');
  expect(rest).toMatchObject({ code: 0, out: `${dead - 1} dead letters wait for ${endpoint} again.\n` });
  await expect
    .poll(() => hook.got.slice(got), { timeout: 10_000 })
    .toEqual(expect.arrayContaining(all.map(({ id }) => id)));
  expect(await run('dead', endpoint)).toMatchObject({ code: 0, out: `There are no dead letters for ${endpoint}.\n` });

  const [stranger, neither, both, noNumber] = await Promise.all([
    run('dead', 'webhook-0'),
    run('replay', endpoint),
    run('replay', endpoint, '1', '--all'),
    run('replay', endpoint, 'first'),
  ]);
  expect(stranger).toMatchObject({ code: 2, err: expect.stringContaining(`there are: ${endpoint}`) });
  for (const wrong of [neither, both]) expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('--all') });
  expect(noNumber).toMatchObject({ code: 2, err: expect.stringContaining('whole number above 0') });
}, 60_000);

test('outbox needs a base that runs, and says so; a base without receivers has none', async () => {
  const cwd = temporaryFolder();
  const words = [[], ['dead', 'x'], ['replay', 'x', '--all'], ['enable', 'x']];
  const ended = await Promise.all(words.map((more) => baseunit(['outbox', ...more, '--json'], { cwd })));
  for (const one of ended) {
    expect(one.code).toBe(3);
    expect(onlyJson(one)).toMatchObject({
      error: { code: 'connect-failed', message: expect.stringMatching(/no base/) },
    });
  }
  const base = await BaseProcess.start({ http: { listen: '127.0.0.1:0' } });
  const none = await baseunit(['outbox'], { cwd: base.folder });
  expect(none).toMatchObject({ code: 0, out: expect.stringContaining('no receivers') });
}, 60_000);
