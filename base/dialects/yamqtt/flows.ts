import { encodeMessage } from '../../../protocol/yamqtt/message.js';
import { MESSAGE_OCTETS, writeHead } from '../../../protocol/yamqtt/records.js';
import type { FlowCounts } from './flow-counts.js';
import type { Outgoing } from './outgoing.js';
import type { YamqttLimits } from './yamqtt-limits.js';

/** Who is subscribed to which flow. */
export class Flows {
  readonly #limits: Pick<YamqttLimits, 'subscriptions'>;
  readonly #counts: FlowCounts;
  readonly #subscribers = new Map<number, Set<Outgoing>>();
  #subscriptions = 0;

  constructor(limits: Pick<YamqttLimits, 'subscriptions'>, counts: FlowCounts) {
    this.#limits = limits;
    this.#counts = counts;
  }

  /** Over all clients. */
  get subscriptions(): number {
    return this.#subscriptions;
  }

  /** Whoever is subscribed already must not be again. False: there are as many subscriptions as there may be. */
  subscribe(flow: number, subscriber: Outgoing): boolean {
    if (this.#subscriptions >= this.#limits.subscriptions) return false;
    const subscribers = this.#subscribers.get(flow);
    if (subscribers === undefined) this.#subscribers.set(flow, new Set([subscriber]));
    else subscribers.add(subscriber);
    this.#subscriptions += 1;
    return true;
  }

  /** It must be subscribed. */
  unsubscribe(flow: number, subscriber: Outgoing): void {
    const subscribers = this.#subscribers.get(flow)!;
    subscribers.delete(subscriber);
    if (subscribers.size === 0) this.#subscribers.delete(flow);
    this.#subscriptions -= 1;
  }

  /**
   * Relays messages that were published on a flow, those from `start` to before `end`: where somebody is subscribed their heads
   * are changed in place, and everyone gets the same octets. The data stay as they are.
   */
  relay(flow: number, octets: Buffer, start: number, end: number): void {
    const count = (end - start) / MESSAGE_OCTETS;
    this.#counts.publications += count;
    const subscribers = this.#subscribers.get(flow);
    if (subscribers === undefined) return;
    for (let at = start; at < end; at += MESSAGE_OCTETS) writeHead(octets, at, 'message', flow);
    const messages = end - start === octets.length ? octets : octets.subarray(start, end);
    this.#counts.deliveries += count * subscribers.size;
    for (const subscriber of subscribers) subscriber.send(messages);
  }

  /** Publishes from inside the base. At most 1 024 octets of data; what is missing of them is `00`. */
  publish(flow: number, data: Uint8Array): void {
    const message = Buffer.from(encodeMessage('message', flow, data).buffer);
    this.relay(flow, message, 0, message.length);
  }
}
