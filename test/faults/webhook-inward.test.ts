import type { LookupAddress } from 'node:dns';
import { expect, onTestFinished, test } from 'vitest';
import { systemRandom } from '../../base/system.js';
import { WebhooksUplink } from '../../base/uplinks/webhooks/webhooks-uplink.js';
import { LocalBus, report } from '../base/uplinks/local-bus.js';
import { eventually } from '../end-to-end/support/house.js';
import { ManualClock } from '../support/manual-clock.js';
import { QuietLog } from '../support/quiet-log.js';
import { openTestStore, type TestStore } from '../support/test-store.js';
import { Attempts } from './support/attempts.js';
import { FaultReceiver } from './support/fault-receiver.js';

/** Public by its number, but of a block that nobody was given (IANA, IPv6 global unicast): it leads nowhere. */
const PUBLIC: LookupAddress = { address: '3000::1', family: 6 };
/** Of the loopback, and nobody else's: bases of other tests dial units that are gone at ports of 127.0.0.1. */
const HERE: LookupAddress = { address: '127.77.0.1', family: 4 };
const NEIGHBOUR: LookupAddress = { address: '10.0.0.7', family: 4 };
const NAME = 'hooks.example';

async function start(store: TestStore, url: string, answers: () => readonly LookupAddress[], allowPrivate = false) {
  const clock = new ManualClock();
  const attempts = Attempts.watch(clock);
  const log = new QuietLog();
  const asked: string[] = [];
  const uplink = new WebhooksUplink({
    webhooks: [{ url, secret: 'a secret', events: ['report'], allowHttp: true, allowPrivate }],
    resolve: async (hostname) => {
      asked.push(hostname);
      return answers();
    },
  });
  onTestFinished(() => uplink.stop());
  const { engine, outboxes, journal } = store;
  await uplink.start({
    bus: new LocalBus(),
    outboxes,
    queue: (name) => engine.queue(name),
    command: () => Promise.reject(new Error('no webhook commands anything')),
    clock,
    random: systemRandom,
    log,
  });
  const reasons = (): unknown[] =>
    log.lines.filter(({ message }) => message.startsWith('not delivered')).map(({ fields }) => fields.reason);
  return {
    clock,
    attempts,
    uplink,
    asked,
    reasons,
    tell: (sequence: number) => journal.record(report('u', sequence), []),
  };
}

test('a name that turns inward after it was public leads nobody inside; the reason says what to set, and set it lets everything through', async () => {
  const inside = await FaultReceiver.start(undefined, undefined, HERE.address);
  const url = `http://${NAME}:${inside.port}`;
  const store = await openTestStore();
  onTestFinished(() => store.end());
  const turns = [[PUBLIC], [HERE], [NEIGHBOUR], [PUBLIC, HERE], [HERE, PUBLIC]];
  let answers: readonly LookupAddress[] = turns[0]!;
  const first = await start(store, url, () => answers);
  for (const sequence of [1, 2, 3]) await first.tell(sequence);
  for (const now of turns) {
    answers = now;
    const before = first.asked.length;
    while (first.asked.length === before) await first.attempts.pass(first.clock, 1_000);
  }
  expect(new Set(first.asked)).toEqual(new Set([NAME]));
  expect(inside.connections).toBe(0);
  expect(first.uplink.outboxes[0]!.status).toMatchObject({ waiting: 3, dead: 0, delivered: 0 });
  // Each trouble is said once: also what comes behind another.
  const refusal = (address: string): string =>
    `${NAME} resolves to ${address}, a private address; set webhooks[0].allowPrivate if that is meant`;
  expect(first.reasons().slice(1)).toEqual([refusal(HERE.address), refusal('10.0.0.7')]);
  await first.uplink.stop();
  expect(inside.connections).toBe(0);

  answers = [HERE];
  const second = await start(store, url, () => answers);
  await second.attempts.pass(second.clock, 3 * 3_600_000, { stepMs: 10_000 });
  expect(second.reasons()).toEqual([refusal(HERE.address)]);
  expect(inside.connections).toBe(0);
  await second.uplink.stop();

  const third = await start(store, url, () => answers, true);
  await third.attempts.pass(third.clock, 6 * 3_600_000, { stepMs: 10_000 });
  await eventually('all to be told', () => inside.received.length === 3);
  expect(inside.ids).toEqual(['u/7/1', 'u/7/2', 'u/7/3']);
});
