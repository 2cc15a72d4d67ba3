/** A number beyond it has no course: the sum of many must be a number still, and units that are not typed may say any. */
export const MAX_COUNTED = 1e300;
/** What of a report's fields has a course: numbers, and truth values as 0 and 1. */
const COUNTED = `f.type IN ('integer', 'real', 'true', 'false') AND f.value BETWEEN -${MAX_COUNTED} AND ${MAX_COUNTED}`;

/** Courses of one report of one unit: a definition's report has at most 64 fields, and may be changed now and then. */
export const MAX_SERIES = 1_024;

/** The reports behind one position up to another, a row a field. */
const newFields = `
  FROM reports r, json_each(r.fields) f
  JOIN series s ON s.unit = r.unit AND s.report = r.report AND s.field = f.key
  WHERE r.position > ? AND r.position <= ? AND ${COUNTED}`;

/** `total`, not `sum`: the sum of large whole numbers would overflow, and end the statement for all units. */
const downsampleInto = (table: 'minutes' | 'hours', ms: number): string => `
  INSERT INTO ${table} (series, at, count, least, greatest, sum)
  SELECT s.series, r.measured_at / ${ms} * ${ms} AS at, count(*), min(f.value), max(f.value), total(f.value)
  ${newFields} GROUP BY 1, 2
  ON CONFLICT (series, at) DO UPDATE SET count = count + excluded.count, least = min(least, excluded.least),
    greatest = max(greatest, excluded.greatest), sum = sum + excluded.sum`;

const courseFrom = (table: 'minutes' | 'hours'): string => `
  SELECT s.field, t.at, t.count, t.least, t.greatest, t.sum / t.count AS mean FROM series s JOIN ${table} t USING (series)
  WHERE s.unit = ? AND s.report = ? AND t.at >= ? AND t.at < ? ORDER BY t.at LIMIT ?`;

