import type { AttemptResult } from '../../../base/uplinks/outbox/attempt.js';
import { Endpoint, type EndpointOptions } from '../../../base/uplinks/outbox/endpoint.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';
import { openTestStore, type TestStore } from '../../support/test-store.js';
import { fixedRandom } from './fixed-random.js';
import { outcome } from './local-bus.js';

export const delivered: AttemptResult = { kind: 'delivered' };
export const failed: AttemptResult = { kind: 'failed', reason: 'answered 500' };

export interface Attempted {
  readonly id: string;
  readonly body: string;
  readonly atS: number;
  readonly signal: AbortSignal;
}

export type Answer = (id: string) => AttemptResult | Promise<AttemptResult>;

export interface EndpointRigOptions
  extends Partial<Pick<EndpointOptions, 'maxItems' | 'maxOctets' | 'maxItemsPerKey'>> {
  readonly store?: TestStore;
  readonly now?: number;
  readonly answer?: Answer;
}

/** An endpoint over a real store, and a receiver that answers as `answer` says at that moment. It is told outcomes. */
export async function startEndpoint({ store: given, now, answer, ...bounds }: EndpointRigOptions = {}) {
  const store = given ?? (await openTestStore());
  const clock = new ManualClock(now);
  const log = new QuietLog();
  const attempts: Attempted[] = [];
  const notStored: string[] = [];
  const rig = { answer: answer ?? (() => delivered) };
  const endpoint = new Endpoint({
    ...bounds,
    label: 'test',
    queue: store.engine.queue('test'),
    itemOf: (message) => {
      if (message.kind !== 'outcome') return undefined;
      return { id: message.id, key: message.unit, body: `of ${message.id}` };
    },
    attempt: async ({ id, body }, signal) => {
      attempts.push({ id, body, atS: clock.monotonic() / 1_000, signal });
      return rig.answer(id);
    },
    notStored: ({ entry }) => notStored.push(entry.id),
    clock,
    random: fixedRandom(0.5),
    log,
  });
  await endpoint.start();
  const leave = store.outboxes.add(endpoint);
  await settle();
  /** Rejects when it could not be stored. */
  const record = (id: string, key = id): Promise<void> => store.journal.record(outcome(id, key), []);
  /** All of one key, or each of its own. */
  const tell = async (ids: readonly string[], key?: string): Promise<void> => {
    for (const id of ids) await record(id, key);
    await settle();
  };
  const dead = () => endpoint.deadLetters(0, 10_000);
  const stop = async (): Promise<void> => {
    leave();
    await endpoint.stop();
  };
  const ids = (): string[] => attempts.map(({ id }) => id);
  return Object.assign(rig, { store, clock, log, attempts, ids, notStored, endpoint, record, tell, dead, stop });
}
