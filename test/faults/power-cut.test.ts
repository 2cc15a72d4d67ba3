import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SqliteFile } from '../../base/engine/embedded/sqlite-file.js';
import { SeededRandom } from '../../simulator/seeded-random.js';
import { temporaryFolder } from '../cli/support/program.js';
import { BaseProcess } from '../process/support/base-process.js';
import { type Commander, startCommander } from './support/commander.js';
import { DiskModel } from './support/disk-model.js';
import { type DiskEvent, readDiskTrace, straceWords } from './support/disk-trace.js';
import { long } from './support/long.js';
import { type Meters, startMeters } from './support/meters.js';
import { canTrace } from './support/strace.js';

/** Disks that are looked at. */
const IMAGES = long ? 10_000 : 1_000;
/** How long the base works while its writes are recorded: some checkpoints of the write-ahead log. */
const LOAD_MS = long ? 30_000 : 6_000;

test(`${IMAGES} power cuts: no disk is found corrupt, and nothing acknowledged is missing`, {
  timeout: long ? 1_800_000 : 180_000,
}, async (context) => {
  if (!canTrace()) {
    process.stderr.write('LEFT OUT: the power cuts need strace and the right to trace processes\n');
    context.skip('strace may not trace here');
  }
  const seed = process.env.BASEUNIT_SEED ?? String(Date.now());
  const random = new SeededRandom(seed);
  const { events, meters, commander, restartedAt } = await record();
  const kinds = groupBy(events);
  const checkpoints = events.filter((event) => event.kind === 'sync' && event.file === 'baseunit.db');
  console.info(
    `seed ${seed}: ${events.length} events of the disk (${[...kinds].map(([kind, all]) => `${all.length} ${kind}`).join(', ')}), ` +
      `${meters.acknowledged.size} reports and ${commander.answered.size} outcomes acknowledged`,
  );
  expect(meters.acknowledged.size).toBeGreaterThan(200);
  expect(commander.answered.size).toBeGreaterThan(10);
  expect(checkpoints.length).toBeGreaterThan(2);

  const acknowledged = [
    ...meters.acknowledged,
    ...[...commander.answeredAt].map(([id, at]) => [`command ${id}`, at] as const),
  ];
  const moments = cutsAt(
    events,
    acknowledged.map(([, at]) => at),
    random,
  );
  const disk = new DiskModel();
  // In memory where there is such a folder: what is looked at here needs not last.
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'baseunit-power-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const found = { images: 0, mostMissingAllowed: 0 };
  let next = 0;
  for (const at of moments) {
    while (next < events.length && events[next]!.at <= at) disk.apply(events[next++]!);
    const required = acknowledged.filter(([, when]) => when <= at).map(([id]) => id);
    const where = `seed ${seed}, image ${found.images} at ${at - events[0]!.at} ms (restart at ${restartedAt - events[0]!.at})`;
    const there = lookAt(
      join(folder, String(found.images)),
      disk.image(() => random.fraction()),
      required.length,
      where,
    );
    expect(
      required.filter((id) => !there.has(id)),
      where,
    ).toEqual([]);
    found.images += 1;
  }
  expect(found.images).toBe(IMAGES);
});

interface Recorded {
  readonly events: readonly DiskEvent[];
  readonly meters: Meters;
  readonly commander: Commander;
  readonly restartedAt: number;
}

/** The real process under load, with all that it does to its store's folder written down; killed and started again once. */
async function record(): Promise<Recorded> {
  const meters = await startMeters(8);
  const commander = await startCommander(2);
  const folder = temporaryFolder();
  const store = join(folder, 'store');
  mkdirSync(store);
  const configuration = {
    http: { listen: '127.0.0.1:0' },
    store: { file: 'store/baseunit.db' },
    units: { known: { ...meters.known, ...commander.known } },
    // Nobody is there: what is told waits in the outbox, and is tried again.
    webhooks: [{ url: 'http://127.0.0.1:9', secret: 'a secret' }],
  };
  const events: DiskEvent[] = [];
  let restartedAt = 0;
  for (const part of ['first', 'second']) {
    const trace = join(folder, `${part}.trace`);
    restartedAt = Date.now();
    const base = await BaseProcess.start(configuration, { folder, under: ['strace', ...straceWords(trace)] });
    const driving = commander.drive(base);
    await new Promise((resolve) => setTimeout(resolve, LOAD_MS / 2));
    // The process under strace: strace itself ends with it.
    const { pid } = JSON.parse(readFileSync(join(base.stateFolder, 'running.json'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await base.ended;
    await driving;
    events.push(...readDiskTrace(trace, store));
    expect(statSync(trace).size).toBeGreaterThan(10_000);
  }
  meters.pause();
  return { events, meters, commander, restartedAt };
}

/** Moments of power cuts, in order: half of them when something was acknowledged, half anywhere. */
function cutsAt(events: readonly DiskEvent[], acknowledgedAt: readonly number[], random: SeededRandom): number[] {
  const first = events[0]!.at;
  const last = events.at(-1)!.at;
  const moments = Array.from({ length: IMAGES }, (_, index) =>
    index % 2 === 0
      ? acknowledgedAt[Math.floor(random.fraction() * acknowledgedAt.length)]!
      : first + random.fraction() * (last - first),
  );
  return moments.sort((a, b) => a - b);
}

/** Opens a disk as a base does, and gives what is on it. */
function lookAt(
  folder: string,
  image: ReadonlyMap<string, Buffer>,
  required: number,
  where: string,
): ReadonlySet<string> {
  mkdirSync(folder);
  for (const [name, octets] of image) writeFileSync(join(folder, name), octets);
  const { file, opened } = SqliteFile.open(join(folder, 'baseunit.db'), 'found');
  try {
    expect(opened.damaged, where).toBeUndefined();
    if (required > 0) expect(opened.isNew, where).toBe(false);
    const reports = file
      .all('reportsBehind', [0, 1_000_000])
      .map(({ unit, boot, sequence }) => `${unit}/${boot}/${sequence}`);
    expect(new Set(reports).size, where).toBe(reports.length);
    const commands = file
      .all('commands', [])
      .filter(({ outcome }) => outcome !== null)
      .map(({ command }) => `command ${(JSON.parse(command as string) as { command: { id: string } }).command.id}`);
    return new Set([...reports, ...commands]);
  } finally {
    file.close();
    rmSync(folder, { recursive: true });
  }
}

function groupBy(events: readonly DiskEvent[]): Map<string, DiskEvent[]> {
  const groups = new Map<string, DiskEvent[]>();
  for (const event of events) groups.set(event.kind, [...(groups.get(event.kind) ?? []), event]);
  return groups;
}
