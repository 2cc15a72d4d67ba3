import { dirname, join } from 'node:path';
import type { StoreConfiguration } from './config/configuration.js';
import type { Retention } from './engine/embedded/upkeep.js';

/** The store's file and its backups, and how much it keeps. */
export function storageOf(
  { file, rawDays, rawPerUnit, minuteDays, hourDays, maxMiB }: StoreConfiguration,
  stateFolder: string,
): { readonly file: string; readonly backups: string; readonly retention: Retention } {
  const path = file ?? join(stateFolder, 'baseunit.db');
  const retention = { rawDays, rawPerUnit, minuteDays, hourDays, maxOctets: maxMiB * 1_024 * 1_024 };
  return { file: path, backups: join(dirname(path), 'backups'), retention };
}
