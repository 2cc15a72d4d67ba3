import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '../../cli/free-port.js';
import { linesOf } from '../../cli/stdin-lines.js';
import { eventually } from '../end-to-end/support/house.js';
import { startYamqtt } from '../end-to-end/support/yamqtt-server.js';
import { Program, temporaryFolder } from './support/program.js';
import { runHere } from './support/run-here.js';

/** What is published on 44 tells a unit to do something that is not there. */
async function startServer(port = 0) {
  const server = await startYamqtt({ 44: { command: 'nobody.request' } }, {}, port);
  return { ...server, address: `127.0.0.1:${server.port}` };
}

/** `baseunit yamqtt pub`, with that as its standard input. */
function pub(words: readonly string[], input: string | Buffer): Program {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'in'), input);
  return new Program(['yamqtt', 'pub', ...words], { cwd, under: ['sh', '-c', 'exec "$@" <in', 'sh'] });
}

test('sub shows what is published, harmless for a terminal, or as JSON with all octets; Ctrl-C ends it', async () => {
  const { address, subscribed, client } = await startServer();
  const plain = new Program(['yamqtt', 'sub', '7', '--address', address]);
  const json = new Program(['yamqtt', 'sub', '7', '65535', '--json', '--address', address]);
  await subscribed(3);
  const publisher = await client();
  await publisher.publish(65_535, 'first');
  await publisher.publish(7, Uint8Array.of(0x1b, 0x5b, 0x32, 0x4a, 0x68, 0x69, 0, 0xff));
  await publisher.publish(7, '');
  await publisher.publish(7, 'last');
  await plain.line(/last/);
  await json.line(/last/);
  expect(plain.lines).toEqual(['\\u001b[2Jhi', '', 'last']);
  const data = Buffer.alloc(1_024);
  data.set([0x1b, 0x5b, 0x32, 0x4a, 0x68, 0x69, 0, 0xff]);
  expect(json.json[0]).toMatchObject({ flow: 65_535, text: 'first' });
  expect(json.json[1]).toEqual({ flow: 7, text: '\u001b[2Jhi', data: data.toString('base64') });
  for (const program of [plain, json]) program.kill('SIGINT');
  expect([await plain.ended, await json.ended]).toMatchObject([
    { code: 0, err: '' },
    { code: 0, err: '' },
  ]);
  await subscribed(0);
});

test('sub connects again when the server is back', async () => {
  const port = await freePort();
  const { base, subscribed } = await startServer(port);
  const program = new Program(['yamqtt', 'sub', '7', '8', '--address', `127.0.0.1:${port}`]);
  await subscribed(2);
  await base.stop();
  await program.until('that it tries again', ({ err }) => /; again in \d\.\d s/.test(err));
  const back = await startServer(port);
  await back.subscribed(2);
  await (await back.client()).publish(8, 'here');
  expect(await program.line(/here/)).toBe('8      here');
});

test('pub publishes a text, and each line of its input', async () => {
  const { address, client } = await startServer();
  const subscriber = await client();
  const heard: string[] = [];
  subscriber.onMessage(({ text }) => void heard.push(text));
  subscriber.subscribe(7);
  expect(await runHere(['yamqtt', 'pub', '7', 'a text', '--address', address])).toBe('published 1 message on flow 7\n');
  const long = 'x'.repeat(1_024);
  const lines = await pub(['7', '--address', address, '--json'], `one\r\n\n${long}\nlast`).ended;
  expect(lines).toMatchObject({ code: 0, err: '' });
  expect(JSON.parse(lines.out)).toEqual({ flow: 7, published: 4, errors: [] });
  await eventually('all', () => heard.length === 5);
  expect(heard).toEqual(['a text', 'one', '', long, 'last']);

  const tooLong = await pub(['7', '--address', address], `fits\n${long}x\nnever\n`).ended;
  expect(tooLong).toMatchObject({ code: 2, out: '' });
  expect(tooLong.err).toContain('line 2 has more than 1024 octets: write it as several, or publish less of it');
  await eventually('what fits', () => heard.length === 6);
  expect(heard[5]).toBe('fits');
});

test('pub says that a command ended badly, and that no server is there', async () => {
  const { address } = await startServer();
  const words = ['--address', address, '--json', '--wait', '0.5'];
  const out = await runHere(['yamqtt', 'pub', '44', 'on', ...words]);
  expect(JSON.parse(out)).toEqual({ flow: 44, published: 1, errors: [expect.stringMatching(/^44: refused: /)] });
  expect(process.exitCode).toBe(4);
  process.exitCode = undefined;
  const gone = `127.0.0.1:${await freePort()}`;
  for (const command of ['pub', 'sub'])
    await expect(
      runHere(['yamqtt', command, '7', ...(command === 'pub' ? ['x'] : []), '--address', gone]),
    ).rejects.toMatchObject({
      code: 'connect-failed',
      message: `${gone} cannot be reached: ECONNREFUSED`,
    });
});

test('lines are cut where they end, whatever the chunks; an endless one is refused at its bound', async () => {
  const lines = async (chunks: readonly string[], maxOctets = 4): Promise<string[]> => {
    const found: string[] = [];
    async function* input() {
      for (const chunk of chunks) yield Buffer.from(chunk);
    }
    for await (const line of linesOf(input(), maxOctets, 'cut it')) found.push(Buffer.from(line).toString());
    return found;
  };
  expect(await lines(['a\nbc', 'd\r', '\n', '\n\r\n1234\r\n', '5678'])).toEqual(['a', 'bcd', '', '', '1234', '5678']);
  expect(await lines([])).toEqual([]);
  expect(await lines(['\r'])).toEqual(['']);
  const why = 'line 2 has more than 4 octets: cut it. The lines before it are published';
  for (const chunks of [['a\n12345\n'], ['a\n123', '45'], ['a\n1234\rx']])
    await expect(lines(chunks)).rejects.toThrow(why);
  let pulled = 0;
  async function* endless() {
    for (;;) {
      pulled += 1;
      yield Buffer.alloc(1_000, 0x78);
    }
  }
  const all = linesOf(endless(), 2_500, 'cut it');
  await expect(all.next()).rejects.toThrow('line 1 has more than 2500 octets');
  expect(pulled).toBe(3);
});
