/**
 * The tables of the store, a step a version: `user_version` counts the steps a file has been through. A step that was
 * released is never changed; what is new comes as another step. Times are Unix ms.
 */
export const migrations: readonly string[] = [
  `
  -- What the store knows of itself: downsampled (position), saved (position), savedAt (Unix ms).
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID, STRICT;

  -- A unit's state as JSON (core/store.ts, UnitState), as of the report at meta.saved.
  CREATE TABLE units (unit TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID, STRICT;

  -- Every report, in the order of acceptance; fields as JSON.
  CREATE TABLE reports (
    position INTEGER PRIMARY KEY,
    unit TEXT NOT NULL, report TEXT NOT NULL, boot INTEGER NOT NULL, sequence INTEGER NOT NULL,
    measured_at INTEGER NOT NULL, received_at INTEGER NOT NULL, missing INTEGER NOT NULL, fields TEXT NOT NULL
  ) STRICT;
  CREATE INDEX reports_of_unit ON reports (unit, measured_at);

  -- One number or truth value of one report of one unit, and its course by minute and by hour.
  CREATE TABLE series (
    series INTEGER PRIMARY KEY, unit TEXT NOT NULL, report TEXT NOT NULL, field TEXT NOT NULL,
    UNIQUE (unit, report, field)
  ) STRICT;
  CREATE TABLE minutes (
    series INTEGER NOT NULL, at INTEGER NOT NULL, count INTEGER NOT NULL,
    least REAL NOT NULL, greatest REAL NOT NULL, sum REAL NOT NULL, PRIMARY KEY (series, at)
  ) WITHOUT ROWID, STRICT;
  CREATE TABLE hours (
    series INTEGER NOT NULL, at INTEGER NOT NULL, count INTEGER NOT NULL,
    least REAL NOT NULL, greatest REAL NOT NULL, sum REAL NOT NULL, PRIMARY KEY (series, at)
  ) WITHOUT ROWID, STRICT;

  -- The mailbox: commands without an outcome, and the latest that have one. command is JSON (core/store.ts, StoredCommand).
  CREATE TABLE commands (
    ordinal INTEGER PRIMARY KEY, unit TEXT NOT NULL, id TEXT NOT NULL,
    command TEXT NOT NULL, sent_in TEXT, outcome TEXT, ended_at INTEGER
  ) STRICT;
  CREATE INDEX commands_of_unit ON commands (unit, id);
  CREATE INDEX ended_commands ON commands (ended_at) WHERE ended_at IS NOT NULL;

  -- The outbox: what waits for a central, and the dead letters (dead_at, reason). key is a unit.
  CREATE TABLE items (
    position INTEGER PRIMARY KEY, queue TEXT NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL,
    octets INTEGER NOT NULL, body TEXT NOT NULL, attempts INTEGER NOT NULL, due_at INTEGER NOT NULL,
    dead_at INTEGER, reason TEXT
  ) STRICT;
  CREATE INDEX dead_items ON items (dead_at) WHERE dead_at IS NOT NULL;

  -- What is known of the receiver behind a queue, as JSON (core/queue.ts, QueueState).
  CREATE TABLE queues (queue TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID, STRICT;
  `,
  `
  -- Transmissions that are kept for peers that are away, as they are to be sent; octets in base64. unit is a UID, empty for
  -- the central.
  CREATE TABLE kept (
    position INTEGER PRIMARY KEY, unit TEXT NOT NULL, octets TEXT NOT NULL, at INTEGER NOT NULL
  ) STRICT;
  `,
  `
  -- What handlers note, each by keys of its own; value is JSON. unit is the UID that it is about, NULL for none.
  CREATE TABLE records (
    handler TEXT NOT NULL, key TEXT NOT NULL, unit TEXT, value TEXT NOT NULL, PRIMARY KEY (handler, key)
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX records_of_unit ON records (unit) WHERE unit IS NOT NULL;
  `,
];
