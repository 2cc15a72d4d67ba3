import type { Agent } from 'undici';
import type { MessageOf, Unsubscribe } from '../../core/bus.js';
import type { Log } from '../../core/log.js';
import type { Outcome } from '../../core/messages.js';
import type { OutboxView } from '../../core/outbox-port.js';
import { createAgent } from '../../links/http-exchange.js';
import { isLoopback } from '../../links/loopback.js';
import { Endpoint } from '../outbox/endpoint.js';
import { SCHEDULE_MS } from '../outbox/retry-schedule.js';
import type { Uplink, UplinkContext } from '../uplink.js';
import { type Authorise, httpAuthoriser, localAuthoriser } from './channel-authoriser.js';
import { type OutcomeEvent, outcomeEvent } from './channel-events.js';
import { ClientOutcomes } from './client-outcomes.js';
import { CommandIntake, SOURCE } from './command-intake.js';
import { EventPublisher } from './event-publisher.js';
import { fitEvent } from './event-size.js';
import {
  checkOptions,
  DEFAULT_CHANNEL,
  isEncrypted,
  type PublishableEvent,
  type PusherUplinkOptions,
} from './pusher-options.js';
import { createServerClient } from './pusher-server.js';
import { Subscriber, type SubscriberPhase } from './subscriber.js';
import { type EventTarget, triggerEvent } from './trigger-event.js';

/** Of the outcomes that wait for the channel. */
const QUEUE = 'pusher';
const DEFAULT_EVENTS: readonly PublishableEvent[] = ['outcome'];
/** Somebody waits for an outcome: the first minutes it is tried more often than a webhook. */
const OUTCOME_SCHEDULE_MS = [0, 1_000, 2_000, 5_000, 15_000, 60_000, ...SCHEDULE_MS.slice(3)];

/** Commands from a Pusher channel, outcomes back on it (wire/iot-base.md, reference/pusher.md). `start` throws ConfigurationError. */
export class PusherUplink implements Uplink {
  readonly name = 'pusher';
  readonly queues: readonly string[];
  readonly #options: PusherUplinkOptions;
  readonly #unsubscribes: Unsubscribe[] = [];
  #subscriber: Subscriber | undefined;
  #publisher: EventPublisher | undefined;
  #clientOutcomes: ClientOutcomes | undefined;
  #endpoint: Endpoint | undefined;
  #agent: Agent | undefined;

  constructor(options: PusherUplinkOptions) {
    this.#options = options;
    const { secret, events = DEFAULT_EVENTS } = options;
    this.queues = secret !== undefined && events.includes('outcome') ? [QUEUE] : [];
  }

  get outboxes(): readonly OutboxView[] {
    return this.#endpoint === undefined ? [] : [this.#endpoint];
  }

  get phase(): SubscriberPhase {
    return this.#subscriber?.phase ?? 'stopped';
  }

