import { expect, test } from 'vitest';
import { MAX_OUTPUT, runProgram } from '../../codegen/run-program.js';

const say = (characters: number) =>
  runProgram(process.execPath, ['-e', `process.stdout.write('x'.repeat(${characters}))`], { cwd: '/' });

test(`${MAX_OUTPUT} characters of output are kept, one more is not`, async () => {
  expect((await say(MAX_OUTPUT)).output).toHaveLength(MAX_OUTPUT);
  expect((await say(MAX_OUTPUT + 1)).output).toHaveLength(MAX_OUTPUT);
});

test('both streams are collected, and the exit code is told', async () => {
  const ran = await runProgram('/bin/sh', ['-c', 'echo out; echo err >&2; exit 3'], { cwd: '/' });
  expect(ran.exitCode).toBe(3);
  expect(ran.output.split('\n').sort()).toEqual(['', 'err', 'out']);
});

test('a program that is not there rejects', async () => {
  await expect(runProgram('/no/such/program', [], { cwd: '/' })).rejects.toThrow('ENOENT');
});

test('an aborted program is ended', async () => {
  const abort = new AbortController();
  const running = runProgram('/bin/sh', ['-c', 'exec tail -f /dev/null'], { cwd: '/', signal: abort.signal });
  abort.abort();
  await expect(running).rejects.toMatchObject({ name: 'AbortError' });
});
