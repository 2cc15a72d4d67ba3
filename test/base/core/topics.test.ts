import { beforeEach, expect, test } from 'vitest';
import { deferred } from '../../../base/core/deferred.js';
import { MAX_TOPIC_WAITING, Topics } from '../../../base/core/topics.js';
import { settle } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';

const topic = 'system_metrics::num_go_routines';

let log: QuietLog;
let topics: Topics;

beforeEach(() => {
  log = new QuietLog();
  topics = new Topics(log);
});

const publish = (...values: number[]): void => {
  for (const value of values) topics.publish(topic, { value });
};

test('every subscriber gets every event of its topic, in order, and none of another', async () => {
  const [one, two, other]: [number[], number[], unknown[]] = [[], [], []];
  topics.subscribe(topic, ({ value }) => void one.push(value));
  topics.subscribe(topic, async ({ value }) => void two.push(value));
  topics.subscribe('connections::closed', (record) => void other.push(record));
  publish(1, 2, 3);
  await settle();
  expect([one, two, other]).toEqual([[1, 2, 3], [1, 2, 3], []]);
});

test('a publisher does not wait: nobody hears in its turn', async () => {
  const heard: number[] = [];
  topics.subscribe(topic, ({ value }) => void heard.push(value));
  publish(1);
  expect(heard).toEqual([]);
  await settle();
  expect(heard).toEqual([1]);
});

test.each([
  [
    'throws an error',
    () => {
      throw new Error('no');
    },
  ],
  [
    'throws undefined',
    () => {
      throw undefined;
    },
  ],
  [
    'throws what cannot be shown',
    () => {
      throw {
        toString: () => {
          throw new Error();
        },
      };
    },
  ],
  ['rejects', () => Promise.reject(new Error('no'))],
  ['rejects with nothing', () => Promise.reject()],
  [
    'gives a thenable that throws',
    () =>
      ({
        // biome-ignore lint/suspicious/noThenProperty: that is what is tried here
        get then(): never {
          throw new Error('no');
        },
      }) as never,
  ],
] as const)('a subscriber that %s goes on, and stops nobody', async (_, fail) => {
  const heard: number[] = [];
  let called = 0;
  topics.subscribe(topic, () => {
    called += 1;
    return fail();
  });
  topics.subscribe(topic, ({ value }) => void heard.push(value));
  publish(1, 2, 3);
  await settle();
  expect([called, heard, topics.failures]).toEqual([3, [1, 2, 3], 3]);
  expect(log.lines.map(({ message }) => message)).toEqual(['a subscriber of a topic failed (said once)']);
});

test('what a subscriber throws with a text that changes fills the log no further than its bound', async () => {
  topics.subscribe(topic, ({ value }) => {
    throw new Error(`no ${value}\n`);
  });
  publish(...Array.from({ length: 500 }, (_, index) => index));
  await settle();
  expect([topics.failures, log.lines.length]).toEqual([500, 65]);
  expect(log.lines[0]!.fields.error).toBe('no 0·');
});

test('a subscriber that never ends stops nobody; as many wait for it as the bound says, then the oldest go', async () => {
  const end = deferred<void>();
  const [slow, quick]: [number[], number[]] = [[], []];
  topics.subscribe(topic, ({ value }) => {
    slow.push(value);
    return slow.length === 1 ? end.promise : undefined;
  });
  topics.subscribe(topic, ({ value }) => void quick.push(value));
  publish(0);
  await settle();
  for (let value = 1; value <= MAX_TOPIC_WAITING; value += 1) publish(value);
  await settle();
  expect([slow, quick.length, topics.dropped, log.lines]).toEqual([[0], MAX_TOPIC_WAITING + 1, 0, []]);
  publish(MAX_TOPIC_WAITING + 1, MAX_TOPIC_WAITING + 2);
  expect([topics.dropped, log.lines.length]).toEqual([2, 1]);
  end.resolve();
  await settle();
  expect([slow.length, slow[1], slow.at(-1)]).toEqual([MAX_TOPIC_WAITING + 1, 3, MAX_TOPIC_WAITING + 2]);
});

test('whoever leaves inside its own callback gets nothing more; others do', async () => {
  const [one, two]: [number[], number[]] = [[], []];
  const leave = topics.subscribe(topic, ({ value }) => {
    one.push(value);
    leave();
    leave();
  });
  topics.subscribe(topic, ({ value }) => void two.push(value));
  publish(1, 2);
  await settle();
  publish(3);
  await settle();
  expect([one, two]).toEqual([[1], [1, 2, 3]]);
});

test('one subscriber may end another, subscribe anew and publish, inside its callback', async () => {
  const heard: string[] = [];
  const leaveOther = topics.subscribe(topic, ({ value }) => void heard.push(`other ${value}`));
  const leave = topics.subscribe('connections::closed', () => {
    leaveOther();
    leave();
    topics.subscribe(topic, ({ value }) => void heard.push(`new ${value}`));
    publish(7);
  });
  topics.publish('connections::closed', {} as never);
  await settle();
  expect(heard).toEqual(['new 7']);
});

test('whether anybody would hear is known', () => {
  expect(topics.hasSubscribers(topic)).toBe(false);
  const leave = topics.subscribe(topic, () => {});
  expect([topics.hasSubscribers(topic), topics.hasSubscribers('connections::closed')]).toEqual([true, false]);
  leave();
  expect(topics.hasSubscribers(topic)).toBe(false);
});
