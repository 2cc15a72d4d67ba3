import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeCertificates } from '../base/uplinks/certificates.js';
import { status } from '../base/uplinks/http-receiver.js';
import { eventually, startHouse, temporaryFolder } from '../end-to-end/support/house.js';
import { ManualClock } from '../support/manual-clock.js';
import { Attempts } from './support/attempts.js';
import { FaultReceiver, well } from './support/fault-receiver.js';
import { startGauges } from './support/gauges.js';
import { dripping, silent } from './support/misbehaviour.js';
import { expectInOrder, expectOnce, hooks, missing, untilTold } from './support/told.js';

const HOUR_MINUTES = 60;

test('a receiver that is down for an hour gets everything after it, once and in order; another gets all at once meanwhile', {
  timeout: 120_000,
}, async () => {
  const clock = new ManualClock();
  const attempts = Attempts.watch(clock);
  const gauges = await startGauges(3);
  const [down, healthy] = [await FaultReceiver.start(), await FaultReceiver.start()];
  await startHouse({ units: { known: gauges.known }, webhooks: hooks(down, healthy) }, undefined, clock);
  await gauges.report(2);
  await untilTold(gauges, down);
  const before = attempts.at(down).length;

  await down.goAway();
  for (let minute = 0; minute < HOUR_MINUTES; minute += 1) {
    await gauges.report(1);
    // No time passes until it is there.
    await untilTold(gauges, healthy);
    await attempts.pass(clock, 60_000);
  }
  const tried = attempts.at(down).slice(before);
  expect(tried.filter(({ error }) => error === undefined || !/ECONNREFUSED/.test(error))).toEqual([]);
  // Up to eight until the breaker opens, each unit's first and some of their second attempts; then a probe a minute.
  expect(tried.length).toBeGreaterThanOrEqual(HOUR_MINUTES - 5);
  expect(tried.length).toBeLessThanOrEqual(HOUR_MINUTES + 8);
  const probes = tried.slice(8).map(({ beganMs }) => beganMs);
  for (const [index, at] of probes.entries())
    if (index > 0) expect(at - probes[index - 1]!).toBeGreaterThanOrEqual(60_000);
  expect(missing(gauges, down).length).toBe(3 * HOUR_MINUTES);

  await down.comeBack();
  await attempts.pass(clock, 61_000);
  await untilTold(gauges, down);
  expectOnce(gauges, down);
  expectOnce(gauges, healthy);
});

test('an attempt at a silent receiver ends after 15 s and is made again; another is served at once meanwhile', async () => {
  const clock = new ManualClock();
  const attempts = Attempts.watch(clock);
  const gauges = await startGauges(2);
  const [mute, healthy] = [await FaultReceiver.start(silent), await FaultReceiver.start()];
  await startHouse({ units: { known: gauges.known }, webhooks: hooks(mute, healthy) }, undefined, clock);
  await gauges.report(20);
  await untilTold(gauges, healthy);
  await eventually('it to take two', () => mute.received.length === 2);

  await clock.advance(14_999);
  expect(attempts.underWay(mute)).toBe(2);
  await clock.advance(1);
  await eventually('the attempts to end', () => attempts.underWay(mute) === 0);
  expect(attempts.at(mute).map(({ error }) => error)).toEqual(Array(2).fill('no complete answer within 15 s'));
  await eventually('their connections to be let go', () => mute.underWay === 0);
  await attempts.pass(clock, 3_000, { hanging: [mute] });
  expect(mute.received.length).toBe(2);
  await attempts.pass(clock, 4_000, { hanging: [mute] });
  await eventually('it to be asked again', () => mute.received.length === 4);

  mute.respond = well;
  await attempts.pass(clock, 15_000, { hanging: [mute] });
  await attempts.pass(clock, 75_000);
  await untilTold(gauges, mute);
  expectInOrder(gauges, mute);
  expect(mute.received.length).toBe(gauges.acknowledged.size + 4);
  expectOnce(gauges, healthy);
});