  async start(context: UplinkContext): Promise<void> {
    checkOptions(this.#options);
    const { stopGraceMs, clock, random, log } = context;
    const { channel = DEFAULT_CHANNEL, auth, events = DEFAULT_EVENTS } = this.#options;
    const server = createServerClient(this.#options);
    const isAnswering = events.includes('outcome');
    const answer = (outcome: OutcomeEvent): void => this.#answer(outcome, isAnswering);
    const intake = new CommandIntake({ context, log, answer });
    const subscriber = new Subscriber({
      options: this.#options,
      authorise: auth === undefined ? localAuthoriser(server!) : this.#httpAuthoriser(auth, context, log),
      clock,
      random,
      log,
      onEvent: (name, data) => intake.hear(name, data),
      onSubscribed: () => this.#clientOutcomes?.flush(),
      onClientEventRefused: (reason) => this.#clientOutcomes?.refused(reason),
    });
    this.#subscriber = subscriber;
    if (server !== undefined) {
      const socketId = (): string | undefined => subscriber.socketId;
      const target = { server, channel, socketId, clock };
      this.#publisher = new EventPublisher({ ...target, stopGraceMs, random, log });
      if (isAnswering) await this.#startOutbox(context, target, answer);
    } else if (isAnswering && !isEncrypted(channel)) {
      const trigger = (name: string, data: object): boolean => subscriber.triggerClientEvent(name, data);
      this.#clientOutcomes = new ClientOutcomes({ channel, trigger, clock, log });
      const hear = (outcome: Outcome): void => {
        if (outcome.source === SOURCE) answer(outcomeEvent(outcome));
      };
      this.#unsubscribes.push(context.bus.subscribe('outcome', hear));
    }
    log.info({ channel }, this.#describe(channel, isAnswering));
    this.#publishMessages(context, log);
    subscriber.start();
  }

  async stop(): Promise<void> {
    this.#subscriber?.stop();
    this.#clientOutcomes?.stop();
    await Promise.all([this.#endpoint?.stop(), this.#publisher?.stop()]);
    for (const unsubscribe of this.#unsubscribes.splice(0)) unsubscribe();
    await this.#agent?.destroy();
    this.#agent = undefined;
  }

  /** Outcomes of the channel's commands, which their senders get in spite of restarts. */
  async #startOutbox(
    { queue, outboxes, stopGraceMs, clock, random, log }: UplinkContext,
    target: EventTarget,
    answerLive: (outcome: OutcomeEvent) => void,
  ): Promise<void> {
    const endpoint = new Endpoint({
      label: `channel ${target.channel}`,
      queue: queue(QUEUE),
      schedule: OUTCOME_SCHEDULE_MS,
      // The base listens to the same server all the while: there is no receiver to spare.
      disableAfterMs: Number.POSITIVE_INFINITY,
      kinds: new Set(['outcome']),
      itemOf: (message) => {
        if (message.kind !== 'outcome' || message.source !== SOURCE) return undefined;
        return { id: message.id, key: message.unit, body: JSON.stringify(outcomeEvent(message)) };
      },
      attempt: async ({ body }, signal) => {
        const outcome = readOutcomeEvent(body);
        if (outcome === undefined) return { kind: 'rejected', reason: 'it is not what was stored' };
        const data = fitEvent(target.channel, outcome);
        if (data === undefined) return { kind: 'rejected', reason: 'it is too long for the channel' };
        const failure = await triggerEvent(target, 'outcome', data, signal);
        if (failure === undefined) return { kind: 'delivered' };
        return { kind: failure.isOfEvent ? 'rejected' : 'failed', reason: failure.reason };
      },
      notStored: ({ body }) => answerLive(JSON.parse(body) as OutcomeEvent),
      stopGraceMs,
      clock,
      random,
      log,
    });
    this.#endpoint = endpoint;
    await endpoint.start();
    this.#unsubscribes.push(outboxes.add(endpoint));
  }

  #answer(outcome: OutcomeEvent, isAnswering: boolean): void {
    if (!isAnswering) return;
    if (this.#publisher !== undefined) this.#publisher.publish('outcome', outcome);
    else this.#clientOutcomes?.answer(outcome);
  }

  #describe(channel: string, isAnswering: boolean): string {
    if (!isAnswering) return 'outcomes are only in the log, as pusher.events says';
    if (this.#publisher !== undefined) return 'outcomes are published as event "outcome"';
    if (isEncrypted(channel))
      return 'outcomes are only in the log: an encrypted channel has no client events; configure pusher.appId and pusher.secret';
    return 'outcomes are sent as "client-outcome" if the app allows client events, else they are only in the log';
  }

  #publishMessages({ bus }: UplinkContext, log: Log): void {
    const wanted = new Set((this.#options.events ?? []).filter((event) => event !== 'outcome'));
    const publisher = this.#publisher;
    if (wanted.size === 0) return;
    if (publisher === undefined) {
      log.warn({ events: [...wanted] }, 'not published: that needs pusher.appId and pusher.secret');
      return;
    }
    const hear = ({ kind, ...data }: MessageOf<PublishableEvent>): void => publisher.publish(kind, data);
    for (const event of wanted) this.#unsubscribes.push(bus.subscribe(event, hear));
  }

  #httpAuthoriser(auth: { endpoint: string; token: string }, { clock }: UplinkContext, log: Log): Authorise {
    const url = new URL(auth.endpoint);
    if (url.protocol !== 'https:' && !isLoopback(url))
      log.warn(
        { endpoint: url.origin },
        'pusher.auth is plain http to another machine: the token can be read on the way',
      );
    this.#agent = createAgent({ ca: undefined, connections: 1 });
    return httpAuthoriser({ endpoint: auth.endpoint, token: auth.token, agent: this.#agent, clock });
  }
}

/** `undefined`: an octet of it has changed on the disk. */
function readOutcomeEvent(body: string): OutcomeEvent | undefined {
  try {
    return JSON.parse(body) as OutcomeEvent;
  } catch {
    return undefined;
  }
}
