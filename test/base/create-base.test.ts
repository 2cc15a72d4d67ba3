import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createBase } from '../../base/create-base.js';
import { QuietLog } from '../support/quiet-log.js';
import { temporaryFolder } from './config/temporary-folder.js';

test('the folder of its state is made where it is not there, for its owner alone', async () => {
  const folder = temporaryFolder();
  const config = join(folder, 'base.json');
  writeFileSync(config, '{ "http": {} }');
  const stateFolder = join(folder, 'not', 'there:yet');
  const base = await createBase({ config, stateFolder, log: new QuietLog(), definitions: new Map() });
  expect(base.state).toBe('created');
  expect(statSync(stateFolder).mode & 0o777).toBe(0o700);
  expect(statSync(join(stateFolder, 'api-token')).isFile()).toBe(true);
});
