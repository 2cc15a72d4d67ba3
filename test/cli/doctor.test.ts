import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { BaseProcess } from '../process/support/base-process.js';
import { baseunit, temporaryFolder } from './support/program.js';

interface Told {
  readonly check: string;
  readonly finding: string;
  readonly status: string;
  readonly subject: string;
  readonly mend?: string;
}

const toldBy = (out: string): Told[] =>
  out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Told);

/** Names, modes, times and content of everything in a folder. */
const stateOf = (folder: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[]).sort().map((name) => {
    const { mode, mtimeMs, size } = statSync(join(folder, name));
    return [name, mode, mtimeMs, size].join(' ');
  });

test('a broken house: each fault is found at once, nothing is changed, no secret is shown', async () => {
  const cwd = temporaryFolder();
  const holder = spawn(process.execPath, [
    '-e',
    "require('net').createServer().listen(0,function(){console.log(this.address().port)})",
  ]);
  onTestFinished(() => void holder.kill('SIGKILL'));
  const port = Number(String((await once(holder.stdout, 'data'))[0]));
  mkdirSync(join(cwd, '.baseunit'), { mode: 0o700 });
  const write = (name: string, text: string, mode: number): void => {
    writeFileSync(join(cwd, name), text);
    chmodSync(join(cwd, name), mode);
  };
  const token = `hush-${'t'.repeat(38)}`;
  write('.baseunit/api-token', `${token}\n`, 0o644);
  write('hook.secret', 'hush-hook', 0o644);
  const configuration = {
    http: { listen: `127.0.0.1:${port}` },
    hub: { listen: '127.0.0.1:x', apps: [{ id: 'a', key: 'hush-key', secret: 'hush-app' }] },
    pusher: {
      ...{ host: '127.0.0.1', port: 1, tls: false, key: 'hush-key', appId: 'a', secret: 'env:APP_SECRET' },
      auth: { endpoint: 'http://127.0.0.1:1/hush-path', token: 'env:AUTH_TOKEN' },
    },
    webhooks: [{ url: 'http://127.0.0.1:1/hush-path', secret: 'file:hook.secret' }],
  };
  write('base.json', JSON.stringify(configuration), 0o644);
  const before = stateOf(cwd);
  const env = { APP_SECRET: 'hush-app', AUTH_TOKEN: 'hush-token' };
  const [json, text] = await Promise.all([
    baseunit(['doctor', '--json'], { cwd, env }),
    baseunit(['doctor', '-c', 'base.json'], { cwd, env }),
  ]);
  const told = toldBy(json.out);
  expect([json.code, json.err, text.code, text.err]).toEqual([1, '', 1, '']);
  const problems = told
    .filter(({ status }) => status === 'problem')
    .map(({ finding, subject }) => `${finding}: ${subject}`);
  expect(problems).toEqual([
    'configuration-invalid: base.json: hub.listen',
    `port-taken: http.listen 127.0.0.1:${port}`,
    `file-open: webhooks[0].secret ${join(cwd, 'hook.secret')}`,
    `file-open: the API token ${join(cwd, '.baseunit/api-token')}`,
    'pusher-unreachable: ws://127.0.0.1:1',
    'pusher-api-unreachable: the HTTP API http://127.0.0.1:1',
    'pusher-auth-unreachable: pusher.auth.endpoint (http://127.0.0.1:1)',
    'webhook-unreachable: webhooks[0].url (http://127.0.0.1:1)',
  ]);
  const checks = [
    'node',
    'configuration',
    'base',
    'ports',
    'files',
    'certificates',
    'store',
    'clock',
    'pusher',
    'webhooks',
  ];
  expect([...new Set(told.map(({ check }) => check))]).toEqual([
    ...checks,
    'serial',
    'platformio',
    'discovery',
    'service',
  ]);
  for (const { status, mend } of told) expect(mend !== undefined || status === 'ok' || status === 'skipped').toBe(true);
  expect(text.out).toContain(`✗ ports         http.listen 127.0.0.1:${port}: is taken by node (process ${holder.pid}`);
  expect(text.out).toMatch(new RegExp(`\\n {18}kill ${holder.pid}\\n`));
  expect(text.out).toMatch(/\n\n8 problems, \d+ warnings?, \d+ ok, \d+ not looked at\n$/);
  expect(json.out + text.out).not.toContain('hush');
  expect(stateOf(cwd)).toEqual(before);
  expect(readFileSync(join(cwd, '.baseunit/api-token'), 'utf8')).toBe(`${token}\n`);
}, 60_000);

test('a whole house, with a base that runs in it', async () => {
  const free = spawn(process.execPath, [
    '-e',
    "require('net').createServer().listen(0,function(){console.log(this.address().port);this.close()})",
  ]);
  const port = Number(String((await once(free.stdout, 'data'))[0]));
  await once(free, 'exit');
  const base = await BaseProcess.start({ http: { listen: `127.0.0.1:${port}` } });
  const { code, out } = await baseunit(['doctor', '--json'], { cwd: base.folder });
  const told = toldBy(out);
  expect(told.filter(({ status }) => status === 'problem')).toEqual([]);
  expect(code).toBe(0);
  const names = told.map(({ finding }) => finding);
  for (const name of ['base-runs', 'port-of-base', 'store-of-base', 'file-private']) expect(names).toContain(name);
}, 60_000);
