import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { BaseProcess } from './support/base-process.js';

const script = fileURLToPath(new URL('support/connector-device.py', import.meta.url));

/** A Python program that is a device, with Debian's own Python: another's modules are others. */
function pythonDevice(url: string, id: string) {
  const child = spawn('/usr/bin/python3', [script, url, id], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let out = '';
  let wake = (): void => {};
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    wake();
  });
  const ended = once(child, 'close').then(() => wake());
  return {
    ended,
    lines: () => out.split('\n').slice(0, -1),
    async said(line: string): Promise<void> {
      while (!out.includes(`${line}\n`)) {
        if (child.exitCode !== null) throw new Error(`it ended, and said: ${out}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

test('a Python program is a device: it is listed, gets commands and queries, and answers whoever asked over HTTP', async () => {
  const base = await BaseProcess.start({
    http: { listen: '127.0.0.1:0' },
    connector: { websocket: '127.0.0.1:0', http: '127.0.0.1:0' },
  });
  const { address } = await base.logged('devices may connect (WebSocket)');
  const api = (await base.logged('the base runs')).connector as string;
  const ask = async (path: string, init?: RequestInit): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(`${api}${path}`, init);
    return { status: response.status, body: await response.json() };
  };
  const post = (path: string, body: string): ReturnType<typeof ask> =>
    ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });

  expect(await ask('/devices')).toEqual({ status: 200, body: { devices: [] } });
  const device = pythonDevice(`ws://${address}/connect`, 'python-1');
  await device.said('connected');
  expect(await ask('/devices')).toEqual({ status: 200, body: { devices: ['python-1'] } });
  expect(await post('/devices/command/python-1', '{"payload":"turn on"}')).toEqual({
    status: 200,
    body: { response: 'TURN ON', errors: '' },
  });
  expect(await post('/devices/query/python-1', '{"payload":"state?"}')).toEqual({
    status: 200,
    body: { response: 'STATE?', errors: '' },
  });
  expect(await post('/devices/command/nobody', '{"payload":"x"}')).toEqual({
    status: 404,
    body: { response: '', error: 'Device not found' },
  });
  expect(await base.unit('python-1')).toMatchObject({
    dialect: 'connector',
    state: 'online',
    last: { telemetry: { fields: { temperature: 21.5 } } },
  });
  expect(await base.stop()).toMatchObject({ code: 0 });
  await device.ended;
  expect(device.lines()).toEqual(['connected', 'told command turn on', 'told query state?', 'closed']);
});
