import { expect } from 'vitest';
import { SeededRandom } from '../../../simulator/seeded-random.js';
import { HttpReceiver } from '../../base/uplinks/http-receiver.js';
import { temporaryFolder } from '../../cli/support/program.js';
import { eventually } from '../../end-to-end/support/house.js';
import { BaseProcess } from '../../process/support/base-process.js';
import { startCommander } from './commander.js';
import { long } from './long.js';
import { startMeters } from './meters.js';
import { expectReports, repeatsOf, seenBy } from './seen.js';

/** Bases that are killed and started again at the same time, one a core of the smallest machine that runs the tests. */
const CHAINS = 2;
/** How often the base of a chain is killed. */
export const KILLS = (long ? 500 : 50) / CHAINS;
/** From the start of the process until it serves its units. */
const READY_MS = 3_000;
/** Every so many a kill comes while the base starts. */
const EARLY_EVERY = 5;

/**
 * Kills a base {@link KILLS} times at random instants under load and starts it again, then looks at what became of all: nothing
 * acknowledged is lost, nothing is invented, every command has one outcome. `BASEUNIT_SEED` has the instants again.
 */
export async function killUnderLoad(chain: string): Promise<void> {
  const seed = process.env.BASEUNIT_SEED ?? String(Date.now());
  const random = new SeededRandom(`${seed} ${chain}`);
  const receiver = await HttpReceiver.start();
  const meters = await startMeters(8);
  const commander = await startCommander(3);
  const folder = temporaryFolder();
  const configuration = {
    http: { listen: '127.0.0.1:0' },
    units: { known: { ...meters.known, ...commander.known } },
    webhooks: [{ url: receiver.url, secret: 'a secret', events: ['report', 'outcome'] }],
  };
  const readyMs: number[] = [];
  const startOne = async (): Promise<BaseProcess> => {
    const startedAt = performance.now();
    const base = await BaseProcess.start(configuration, { folder });
    readyMs.push(performance.now() - startedAt);
    return base;
  };
  for (let kill = 1; kill <= KILLS; kill += 1) {
    if (kill % EARLY_EVERY === 0) {
      const starting = BaseProcess.begin(configuration, { folder });
      await pause(random.fraction() * 1_200);
      starting.kill('SIGKILL');
      await starting.ended;
      continue;
    }
    const base = await startOne();
    const driving = commander.drive(base);
    // Of every two one comes when units are there and report, however busy the machine is.
    const { size } = meters.acknowledged;
    if (kill % 2 === 0) await eventually('reports are acknowledged', () => meters.acknowledged.size > size, 30_000);
    await pause(20 + random.fraction() * 500);
    base.kill('SIGKILL');
    await base.ended;
    await driving;
  }

  const base = await startOne();
  meters.pause();
  await eventually('every reading is acknowledged', () => meters.waiting === 0, 60_000);
  const statuses = new Map<string, 'waiting' | 'ended' | 'unknown'>();
  for (const [id, { unit }] of commander.asked) statuses.set(id, await statusOf(base, unit, id));
  await eventually(
    'every outcome is told',
    () => {
      const seen = outcomesIn(receiver);
      return [...statuses].every(([id, status]) => status === 'unknown' || seen.has(id));
    },
    60_000,
  );
  await untilEmpty(base);
  console.info(
    `seed ${seed}: ${meters.acknowledged.size} reports acknowledged, ${commander.asked.size} commands, ` +
      `${repeatsOf(receiver.received)} deliveries repeated, ready after at most ${Math.round(Math.max(...readyMs))} ms`,
  );

  expectReports(meters, receiver.received);
  expect(meters.acknowledged.size).toBeGreaterThan(KILLS * 10);
  expect(commander.answered.size).toBeGreaterThan(KILLS);
  const outcomes = outcomesIn(receiver);
  for (const [id, { unit, color }] of commander.asked) {
    const told = outcomes.get(id) ?? [];
    const answered = commander.answered.get(id);
    const where = `seed ${seed}: ${id} of ${unit}`;
    expect(told.length, where).toBeLessThanOrEqual(1);
    if (answered !== undefined || statuses.get(id) !== 'unknown') expect(told.length, where).toBe(1);
    if (answered !== undefined) expect(told[0], where).toBe(answered.outcome);
    const times = commander.timesApplied(color);
    expect(times, where).toBeLessThanOrEqual(1);
    if (told[0] === 'ok') expect(times, where).toBe(1);
    if (['refused', 'expired', 'unreachable'].includes(told[0] ?? '')) expect(times, where).toBe(0);
  }
  expect(Math.max(...readyMs)).toBeLessThan(READY_MS);
  await base.stop();
  await receiver.stop();
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Distinct outcomes told of each command. */
function outcomesIn(receiver: HttpReceiver): ReadonlyMap<string, readonly string[]> {
  const outcomes = new Map<string, string[]>();
  for (const { type, data } of seenBy(receiver.received).values()) {
    if (type === 'outcome') outcomes.set(data.id, [...(outcomes.get(data.id) ?? []), data.outcome]);
  }
  return outcomes;
}

/** `unknown`: the base does not know it: it was killed before it accepted it, or it ended ten minutes ago. */
async function statusOf(base: BaseProcess, unit: string, id: string): Promise<'waiting' | 'ended' | 'unknown'> {
  for (;;) {
    const response = await fetch(`${base.url}/api/v1/units/${unit}/commands/${id}`, {
      headers: { authorization: `Bearer ${base.token}` },
    });
    if (response.status === 429) await pause(60);
    else if (response.status === 404) return 'unknown';
    else return ((await response.json()) as { readonly status: 'waiting' | 'ended' }).status;
  }
}

async function untilEmpty(base: BaseProcess): Promise<void> {
  for (;;) {
    const { endpoints } = await base.get<{ endpoints: { waiting: number }[] }>('/outbox');
    if (endpoints.every(({ waiting }) => waiting === 0)) return;
    await pause(100);
  }
}
