import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal } from '../../base/core/journal.js';
import { Outboxes } from '../../base/core/outboxes.js';
import { EmbeddedEngine } from '../../base/engine/embedded/embedded-engine.js';
import type { Statement } from '../../base/engine/embedded/sql.js';
import { type OpenFile, openHere } from '../../base/engine/embedded/sqlite-port.js';
import { ManualClock, settle } from './manual-clock.js';
import { QuietLog } from './quiet-log.js';

const retention = { rawDays: 1, rawPerUnit: 1_000, minuteDays: 1, hourDays: 1, maxOctets: 2 ** 30 };

/** What a test does to the disk. */
export interface TestDisk {
  /** Nothing can be written. */
  isFull: boolean;
  isUnreadable: boolean;
  /** Groups with such a statement wait as long as this is so: they are not on disk when the power goes. */
  isHeld: ((statement: Statement) => boolean) | undefined;
  /** How often something was read, or tried to be. */
  reads: number;
}

/** The real store, queues and journal over one file, whose disk a test may let fail. */
export interface TestStore {
  readonly file: string;
  readonly engine: EmbeddedEngine;
  readonly outboxes: Outboxes;
  readonly journal: Journal;
  readonly disk: TestDisk;
  /** Of the store alone: its upkeep does not disturb the test's own clock. */
  readonly storeClock: ManualClock;
  readonly log: QuietLog;
  /** Copies the file as it is on disk now, as a kill would leave it, into the same folder. Gives its path. */
  copy(): string;
  /** Makes the disk well again, and closes the file. */
  end(): Promise<void>;
}

/** A file in a folder that is removed by the second function. */
export function temporaryStoreFile(): [file: string, remove: () => void] {
  const folder = mkdtempSync(join(tmpdir(), 'baseunit-store-'));
  return [join(folder, 'store.db'), () => rmSync(folder, { recursive: true })];
}

export async function openTestStore(file = ':memory:', now?: number): Promise<TestStore> {
  const disk: TestDisk = { isFull: false, isUnreadable: false, isHeld: undefined, reads: 0 };
  const storeClock = new ManualClock(now);
  const log = new QuietLog();
  const open: OpenFile = async (path, stamp) => {
    const { port, opened } = await openHere(path, stamp);
    const faulty: typeof port = {
      ...port,
      runGroup: async (group) => {
        while (disk.isHeld !== undefined && group.flat().some(disk.isHeld)) await settle(1);
        if (disk.isFull) return group.map(() => ({ code: 'SQLITE_FULL', message: 'database or disk is full' }));
        return port.runGroup(group);
      },
      all: async (...asked) => {
        disk.reads += 1;
        if (disk.isUnreadable) throw new Error('disk I/O error');
        return port.all(...asked);
      },
    };
    return { port: faulty, opened };
  };
  const engine = await EmbeddedEngine.open({ file, retention, clock: storeClock, log, open });
  const outboxes = new Outboxes();
  const journal = new Journal(engine.bus, engine.store, outboxes);
  let copies = 0;
  const copy = (): string => {
    copies += 1;
    const target = `${file}.copy-${copies}`;
    for (const suffix of ['', '-wal']) if (existsSync(file + suffix)) copyFileSync(file + suffix, target + suffix);
    return target;
  };
  const end = (): Promise<void> => {
    Object.assign(disk, { isFull: false, isUnreadable: false, isHeld: undefined });
    return engine.close();
  };
  return { file, engine, outboxes, journal, disk, storeClock, log, copy, end };
}
