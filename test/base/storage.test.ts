import { expect, test } from 'vitest';
import { DEFAULT_STORE } from '../../base/config/configuration.js';
import { storageOf } from '../../base/storage.js';

test('the store is in the state folder, or where the configuration says; its backups are beside it', () => {
  expect(storageOf(DEFAULT_STORE, '/var/lib/baseunit')).toEqual({
    file: '/var/lib/baseunit/baseunit.db',
    backups: '/var/lib/baseunit/backups',
    retention: { rawDays: 7, rawPerUnit: 100_000, minuteDays: 90, hourDays: 1_825, maxOctets: 2 ** 30 },
  });
  expect(storageOf({ ...DEFAULT_STORE, file: '/data/house.db', maxMiB: 16 }, '/var/lib/baseunit')).toMatchObject({
    file: '/data/house.db',
    backups: '/data/backups',
    retention: { maxOctets: 16 * 2 ** 20 },
  });
});