test.each(['headers', 'body'] as const)('one octet a second of %s is read for 15 s', async (what) => {
  const clock = new ManualClock();
  const attempts = Attempts.watch(clock);
  const gauges = await startGauges(1);
  let octets = 0;
  const hear = (): void => {
    octets += 1;
  };
  const slow = await FaultReceiver.start(dripping(clock, what, hear));
  const healthy = await FaultReceiver.start();
  const { log } = await startHouse(
    { units: { known: gauges.known }, webhooks: hooks(slow, healthy) },
    undefined,
    clock,
  );
  await gauges.report(9);
  await untilTold(gauges, healthy);
  await eventually('it to begin its answer', () => octets > 0);

  for (let second = 1; second < 15; second += 1) await clock.advance(1_000);
  expect(octets).toBe(15);
  expect(attempts.underWay(slow)).toBe(1);
  await clock.advance(1_000);
  await eventually('the attempt to end', () => attempts.underWay(slow) === 0);
  await eventually('its connection to be let go', () => slow.underWay === 0);
  expect(attempts.at(slow).map(({ endedMs, beganMs }) => endedMs! - beganMs)).toEqual([15_000]);
  expect(log.filter(({ fields }) => fields.reason === 'no complete answer within 15 s').length).toBe(1);
  await clock.advance(1_000);
  expect(octets).toBeLessThanOrEqual(16);

  slow.respond = well;
  await attempts.pass(clock, 10_000);
  await untilTold(gauges, slow);
  expectInOrder(gauges, slow);
  expect(slow.received.length).toBe(gauges.acknowledged.size + 1);
  expectOnce(gauges, healthy);
});

test('a redirect to another server is a failure, and that server hears nothing', async () => {
  const clock = new ManualClock();
  const attempts = Attempts.watch(clock);
  const gauges = await startGauges(2);
  const target = await FaultReceiver.start();
  const receiver = await FaultReceiver.start(status(302, { location: `${target.url}/elsewhere` }));
  const { log } = await startHouse({ units: { known: gauges.known }, webhooks: hooks(receiver) }, undefined, clock);
  await gauges.report(3);
  await eventually('it to be asked', () => receiver.received.length === 2);
  await attempts.pass(clock, 10_000);
  expect(receiver.received.length).toBeGreaterThanOrEqual(4);
  expect(log.map(({ fields }) => fields.reason)).toContain('answered 302, and redirects are not followed');
  expect(missing(gauges, receiver).length).toBeGreaterThan(0);

  receiver.respond = well;
  await attempts.pass(clock, 120_000);
  await untilTold(gauges, receiver);
  expectInOrder(gauges, receiver);
  expect(target.connections).toBe(0);
});

test.each(['expired', 'of an unknown authority'])(
  'nothing is sent to a receiver whose certificate is %s; it gets everything when that is mended',
  async (what) => {
    const [own, strangers] = [makeCertificates(), makeCertificates()];
    const bad = what === 'expired' ? { key: own.key, cert: own.expired } : { key: strangers.key, cert: strangers.cert };
    const clock = new ManualClock(Date.now());
    const attempts = Attempts.watch(clock);
    const gauges = await startGauges(2);
    const receiver = await FaultReceiver.start(well, bad);
    const ca = join(temporaryFolder(), 'ca.pem');
    writeFileSync(ca, own.ca);
    const webhooks = hooks(receiver).map((hook) => ({ ...hook, ca }));
    const { log } = await startHouse({ units: { known: gauges.known }, webhooks }, undefined, clock);
    await gauges.report(3);
    for (let minute = 0; minute < 5; minute += 1) await attempts.pass(clock, 60_000);
    expect(attempts.at(receiver).length).toBeGreaterThan(3);
    expect(receiver.connections).toBeGreaterThan(3);
    expect(receiver.begun).toBe(0);
    const reasons = log.filter(({ message }) => message.startsWith('not delivered')).map(({ fields }) => fields.reason);
    expect(reasons).toEqual([
      expect.stringMatching(
        what === 'expired' ? /CERT_HAS_EXPIRED: certificate has expired/ : /UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/,
      ),
    ]);

    receiver.renew(own);
    await attempts.pass(clock, 61_000);
    await untilTold(gauges, receiver);
    expectOnce(gauges, receiver);
  },
);

test.each([
  [429, 'seconds', () => '600'],
  [503, 'an HTTP date', (now: number) => new Date(now + 600_000).toUTCString()],
] as const)('%i with Retry-After in %s is honoured for all that waits', async (code, _, after) => {
  const clock = new ManualClock();
  const attempts = Attempts.watch(clock);
  const gauges = await startGauges(2);
  const receiver = await FaultReceiver.start((_, response) => {
    response.writeHead(code, { 'retry-after': after(clock.now()) }).end();
  });
  await startHouse({ units: { known: gauges.known }, webhooks: hooks(receiver) }, undefined, clock);
  await gauges.report(2);
  await eventually('it to be asked', () => receiver.received.length === 2);
  await attempts.pass(clock, 300_000);
  await gauges.report(2);
  await attempts.pass(clock, 299_000);
  expect(attempts.at(receiver).length).toBe(2);

  receiver.respond = well;
  await attempts.pass(clock, 1_000);
  await untilTold(gauges, receiver);
  expectInOrder(gauges, receiver);
  expect(receiver.received.length).toBe(gauges.acknowledged.size + 2);
});
