import { doTask, type SideTask } from './side-task.js';
import type { Row, SqlName, SqlValue, Statement } from './sql.js';
import { type Fault, type Opened, SqliteFile } from './sqlite-file.js';

/** What the store asks of its file, wherever that runs. Everything is done in the order in which it was asked. */
export interface SqlitePort {
  /** A fault, or `null`, for each list of statements. */
  runGroup(group: readonly (readonly Statement[])[]): Promise<(Fault | null)[]>;
  all(name: SqlName, ...parameters: SqlValue[]): Promise<Row[]>;
  change(name: SqlName, ...parameters: SqlValue[]): Promise<number>;
  size(): Promise<{ readonly octets: number; readonly walOctets: number }>;
  backup(target: string): Promise<void>;
  erase(unit: string): Promise<void>;
  /** The same in another file that nobody uses, as a backup. */
  eraseFrom(path: string, unit: string): Promise<void>;
  close(): Promise<void>;
  /** Resolves when it has ended without `close`. */
  readonly died: Promise<Error>;
}

/** Opens the file at that path; what is damaged is set aside under that stamp. Rejects as `SqliteFile.open` throws. */
export type OpenFile = (path: string, stamp: string) => Promise<{ readonly port: SqlitePort; readonly opened: Opened }>;

/**
 * Opens a file in this thread, which then waits for the disk. `aside` does long work on other files, by default here too.
 * Rejects as `SqliteFile.open` throws.
 */
export async function openHere(
  path: string,
  stamp: string,
  aside: (task: SideTask) => Promise<void> = async (task) => doTask(task),
): Promise<{ port: SqlitePort; opened: Opened }> {
  const { file, opened } = SqliteFile.open(path, stamp);
  const port: SqlitePort = {
    runGroup: async (group) => file.runGroup(group),
    all: async (name, ...parameters) => file.all(name, parameters),
    change: async (name, ...parameters) => file.change(name, parameters),
    size: async () => file.size(),
    backup: (target) => file.backup(target, (copy) => aside({ kind: 'check', path: copy })),
    erase: async (unit) => file.erase(unit),
    eraseFrom: (other, unit) => aside({ kind: 'erase', path: other, unit }),
    close: async () => file.close(),
    died: new Promise(() => {}),
  };
  return { port, opened };
}