/** Every statement that goes to the store, by the name under which the main thread asks for it. */
export const sql = {
  setMeta: 'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  meta: 'SELECT name, value FROM meta',

  setUnit: 'INSERT INTO units (unit, state) VALUES (?, ?) ON CONFLICT (unit) DO UPDATE SET state = excluded.state',
  units: 'SELECT unit, state FROM units',

  addReport:
    'INSERT INTO reports (position, unit, report, boot, sequence, measured_at, received_at, missing, fields) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  reportsBehind: 'SELECT * FROM reports WHERE position > ? ORDER BY position LIMIT ?',
  lastReport: 'SELECT max(position) AS position FROM reports',
  countReports: 'SELECT unit, count(*) AS count FROM reports GROUP BY unit',
  history:
    'SELECT measured_at, fields FROM reports WHERE unit = ? AND report = ? AND measured_at >= ? AND measured_at < ? ORDER BY measured_at, position LIMIT ?',
  correctTimes:
    'UPDATE reports SET measured_at = measured_at + ?, received_at = received_at + ? WHERE position > ? AND received_at < ?',
  redateReports: 'UPDATE reports SET received_at = ? WHERE received_at < ? OR received_at > ?',
  pruneOldReports: `DELETE FROM reports WHERE position IN
    (SELECT position FROM (SELECT position, received_at FROM reports ORDER BY position LIMIT ?) WHERE received_at < ? AND position <= ?)`,
  pruneReportsOf: `DELETE FROM reports WHERE position IN
    (SELECT position FROM reports WHERE unit = ? AND position <= ? ORDER BY measured_at LIMIT ?)`,
  pruneFirstReports:
    'DELETE FROM reports WHERE position IN (SELECT position FROM reports WHERE position <= ? ORDER BY position LIMIT ?)',

  // Names of fields that are not typed are their senders' to choose, each time anew.
  addSeries: `INSERT OR IGNORE INTO series (unit, report, field)
    SELECT unit, report, field FROM (
      SELECT unit, report, field, row_number() OVER (PARTITION BY unit, report ORDER BY field) AS number FROM (
        SELECT DISTINCT r.unit, r.report, f.key AS field FROM reports r, json_each(r.fields) f
        WHERE r.position > ? AND r.position <= ? AND ${COUNTED}
        AND NOT EXISTS (SELECT 1 FROM series s WHERE s.unit = r.unit AND s.report = r.report AND s.field = f.key)
      )
    ) AS n
    WHERE number + (SELECT count(*) FROM series s WHERE s.unit = n.unit AND s.report = n.report) <= ${MAX_SERIES}`,
  addMinutes: downsampleInto('minutes', 60_000),
  addHours: downsampleInto('hours', 3_600_000),
  minutes: courseFrom('minutes'),
  hours: courseFrom('hours'),
  pruneMinutes: 'DELETE FROM minutes WHERE series IN (SELECT series FROM series) AND at < ?',
  pruneHours: 'DELETE FROM hours WHERE series IN (SELECT series FROM series) AND at < ?',

  addCommand: 'INSERT INTO commands (ordinal, unit, id, command, sent_in) VALUES (?, ?, ?, ?, ?)',
  commandSent: 'UPDATE commands SET sent_in = ? WHERE ordinal = ?',
  commandEnded: 'UPDATE commands SET outcome = ?, ended_at = ? WHERE ordinal = ?',
  dropCommand: 'DELETE FROM commands WHERE ordinal = ?',
  commands: 'SELECT ordinal, unit, command, sent_in, outcome FROM commands ORDER BY ordinal',
  lastCommand: 'SELECT max(ordinal) AS ordinal FROM commands',
  redateCommands: 'UPDATE commands SET ended_at = ? WHERE ended_at < ? OR ended_at > ?',
  pruneCommands: 'DELETE FROM commands WHERE ended_at < ?',

  addItem:
    'INSERT INTO items (position, queue, id, key, octets, body, attempts, due_at, dead_at, reason) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?)',
  items:
    'SELECT position, id, key, octets, attempts, due_at FROM items WHERE queue = ? AND dead_at IS NULL ORDER BY position',
  lastItem: 'SELECT max(position) AS position FROM items',
  itemBody: 'SELECT body FROM items WHERE position = ?',
  removeItem: 'DELETE FROM items WHERE position = ?',
  retryItem: 'UPDATE items SET attempts = ?, due_at = ? WHERE position = ?',
  buryItem: 'UPDATE items SET attempts = ?, dead_at = ?, reason = ? WHERE position = ?',
  replayItem: 'UPDATE items SET attempts = 0, due_at = ?, dead_at = NULL, reason = NULL WHERE position = ?',
  deadItems:
    'SELECT position, id, key, octets, attempts, dead_at, reason FROM items WHERE queue = ? AND dead_at IS NOT NULL AND position > ? ORDER BY position LIMIT ?',
  countDead: 'SELECT count(*) AS count FROM items WHERE queue = ? AND dead_at IS NOT NULL',
  redateDead: 'UPDATE items SET dead_at = ? WHERE dead_at < ? OR dead_at > ?',
  pruneDead: 'DELETE FROM items WHERE dead_at < ?',
  dropOldestDead:
    'DELETE FROM items WHERE position IN (SELECT position FROM items WHERE queue = ? AND dead_at IS NOT NULL ORDER BY position LIMIT ?)',
  buryOrphans: `UPDATE items SET dead_at = ?, reason = 'its receiver is no longer configured'
    WHERE dead_at IS NULL AND queue NOT IN (SELECT value FROM json_each(?))`,

  addKept: 'INSERT INTO kept (position, unit, octets, at) VALUES (?, ?, ?, ?)',
  keptBehind: 'SELECT position, unit, octets, at FROM kept WHERE position > ? ORDER BY position LIMIT ?',
  removeKept: 'DELETE FROM kept WHERE position IN (SELECT value FROM json_each(?))',
  redateKept: 'UPDATE kept SET at = ? WHERE at < ? OR at > ?',
  pruneKept: 'DELETE FROM kept WHERE at < ?',

  setRecord: `INSERT INTO records (handler, key, unit, value) VALUES (?, ?, ?, ?)
    ON CONFLICT (handler, key) DO UPDATE SET unit = excluded.unit, value = excluded.value`,
  removeRecord: 'DELETE FROM records WHERE handler = ? AND key = ?',
  recordsBehind:
    'SELECT handler, key, unit, value FROM records WHERE (handler, key) > (?, ?) ORDER BY handler, key LIMIT ?',

  setQueue: 'INSERT INTO queues (queue, state) VALUES (?, ?) ON CONFLICT (queue) DO UPDATE SET state = excluded.state',
  queue: 'SELECT state FROM queues WHERE queue = ?',

  forgetUnit: 'DELETE FROM units WHERE unit = ?',
  forgetReports: 'DELETE FROM reports WHERE unit = ?',
  forgetMinutes: 'DELETE FROM minutes WHERE series IN (SELECT series FROM series WHERE unit = ?)',
  forgetHours: 'DELETE FROM hours WHERE series IN (SELECT series FROM series WHERE unit = ?)',
  forgetSeries: 'DELETE FROM series WHERE unit = ?',
  forgetCommands: 'DELETE FROM commands WHERE unit = ?',
  forgetItems: 'DELETE FROM items WHERE key = ?',
  forgetKept: 'DELETE FROM kept WHERE unit = ?',
  // Of a handler: its name between two of these is before the UID (dialects/handler-kept.ts).
  forgetKeptByHandlers:
    'DELETE FROM kept WHERE substr(unit, 1, 1) = char(31) AND substr(unit, 2 + instr(substr(unit, 2), char(31))) = ?',
  forgetRecords: 'DELETE FROM records WHERE unit = ?',
  // And what the central was to get of it.
  forgetKeptOf: "DELETE FROM kept WHERE unit = '' AND names_unit(octets, ?)",
} as const;

export type SqlName = keyof typeof sql;

/** What SQLite binds. Octets are not needed: what we keep is text and numbers. */
export type SqlValue = string | number | null;

/** One statement with its parameters, in a form that crosses threads. */
export type Statement = readonly [name: SqlName, ...parameters: SqlValue[]];

export type Row = Readonly<Record<string, string | number | null>>;

/** All that must go for a unit to be forgotten, in an order in which it can, and the version from which on it is there. */
const forgetting = [
  ['forgetUnit', 1],
  ['forgetReports', 1],
  ['forgetMinutes', 1],
  ['forgetHours', 1],
  ['forgetSeries', 1],
  ['forgetCommands', 1],
  ['forgetItems', 1],
  ['forgetKept', 2],
  ['forgetKeptByHandlers', 2],
  ['forgetKeptOf', 2],
  ['forgetRecords', 3],
] as const;

/** What forgets a unit in a file of that version: a backup may be older than this program. */
export const forgetStatements = (unit: string, version: number): Statement[] =>
  forgetting.filter(([, since]) => since <= version).map(([name]): Statement => [name, unit]);
