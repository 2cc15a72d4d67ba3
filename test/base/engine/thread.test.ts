import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { openInThread } from '../../../base/engine/embedded/sqlite-thread.js';
import { folder } from './support/open-engine.js';

const compiled = (name: string): URL => pathToFileURL(join(process.cwd(), 'dist/base/engine/embedded', name));

test('a thread that ends by itself is told, and everything asked of it rejects', async () => {
  const { port } = await openInThread(join(folder(), 'baseunit.db'), 's', compiled('sqlite-worker.js'));
  let death: Error | undefined;
  void port.died.then((error) => {
    death = error;
  });
  // What a thread cannot be handed ends it: a fault of ours, as any other would be.
  const asked = port.all('nonsense' as 'units');
  await expect(asked).rejects.toThrow();
  expect(death).toBeUndefined();
  await port.close();
  await new Promise((resolve) => setImmediate(resolve));
  expect(death).toBeUndefined();
  await expect(port.all('units')).rejects.toThrow();
});

test('a backup is checked and a unit erased from it in another thread, while the store goes on', async () => {
  const place = folder();
  const { port } = await openInThread(join(place, 'baseunit.db'), 's', compiled('sqlite-worker.js'));
  const backup = join(place, 'copy.db');
  await port.runGroup([[['setUnit', 'secret-unit', '{}']]]);
  const [, faults] = await Promise.all([port.backup(backup), port.runGroup([[['setUnit', 'other', '{}']]])]);
  expect(faults).toEqual([null]);
  expect(readFileSync(backup, 'latin1')).toContain('secret-unit');
  await port.eraseFrom(backup, 'secret-unit');
  expect(readFileSync(backup, 'latin1')).not.toContain('secret-unit');
  await expect(port.eraseFrom(join(place, 'none.db'), 'x')).rejects.toThrow();
  expect(await port.all('units')).toHaveLength(2);
  await port.close();
});

test('a thread that cannot be started rejects the opening', async () => {
  await expect(openInThread(join(folder(), 'baseunit.db'), 's', compiled('no-such-worker.js'))).rejects.toThrow();
});
