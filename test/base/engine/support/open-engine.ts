import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../../../base/core/clock.js';
import type { Report } from '../../../../base/core/messages.js';
import { EmbeddedEngine } from '../../../../base/engine/embedded/embedded-engine.js';
import { type OpenFile, openHere } from '../../../../base/engine/embedded/sqlite-port.js';
import type { Retention } from '../../../../base/engine/embedded/upkeep.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { QuietLog } from '../../../support/quiet-log.js';

const KEEP_ALL: Retention = {
  rawDays: 7,
  rawPerUnit: 100_000,
  minuteDays: 90,
  hourDays: 1_825,
  maxOctets: 1_024 * 1_024 * 1_024,
};

/** A folder that is gone after the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'baseunit-engine-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export interface OpenOptions {
  readonly file?: string;
  readonly backups?: string;
  readonly retention?: Partial<Retention>;
  readonly clock?: Clock;
  readonly log?: QuietLog;
  readonly open?: OpenFile;
}

/** An embedded engine, closed after the test. */
export async function openEngine(options: OpenOptions = {}): Promise<EmbeddedEngine> {
  const { file = ':memory:', backups, retention, clock = new ManualClock(), log = new QuietLog() } = options;
  const engine = await EmbeddedEngine.open({
    file,
    backups,
    retention: { ...KEEP_ALL, ...retention },
    clock,
    log,
    open: options.open ?? openHere,
  });
  onTestFinished(() => engine.close());
  return engine;
}

export function report(unit: string, sequence: number, more: Partial<Report> = {}): Report {
  const measuredAt = more.measuredAt ?? Date.UTC(2026, 0, 1) + sequence * 1_000;
  return {
    kind: 'report',
    id: `${unit}/3/${sequence}`,
    unit,
    definition: 'thermometer',
    report: 'reading',
    fields: { temperature: 20 + sequence, humidity: 40 },
    boot: 3,
    sequence,
    measuredAt,
    receivedAt: measuredAt,
    ...more,
  };
}
