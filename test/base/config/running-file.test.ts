import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { announceRunning, findRunning, withdrawRunning } from '../../../base/config/running-file.js';
import { temporaryFolder } from '../../cli/support/program.js';

const running = { pid: process.pid, url: 'http://127.0.0.1:8889', startedAt: 1, configFile: '/base.json' };

test('a base that runs is found until it takes its announcement back; another’s stays', () => {
  const folder = temporaryFolder();
  expect(findRunning(folder)).toBeUndefined();
  announceRunning(folder, running);
  expect(findRunning(folder)).toEqual(running);
  expect(findRunning(folder, () => false)).toBeUndefined();
  withdrawRunning(folder, process.pid + 1);
  expect(findRunning(folder)).toEqual(running);
  withdrawRunning(folder, process.pid);
  withdrawRunning(folder, process.pid);
  expect(findRunning(folder)).toBeUndefined();
});

test.each([
  ['no JSON', '{'],
  ['null', 'null'],
  ['a list', '[]'],
  ...Object.entries({
    pid: ['1', 0, -1, 1.5],
    url: ['ftp://127.0.0.1', 'nowhere', 8889],
    startedAt: [-1, '1'],
    configFile: [null],
  }).flatMap(([name, values]) =>
    values.map((value) => [`${name} ${JSON.stringify(value)}`, JSON.stringify({ ...running, [name]: value })]),
  ),
  ...Object.keys(running).map((name) => [`no ${name}`, JSON.stringify({ ...running, [name]: undefined })]),
])('a file with %s is none of ours', (_, text) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'running.json'), text!);
  expect(findRunning(folder)).toBeUndefined();
});
