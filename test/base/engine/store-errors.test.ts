import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type OpenFile, openHere, type SqlitePort } from '../../../base/engine/embedded/sqlite-port.js';
import { StoreError } from '../../../protocol/errors.js';
import { folder, openEngine, report } from './support/open-engine.js';

const query = { unit: 'lamp', report: 'reading', from: 0, to: 1, limit: 1 } as const;

it('what cannot be read, copied or erased is told as an error of the store', async () => {
  const place = folder();
  const backups = join(place, 'backups');
  const engine = await openEngine({ file: join(place, 'baseunit.db'), backups });
  const { store } = engine;
  await store.commit([{ kind: 'report', report: report('lamp', 1) }]);
  const path = await store.backup();
  writeFileSync(path, 'damaged '.repeat(1_000));
  await expect(store.forget('lamp')).rejects.toThrow(StoreError);
  await engine.close();
  for (const resolution of ['raw', 'minute'] as const)
    await expect(store.history({ ...query, resolution })).rejects.toThrow(StoreError);

  const other = folder();
  const full = await openEngine({ file: join(other, 'baseunit.db'), backups: join(other, 'backups') });
  writeFileSync(join(other, 'backups'), 'no folder');
  await expect(full.store.backup()).rejects.toThrow(
    expect.objectContaining({ code: 'store-failed', message: expect.stringContaining('backups') }),
  );
});

it('a probe writes and reads again: it tells a store that does not work, and takes a full disk for none of its faults', async () => {
  let fault: { code: string; message: string } | null = null;
  let isForgetful = false;
  const open: OpenFile = async (path, stamp) => {
    const { port, opened } = await openHere(path, stamp);
    const runGroup: SqlitePort['runGroup'] = async (group) =>
      fault === null && !isForgetful ? port.runGroup(group) : group.map(() => fault);
    return { port: { ...port, runGroup }, opened };
  };
  const place = folder();
  const engine = await openEngine({ file: join(place, 'baseunit.db'), open });
  await engine.probe();
  await Promise.all([engine.probe(), engine.probe()]);
  fault = { code: 'SQLITE_IOERR_FSYNC', message: 'disk I/O error' };
  await expect(engine.probe()).rejects.toMatchObject({ code: 'store-failed' });
  fault = { code: 'SQLITE_FULL', message: 'database or disk is full' };
  await engine.probe();
  fault = null;
  isForgetful = true;
  await expect(engine.probe()).rejects.toThrow('what was committed is not there');
  isForgetful = false;
  await engine.probe();
});
