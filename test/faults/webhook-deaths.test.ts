import { expect, test } from 'vitest';
import { SeededRandom } from '../../simulator/seeded-random.js';
import type { Respond } from '../base/uplinks/http-receiver.js';
import { temporaryFolder } from '../cli/support/program.js';
import { eventually, startHouse } from '../end-to-end/support/house.js';
import { BaseProcess } from '../process/support/base-process.js';
import { ManualClock } from '../support/manual-clock.js';
import { Attempts } from './support/attempts.js';
import { FaultReceiver, well } from './support/fault-receiver.js';
import { startGauges } from './support/gauges.js';
import { long } from './support/long.js';
import { expectReports } from './support/seen.js';
import { expectInOrder, hooks, missing, untilTold } from './support/told.js';

const RECEIVER_DEATHS = long ? 500 : 50;
const BASE_DEATHS = long ? 100 : 6;
/** What was answered so long before a kill is known to be delivered, also on a slow disk. */
const KNOWN_AFTER_MS = 1_000;

/** In which life of who dies each id was seen. */
class Lives {
  readonly seen = new Map<string, { readonly life: number; readonly at: number }[]>();
  now = 0;

  note(id: string): void {
    const sighting = { life: this.now, at: performance.now() };
    this.seen.set(id, [...(this.seen.get(id) ?? []), sighting]);
  }

  /** At most once a life: so at most 1 + as often as somebody died meanwhile. */
  expectOnceEach(): void {
    for (const [id, sightings] of this.seen) {
      const lives = sightings.map(({ life }) => life);
      expect(`${id} ${lives}`).toBe(`${id} ${[...new Set(lives)]}`);
    }
  }
}

test(`a receiver that dies ${RECEIVER_DEATHS} times with deliveries in its hands sees each again, once a death, in order`, {
  timeout: 20_000 + RECEIVER_DEATHS * 1_000,
}, async () => {
  const seed = process.env.BASEUNIT_SEED ?? String(Date.now());
  const random = new SeededRandom(seed);
  const clock = new ManualClock();
  const attempts = Attempts.watch(clock);
  const gauges = await startGauges(3);
  const receiver = await FaultReceiver.start();
  const lives = new Lives();
  const victims: string[] = [];
  let left = 0;
  receiver.respond = (got, response) => {
    const id = got.headers['webhook-id'] as string;
    lives.note(id);
    left -= 1;
    if (left !== 0) return well(got, response);
    victims.push(id);
    lives.now += 1;
    void receiver.goAway();
  };
  await startHouse({ units: { known: gauges.known }, webhooks: hooks(receiver) }, undefined, clock);
  for (let death = 1; death <= RECEIVER_DEATHS; death += 1) {
    left = 1 + Math.floor(random.fraction() * 6);
    await gauges.report(2);
    while (lives.now < death) await attempts.pass(clock, 10_000, { stepMs: 5_000 });
    // Some come back before they are missed, some later.
    if (random.fraction() < 0.5) await attempts.pass(clock, random.fraction() * 100_000, { stepMs: 5_000 });
    await receiver.comeBack();
  }
  left = 0;
  await gauges.report(1);
  // One that was in its hands again and again waits for hours.
  while (missing(gauges, receiver).length > 0) await attempts.pass(clock, 600_000, { stepMs: 10_000 });

  expectInOrder(gauges, receiver);
  lives.expectOnceEach();
  for (const id of victims) expect(lives.seen.get(id)!.length, `seed ${seed}: ${id}`).toBeGreaterThanOrEqual(2);
  const repeats = receiver.ids.length - new Set(receiver.ids).size;
  console.info(`seed ${seed}: ${receiver.ids.length} deliveries, ${repeats} repeated over ${RECEIVER_DEATHS} deaths`);
  // One of each unit can be in its hands.
  expect(repeats).toBeLessThanOrEqual(3 * RECEIVER_DEATHS);
});

test(`a base that is killed ${BASE_DEATHS} times right when it is answered repeats at most what it could not yet note, once a death`, {
  timeout: 20_000 + BASE_DEATHS * 12_000,
}, async () => {
  const seed = process.env.BASEUNIT_SEED ?? String(Date.now());
  const random = new SeededRandom(seed);
  const gauges = await startGauges(4);
  const lives = new Lives();
  const killedAt: number[] = [];
  const receiver = await FaultReceiver.start();
  const folder = temporaryFolder();
  const configuration = { units: { known: gauges.known }, webhooks: hooks(receiver) };
  const reporting = gauges.report(BASE_DEATHS * 15);
  const noting: Respond = (got, response) => {
    lives.note(got.headers['webhook-id'] as string);
    well(got, response);
  };
  for (let death = 1; death <= BASE_DEATHS; death += 1) {
    const base = BaseProcess.begin(configuration, { folder });
    let left = 1 + Math.floor(random.fraction() * 30);
    receiver.respond = (got, response) => {
      left -= 1;
      // The answer is the kernel's now, and the base has not had a turn to read it, or only just.
      if (left === 0)
        response.on('finish', () => {
          base.kill('SIGKILL');
          killedAt.push(performance.now());
        });
      noting(got, response);
    };
    await base.ended;
    lives.now += 1;
  }
  receiver.respond = noting;
  const base = await BaseProcess.start(configuration, { folder });
  await reporting;
  await untilTold(gauges, receiver, 60_000);

  expectReports(gauges, receiver.received);
  lives.expectOnceEach();
  const repeats = receiver.ids.length - new Set(receiver.ids).size;
  // Whatever came again had come right before a kill, and no receiver need remember it for long.
  for (const [id, [first, ...more]] of lives.seen) {
    let last = first!;
    for (const sighting of more) {
      expect(killedAt[last.life]! - last.at, `seed ${seed}: ${id}`).toBeLessThan(KNOWN_AFTER_MS);
      last = sighting;
    }
  }
  console.info(`seed ${seed}: ${receiver.ids.length} deliveries, ${repeats} repeated over ${BASE_DEATHS} kills`);
  await eventually('nothing to be under way', () => receiver.underWay === 0);
  expect(await base.stop()).toMatchObject({ code: 0 });

  // After an orderly end nothing comes again.
  const before = receiver.ids.length;
  const next = await BaseProcess.start(configuration, { folder });
  await gauges.report(5);
  await untilTold(gauges, receiver);
  expect(receiver.ids.slice(before).length).toBe(
    new Set(receiver.ids).size - new Set(receiver.ids.slice(0, before)).size,
  );
  expect(await next.stop()).toMatchObject({ code: 0 });
});
