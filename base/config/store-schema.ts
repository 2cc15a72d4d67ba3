import { resolve } from 'node:path';
import type { z } from 'zod';
import { DEFAULT_STORE, type StoreConfiguration } from './configuration.js';
import { section, text, whole } from './schema-fields.js';

const MAX_PATH_CHARACTERS = 4_096;
const MAX_DAYS = 36_500;
const MAX_PER_UNIT = 100_000_000;
/** Less than that does not hold the queues. */
const LEAST_MIB = 16;
const MOST_MIB = 1_048_576;

/** `store`. */
export function storeSection() {
  const days = (example: number) => whole(1, MAX_DAYS, example).optional();
  return section(
    {
      file: text('"baseunit.db"', MAX_PATH_CHARACTERS).optional(),
      rawDays: days(DEFAULT_STORE.rawDays),
      rawPerUnit: whole(1, MAX_PER_UNIT, DEFAULT_STORE.rawPerUnit).optional(),
      minuteDays: days(DEFAULT_STORE.minuteDays),
      hourDays: days(DEFAULT_STORE.hourDays),
      maxMiB: whole(LEAST_MIB, MOST_MIB, DEFAULT_STORE.maxMiB).optional(),
    },
    '{ "file": "baseunit.db" }',
  );
}

/** What a checked `store` section says; `file` is relative to the configuration's folder. */
export function storeOf(
  { file, ...rest }: z.output<ReturnType<typeof storeSection>>,
  folder: string,
): StoreConfiguration {
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return { ...DEFAULT_STORE, ...given, file: file === undefined ? undefined : resolve(folder, file) };
}
