import { expect, test } from 'vitest';
import { status } from '../base/uplinks/http-receiver.js';
import { eventually, startHouse, temporaryFolder } from '../end-to-end/support/house.js';
import { ManualClock } from '../support/manual-clock.js';
import { Attempts } from './support/attempts.js';
import { FaultReceiver, well } from './support/fault-receiver.js';
import { startGauges } from './support/gauges.js';
import { expectInOrder, expectOnce, hooks, untilTold } from './support/told.js';

const S = 1_000;
const MIN = 60 * S;
const H = 60 * MIN;
const DAY = 24 * H;
const RIGHT = Date.UTC(2026, 5, 1);

test('a clock that starts at 1970, is set right, goes two hours back and ten days on changes no wait, and loses and repeats nothing', async () => {
  const clock = new ManualClock(1 * S);
  const attempts = Attempts.watch(clock);
  const gauges = await startGauges(1);
  const [receiver, healthy] = [await FaultReceiver.start(status(503)), await FaultReceiver.start()];
  const { base, log } = await startHouse(
    { units: { known: gauges.known }, webhooks: hooks(receiver, healthy) },
    undefined,
    clock,
  );
  /** The clock is set to this before the attempt of that number. */
  const settings = [undefined, RIGHT, RIGHT - 2 * H, RIGHT + 10 * DAY];
  for (const [index, now] of settings.entries()) {
    if (now !== undefined) clock.setNow(now);
    await gauges.report(3);
    await untilTold(gauges, healthy);
    while (attempts.at(receiver).length < index + 1) await attempts.pass(clock, 1 * S);
  }
  const made = attempts.at(receiver);
  const waits = made.slice(1).map(({ beganMs }, index) => beganMs - made[index]!.beganMs);
  for (const [index, ms] of [5 * S, 1 * MIN, 5 * MIN].entries()) {
    expect(waits[index]).toBeGreaterThanOrEqual(0.8 * ms);
    // Time passes in whole seconds here.
    expect(waits[index]).toBeLessThanOrEqual(1.2 * ms + 1 * S);
  }
  for (const { timestampS, wallMs } of [...made, ...attempts.at(healthy)])
    expect(timestampS).toBe(Math.floor(wallMs / 1_000));
  expect(made.map(({ timestampS }) => new Date(timestampS * 1_000).getUTCFullYear())).toEqual([1970, 2026, 2026, 2026]);
  expect(log.filter(({ message }) => message.startsWith('disabled'))).toEqual([]);

  receiver.respond = well;
  clock.setNow(0);
  await attempts.pass(clock, 37 * MIN);
  await untilTold(gauges, receiver);
  expectInOrder(gauges, receiver);
  expect(receiver.received.length).toBe(gauges.acknowledged.size + made.length);
  expectOnce(gauges, healthy);
  await base.stop();
});

test.each([
  ['at 1970, for it has no clock of its own', 1 * S],
  ['two hours back', RIGHT - 2 * H],
  ['ten days on', RIGHT + 10 * DAY],
  ['thirty years on', RIGHT + 30 * 365 * DAY],
])(
  'after a restart whose clock is %s what waits is tried again no later than it was to be, and nothing is given up',
  async (_, now) => {
    const gauges = await startGauges(2);
    const receiver = await FaultReceiver.start(status(503));
    const folder = temporaryFolder();
    const configuration = { units: { known: gauges.known }, webhooks: hooks(receiver) };
    const before = new ManualClock(RIGHT);
    const first = Attempts.watch(before);
    const { base } = await startHouse(configuration, undefined, before, folder);
    await gauges.report(3);
    await first.pass(before, 20 * S);
    // Each unit's first was tried at once and after 5 s, and waits a minute.
    expect(receiver.received.length).toBe(4);
    await base.stop();

    const clock = new ManualClock(now);
    const second = Attempts.watch(clock);
    const { log } = await startHouse(configuration, undefined, clock, folder);
    await gauges.report(3);
    await second.pass(clock, 73 * S);
    expect(second.at(receiver).length).toBe(2);
    for (const { timestampS, wallMs } of second.at(receiver)) expect(timestampS).toBe(Math.floor(wallMs / 1_000));
    await second.pass(clock, 2 * H);
    expect(log.filter(({ message }) => /disabled|given up/.test(message))).toEqual([]);

    receiver.respond = well;
    await second.pass(clock, 61 * S);
    await eventually('all to be told', () => receiver.received.length >= gauges.acknowledged.size);
    await untilTold(gauges, receiver);
    expectInOrder(gauges, receiver);
    const failed = 4 + second.at(receiver).length - gauges.acknowledged.size;
    expect(receiver.received.length).toBe(gauges.acknowledged.size + failed);
  },
);
