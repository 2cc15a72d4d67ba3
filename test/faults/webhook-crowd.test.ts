import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { OutboxStatus } from '../../base/core/outbox-port.js';
import { systemClock } from '../../base/system.js';
import { freePort } from '../../cli/free-port.js';
import { makeCertificates } from '../base/uplinks/certificates.js';
import { status } from '../base/uplinks/http-receiver.js';
import { temporaryFolder } from '../cli/support/program.js';
import { BaseProcess } from '../process/support/base-process.js';
import { FaultReceiver, well } from './support/fault-receiver.js';
import { startGauges } from './support/gauges.js';
import { babbler, dripping, endless, killer, silent } from './support/misbehaviour.js';
import { expectOnce, hooks, untilTold } from './support/told.js';

/** How late a healthy receiver may see what was acknowledged, and an asker his answer. */
const TOLD_MS = 8_000;
const ANSWER_MS = 1_000;

test('beside thirteen receivers that all do something wrong the healthy one gets everything within seconds; the base answers, and stops in 5 s', {
  timeout: 60_000,
}, async () => {
  const [own, strangers] = [makeCertificates(), makeCertificates()];
  const gauges = await startGauges(8);
  const healthy = await FaultReceiver.start();
  const target = await FaultReceiver.start();
  const bad = {
    silent: await FaultReceiver.start(silent),
    headers: await FaultReceiver.start(dripping(systemClock, 'headers')),
    body: await FaultReceiver.start(dripping(systemClock, 'body')),
    endless: await FaultReceiver.start(endless()),
    redirect: await FaultReceiver.start(status(302, { location: target.url })),
    gone: await FaultReceiver.start(status(410)),
    busy: await FaultReceiver.start(status(429, { 'retry-after': '3600' })),
    broken: await FaultReceiver.start(status(500)),
    killer: await FaultReceiver.start(killer),
    babbler: await FaultReceiver.start(babbler),
    expired: await FaultReceiver.start(well, { key: own.key, cert: own.expired }),
    stranger: await FaultReceiver.start(well, { key: strangers.key, cert: strangers.cert }),
  };
  const refusing = { url: `http://127.0.0.1:${await freePort()}` };
  const ca = join(temporaryFolder(), 'ca.pem');
  writeFileSync(ca, own.ca);
  const base = await BaseProcess.start({
    http: { listen: '127.0.0.1:0' },
    units: { known: gauges.known },
    webhooks: hooks(...Object.values(bad), refusing, healthy).map((hook) => ({ ...hook, ca })),
  });
  let slowestMs = 0;
  for (let round = 0; round < 5; round += 1) {
    await gauges.report(10);
    const startedAt = performance.now();
    await base.get('/units');
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
  }
  await untilTold(gauges, healthy);
  const late = healthy.received.map(
    ({ headers, at }) => performance.timeOrigin + at - gauges.acknowledged.get(headers['webhook-id'] as string)!,
  );
  console.info(`told after at most ${Math.round(Math.max(...late))} ms, answered after ${Math.round(slowestMs)} ms`);
  expect(Math.max(...late)).toBeLessThan(TOLD_MS);
  expect(slowestMs).toBeLessThan(ANSWER_MS);
  expectOnce(gauges, healthy);

  // Each of the others did what it does.
  const total = gauges.acknowledged.size;
  const { endpoints } = await base.get<{ endpoints: OutboxStatus[] }>('/outbox');
  const states = Object.fromEntries(
    Object.entries(bad).map(([name, { port }]) => {
      const { state, waiting, dead } = endpoints.find(({ label }) => label.endsWith(`:${port})`))!;
      return [name, `${state} ${name === 'gone' ? dead > 0 : waiting}`];
    }),
  );
  expect(states).toMatchObject({
    redirect: `failing ${total}`,
    gone: 'disabled true',
    busy: `failing ${total}`,
    broken: `failing ${total}`,
    killer: `failing ${total}`,
    babbler: `failing ${total}`,
    expired: `failing ${total}`,
    stranger: `failing ${total}`,
  });
  expect(bad.expired.begun + bad.stranger.begun + target.connections).toBe(0);
  const { code, tookMs } = await base.stop();
  console.info(`stopped after ${Math.round(tookMs)} ms`);
  expect(code).toBe(0);
  expect(tookMs).toBeLessThan(5_000);
});
