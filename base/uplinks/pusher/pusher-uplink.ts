import type { Agent } from 'undici';
import type { Unsubscribe } from '../../core/bus.js';
import type { Log } from '../../core/log.js';
import type { Presence, Report } from '../../core/messages.js';
import { createAgent, isLoopback } from '../http-exchange.js';
import type { Uplink, UplinkContext } from '../uplink.js';
import { type Authorise, httpAuthoriser, localAuthoriser } from './channel-authoriser.js';
import type { OutcomeEvent } from './channel-events.js';
import { ClientOutcomes } from './client-outcomes.js';
import { CommandIntake } from './command-intake.js';
import { EventPublisher } from './event-publisher.js';
import { checkOptions, DEFAULT_CHANNEL, isEncrypted, type PusherUplinkOptions } from './pusher-options.js';
import { createServerClient } from './pusher-server.js';
import { Subscriber, type SubscriberPhase } from './subscriber.js';

/** Commands from a Pusher channel, outcomes back on it (wire/iot-base.md, reference/pusher.md). `start` throws ConfigurationError. */
export class PusherUplink implements Uplink {
  readonly name = 'pusher';
  readonly #options: PusherUplinkOptions;
  readonly #unsubscribes: Unsubscribe[] = [];
  #subscriber: Subscriber | undefined;
  #publisher: EventPublisher | undefined;
  #clientOutcomes: ClientOutcomes | undefined;
  #agent: Agent | undefined;

  constructor(options: PusherUplinkOptions) {
    this.#options = options;
  }

  get phase(): SubscriberPhase {
    return this.#subscriber?.phase ?? 'stopped';
  }

  async start(context: UplinkContext): Promise<void> {
    checkOptions(this.#options);
    const { clock, random, log } = context;
    const { channel = DEFAULT_CHANNEL, auth, events = ['outcome'] } = this.#options;
    const server = createServerClient(this.#options);
    const isAnswering = events.includes('outcome');
    const intake = new CommandIntake({ context, log, answer: (outcome) => this.#answer(outcome, isAnswering) });
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
      this.#publisher = new EventPublisher({ server, channel, socketId, clock, random, log });
    } else if (isAnswering && !isEncrypted(channel)) {
      const trigger = (name: string, data: object): boolean => subscriber.triggerClientEvent(name, data);
      this.#clientOutcomes = new ClientOutcomes({ channel, trigger, clock, log });
    }
    log.info({ channel }, this.#describe(channel, isAnswering));
    this.#publishMessages(context, log);
    subscriber.start();
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribes.splice(0)) unsubscribe();
    this.#subscriber?.stop();
    this.#clientOutcomes?.stop();
    await this.#publisher?.stop();
    await this.#agent?.destroy();
    this.#agent = undefined;
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
    const wanted = (this.#options.events ?? []).filter((event) => event !== 'outcome');
    const publisher = this.#publisher;
    if (wanted.length === 0) return;
    if (publisher === undefined) {
      log.warn({ events: wanted }, 'not published: that needs pusher.appId and pusher.secret');
      return;
    }
    const hear = ({ kind, ...data }: Report | Presence): void => publisher.publish(kind, data);
    for (const event of new Set(wanted)) this.#unsubscribes.push(bus.subscribe(event, hear));
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
