import type { Unsubscribe } from './bus.js';
import type { ConnectionRecord } from './connection.js';
import { type Log, peerText } from './log.js';
import { thrownError } from './thrown-error.js';
import { TroubleLog } from './trouble-log.js';

/** The topics of IoT Cloud Connector's bus, and what is published on each (wire/connector.md, "Topics of the bus"). */
export interface TopicEvents {
  /** MiB that the process has taken for its heap and for what lies beside it. */
  readonly 'system_metrics::allocated_memory': { readonly value: number; readonly unit: 'Mb' };
  /** The original counted its goroutines; here, what the process waits for: sockets, timers, files. */
  readonly 'system_metrics::num_go_routines': { readonly value: number };
  readonly 'connections::established': ConnectionRecord;
  readonly 'connections::closed': ConnectionRecord;
  /** One or more messages, as they were read together: its counters say how many. */
  readonly 'connections::message_received': ConnectionRecord;
  readonly 'connections::message_sent': ConnectionRecord;
}

export type Topic = keyof TopicEvents;

/** Events that wait for one subscriber; past it its oldest are dropped. */
export const MAX_TOPIC_WAITING = 1_000;

/** Calls for every event of a topic. While what it gave back is not settled, the next ones of this subscriber wait. */
export type HearTopic<T extends Topic> = (event: TopicEvents[T]) => void | Promise<void>;

interface Subscriber {
  readonly topic: Topic;
  readonly hear: (event: never) => void | Promise<void>;
  readonly waiting: unknown[];
  isBusy: boolean;
  /** Events that it did not get, since it was too slow. */
  dropped: number;
}

/**
 * Publish and subscribe by topic. A publisher never waits: each subscriber has a queue of its own, bounded, and what it
 * throws, or rejects with, is logged and counted, and harms nobody.
 */
export class Topics {
  readonly #log: Log;
  readonly #trouble: TroubleLog;
  readonly #subscribers = new Map<Topic, Set<Subscriber>>();
  #failures = 0;
  #dropped = 0;

  constructor(log: Log) {
    this.#log = log;
    this.#trouble = new TroubleLog(log);
  }

  /** What subscribers threw. */
  get failures(): number {
    return this.#failures;
  }

  /** Events that subscribers were too slow for. */
  get dropped(): number {
    return this.#dropped;
  }

  /** False: it would reach nobody, and need not be made. */
  hasSubscribers(topic: Topic): boolean {
    return (this.#subscribers.get(topic)?.size ?? 0) > 0;
  }

  publish<T extends Topic>(topic: T, event: TopicEvents[T]): void {
    for (const subscriber of this.#subscribers.get(topic) ?? []) this.#give(subscriber, event);
  }

  subscribe<T extends Topic>(topic: T, hear: HearTopic<T>): Unsubscribe {
    const subscriber: Subscriber = { topic, hear, waiting: [], isBusy: false, dropped: 0 };
    const all = this.#subscribers.get(topic) ?? new Set();
    this.#subscribers.set(topic, all);
    all.add(subscriber);
    return () => {
      subscriber.waiting.length = 0;
      all.delete(subscriber);
    };
  }

  #give(subscriber: Subscriber, event: unknown): void {
    subscriber.waiting.push(event);
    if (subscriber.waiting.length > MAX_TOPIC_WAITING) {
      subscriber.waiting.shift();
      this.#dropped += 1;
      if (subscriber.dropped === 0)
        this.#log.warn(
          { topic: subscriber.topic },
          'a subscriber is too slow: its oldest events are dropped; said once',
        );
      subscriber.dropped += 1;
    }
    if (!subscriber.isBusy) void this.#work(subscriber);
  }

  async #work(subscriber: Subscriber): Promise<void> {
    subscriber.isBusy = true;
    // Not in the publisher's turn.
    await undefined;
    while (subscriber.waiting.length > 0) {
      try {
        await subscriber.hear(subscriber.waiting.shift() as never);
      } catch (thrown) {
        this.#failures += 1;
        const { topic } = subscriber;
        const error = peerText(thrownError(thrown).message);
        this.#trouble.error(`${topic}: ${error}`, { topic, error }, 'a subscriber of a topic failed');
      }
    }
    subscriber.isBusy = false;
  }
}
