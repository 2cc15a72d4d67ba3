import type { FieldCourse, History } from '../../core/store.js';
import type { Row } from './sql.js';
import { readValues } from './stored-json.js';

/** Fields of one answer: a definition's report has at most 64; what is not typed may have others each time. */
export const MAX_COLUMNS = 128;

/** Columns of what was reported, from rows of `measured_at` and `fields` in order of time. */
export function readingsOf(rows: readonly Row[], limit: number): History {
  const kept = rows.slice(0, limit);
  const readings = kept.map(({ fields }): Readonly<Record<string, unknown>> => readValues(fields) ?? {});
  const names = [...new Set(readings.flatMap((reading) => Object.keys(reading)))].slice(0, MAX_COLUMNS);
  return {
    at: kept.map(({ measured_at }) => measured_at as number),
    fields: Object.fromEntries(
      names.map((name): [string, FieldCourse] => [
        name,
        { values: readings.map((reading) => (Object.hasOwn(reading, name) ? reading[name] : null)) },
      ]),
    ),
    isCut: rows.length > limit,
  };
}

/**
 * Columns of minutes or hours, from rows of one field and moment each, in order of time. `isCut`: there may be more rows, also
 * of the last moment, which is left out then unless it is the only one.
 */
export function courseOf(rows: readonly Row[], limit: number, isCut = false): History {
  const all = [...new Set(rows.map(({ at }) => at as number))];
  if (isCut && all.length > 1) all.pop();
  const at = all.slice(0, limit);
  const indexOf = new Map(at.map((moment, index) => [moment, index]));
  const empty = (): (number | null)[] => new Array(at.length).fill(null);
  const fields = new Map<string, Record<'count' | 'min' | 'mean' | 'max', (number | null)[]>>();
  for (const row of rows) {
    const index = indexOf.get(row.at as number);
    if (index === undefined) continue;
    const name = row.field as string;
    let course = fields.get(name);
    if (course === undefined) {
      if (fields.size === MAX_COLUMNS) continue;
      course = { count: empty(), min: empty(), mean: empty(), max: empty() };
      fields.set(name, course);
    }
    course.count[index] = row.count as number;
    course.min[index] = row.least as number;
    course.mean[index] = row.mean as number;
    course.max[index] = row.greatest as number;
  }
  return { at, fields: Object.fromEntries(fields), isCut: isCut || all.length > limit };
}
