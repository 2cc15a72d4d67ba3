import type { Channel, ChannelAuthorizationCallback } from 'pusher-js';
import { RelayError } from '../../../protocol/errors.js';
import type { Clock, Timer } from '../../core/clock.js';
import { type Log, peerText } from '../../core/log.js';
import type { Random } from '../../core/random.js';
import { TroubleLog } from '../../core/trouble-log.js';
import { backOff, REFUSED_BACK_OFF_MS } from '../../links/back-off.js';
import type { Authorise } from './channel-authoriser.js';
import { clientOptions, createClient, dropClient, LEAST_ACTIVITY_TIMEOUT_MS, type Pusher } from './pusher-client.js';
import { DEFAULT_CHANNEL, isEncrypted, type PusherUplinkOptions } from './pusher-options.js';
import { adviceFor, CLIENT_EVENT_REFUSED, type ConnectionTrouble, isRefusal, readTrouble } from './refusals.js';

/** The library's own attempts are up to 60 s apart; after this we make them (reference/pusher.md, 2.5). */
export const NOT_CONNECTED_MS = 3_000;
/** 10 s for the authorisation and 10 s for the server's answer to the subscription. */
export const SUBSCRIBE_TIMEOUT_MS = 20_000;
/** Subscribed for so long: the next trouble is a new one (reference/limits.md, Back-off). */
export const STABLE_MS = 60_000;
/** An event that cannot be decrypted makes the library ask for the key again; not more often than this. */
export const REKEY_SPACING_MS = 10_000;

/** `waiting`: our back-off runs. `stopped`: also before `start`. */
export type SubscriberPhase = 'stopped' | 'connecting' | 'subscribing' | 'subscribed' | 'waiting';

export interface SubscriberOptions {
  readonly options: PusherUplinkOptions;
  readonly authorise: Authorise;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Every event of the channel that is not the protocol's own. May throw: it is said and harms nobody. */
  readonly onEvent: (name: string, data: unknown) => void;
  readonly onSubscribed: () => void;
  readonly onClientEventRefused: (reason: string) => void;
}

/** Stays subscribed to one channel with pusher-js, past everything the library itself gives up on (reference/pusher.md, 2.4, 2.5). */
export class Subscriber {
  readonly #given: SubscriberOptions;
  readonly #say: TroubleLog;
  readonly #abort = new AbortController();
  #phase: SubscriberPhase = 'stopped';
  #pusher: Pusher | undefined;
  #channel: Channel | undefined;
  #timer: Timer | undefined;
  #stable: Timer | undefined;
  #delays: Generator<number, never>;
  #ending: ConnectionTrouble | undefined;
  #rekeyedAt = Number.NEGATIVE_INFINITY;
  #isAuthoriserRefused = false;

  constructor(given: SubscriberOptions) {
    this.#given = given;
    this.#say = new TroubleLog(given.log);
    this.#delays = backOff(given.random);
  }

  get phase(): SubscriberPhase {
    return this.#phase;
  }

  /** Of the connection that stands; undefined when none does. */
  get socketId(): string | undefined {
    return this.#phase === 'subscribed' ? this.#pusher?.connection.socket_id : undefined;
  }

  start(): void {
    const { options } = this.#given;
    this.#phase = 'connecting';
    const settings = clientOptions(options, ({ socketId, channelName }, done) => {
      void this.#authorise(socketId, channelName, done);
    });
    const pusher = createClient(options.key, settings, (error) => this.#fault(error));
    this.#pusher = pusher;
    pusher.connection.bind('state_change', ({ previous, current }: { previous: string; current: string }) =>
      this.#stateChanged(previous, current),
    );
    pusher.connection.bind('error', (error: unknown) => this.#trouble(readTrouble(error)));
    this.#channel = pusher.subscribe(options.channel ?? DEFAULT_CHANNEL);
    this.#channel.bind_global((name: string, data: unknown) => this.#guard(() => this.#heard(name, data)));
    this.#arm(NOT_CONNECTED_MS, () => this.#giveUpAttempt());
  }

  stop(): void {
    this.#phase = 'stopped';
    this.#timer?.cancel();
    this.#stable?.cancel();
    this.#abort.abort();
    if (this.#pusher !== undefined) dropClient(this.#pusher);
    this.#pusher = undefined;
    this.#channel = undefined;
  }

  /** False when it could not be sent now. Never on an encrypted channel. */
  triggerClientEvent(name: string, data: unknown): boolean {
    const { channel = DEFAULT_CHANNEL } = this.#given.options;
    if (this.#phase !== 'subscribed' || isEncrypted(channel)) return false;
    return this.#channel?.trigger(name, data) ?? false;
  }

  #stateChanged(previous: string, current: string): void {
    if (this.#phase === 'stopped') return;
    if (current === 'connected') this.#connected();
    else if (previous === 'connected') {
      this.#stable?.cancel();
      if (this.#phase === 'subscribed') this.#given.log.warn({}, 'connection to the channel lost');
      if (this.#phase !== 'waiting' || current !== 'disconnected') {
        this.#phase = 'connecting';
        this.#arm(NOT_CONNECTED_MS, () => this.#giveUpAttempt());
      }
    }
  }

  #connected(): void {
    const { connection } = this.#pusher!;
    if (!(connection.activityTimeout >= LEAST_ACTIVITY_TIMEOUT_MS))
      connection.activityTimeout = LEAST_ACTIVITY_TIMEOUT_MS;
    this.#awaitSubscription();
  }

  #heard(name: string, data: unknown): void {
    if (this.#phase === 'stopped') return;
    if (name === 'pusher:subscription_succeeded') this.#subscribed();
    else if (name === 'pusher:subscription_error') {
      const error = Object(data) as Record<string, unknown>;
      const isRefused = this.#isAuthoriserRefused || error.status === 401 || error.status === 403;
      this.#notSubscribed(typeof error.error === 'string' ? error.error : 'refused', isRefused);
    } else if (!name.startsWith('pusher:')) this.#given.onEvent(name, data);
  }

  #subscribed(): void {
    this.#phase = 'subscribed';
    this.#timer?.cancel();
    this.#say.forget('trouble');
    this.#say.forget('subscription refused');
    this.#given.log.info({ channel: this.#channel?.name }, 'subscribed');
    this.#stable?.cancel();
    this.#stable = this.#given.clock.after(STABLE_MS, () => {
      this.#delays = backOff(this.#given.random);
    });
    this.#given.onSubscribed();
  }

  /** The subscription failed. What the server did not answer, or refused, stays stuck in the library until it connects anew. */
  #notSubscribed(reason: string, isRefused: boolean): void {
    this.#stable?.cancel();
    const what = isRefused
      ? 'subscription refused: check pusher.auth, or pusher.key and pusher.secret; next attempt in 5 min'
      : 'not subscribed, will try again';
    this.#say.warn(isRefused ? 'subscription refused' : 'trouble', { reason: peerText(reason) }, what);
    const delayMs = isRefused ? REFUSED_BACK_OFF_MS : this.#delays.next().value;
    if (isRefused || this.#channel?.subscriptionPending !== false) this.#wait(delayMs);
    else {
      this.#phase = 'waiting';
      this.#arm(delayMs, () => {
        this.#awaitSubscription();
        this.#pusher?.subscribe(this.#channel!.name);
      });
    }
  }

  #awaitSubscription(): void {
    this.#phase = 'subscribing';
    this.#isAuthoriserRefused = false;
    this.#arm(SUBSCRIBE_TIMEOUT_MS, () => this.#notSubscribed('the server did not answer the subscription', false));
  }

  #trouble(trouble: ConnectionTrouble): void {
    const { code, message, isClose } = trouble;
    const isTold = this.#phase === 'subscribing' && !isClose && (code === undefined ? message !== '' : code >= 4000);
    if (code === CLIENT_EVENT_REFUSED && !isClose) {
      this.#guard(() => this.#given.onClientEventRefused(peerText(message)));
    } else if ((isClose && code !== 4000) || isTold) {
      // the library acts on a close after it has told us of it, some codes without any delay: ours must come last
      if (this.#ending === undefined) queueMicrotask(() => this.#end());
      this.#ending = trouble;
    } else {
      const fields = { code, reason: peerText(message) };
      if (code === 4000) this.#say.warn('closed 4000', fields, adviceFor(code));
      else if (this.#phase === 'subscribed') this.#say.warn(`error ${code}`, fields, 'the server reports an error');
      else this.#say.warn('trouble', fields, 'not connected, will try again');
    }
  }

  /** The server closed the connection with a code of the protocol, or reported an error instead of a subscription. */
  #end(): void {
    const { code = 0, message, isClose } = this.#ending!;
    this.#ending = undefined;
    if (this.#phase === 'stopped' || this.#phase === 'waiting') return;
    const fields = { code, reason: peerText(message) };
    if (!isClose) this.#notSubscribed(message, code === 4009 || /signature|unauthori[sz]ed/i.test(message));
    else if (isRefusal(code)) {
      this.#say.error(`closed ${code}`, fields, `${adviceFor(code)}; next attempt in 5 min`);
      this.#wait(REFUSED_BACK_OFF_MS);
    } else {
      this.#say.warn('trouble', fields, 'the server closed the connection, will connect again');
      this.#wait(this.#delays.next().value);
    }
  }

  /** Not connected for a while. The library's attempt may still succeed while our delay runs. */
  #giveUpAttempt(): void {
    this.#say.warn('trouble', {}, 'not connected, will try again');
    this.#arm(this.#delays.next().value, () => this.#connectAnew());
  }

  #wait(delayMs: number): void {
    this.#phase = 'waiting';
    this.#pusher?.disconnect();
    this.#arm(delayMs, () => this.#connectAnew());
  }

  #connectAnew(): void {
    this.#phase = 'waiting';
    this.#pusher?.disconnect();
    this.#phase = 'connecting';
    this.#pusher?.connect();
    this.#arm(NOT_CONNECTED_MS, () => this.#giveUpAttempt());
  }

  async #authorise(socketId: string, channel: string, done: ChannelAuthorizationCallback): Promise<void> {
    const { clock, authorise } = this.#given;
    // the socket may be another by the time the answer comes; its subscription would be signed for the old one
    const isStale = (): boolean => this.#phase === 'stopped' || this.#pusher?.connection.socket_id !== socketId;
    try {
      if (this.#phase === 'subscribed') {
        if (clock.monotonic() - this.#rekeyedAt < REKEY_SPACING_MS)
          throw new RelayError('uplink-refused', 'asked for the key of the channel a moment ago');
        this.#rekeyedAt = clock.monotonic();
      }
      const authorisation = await authorise(socketId, channel, this.#abort.signal);
      if (!isStale()) done(null, { ...authorisation });
    } catch (error) {
      if (isStale()) return;
      this.#isAuthoriserRefused =
        this.#phase !== 'subscribed' && error instanceof RelayError && error.code === 'uplink-unauthorised';
      this.#guard(() => done(error instanceof Error ? error : new Error('failed'), null));
    }
  }

  #arm(delayMs: number, call: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#given.clock.after(delayMs, call);
  }

  /** Nothing of ours throws into the library: that would be an uncaught exception (reference/pusher.md, 2.5). */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#fault(error);
    }
  }

  #fault(error: unknown): void {
    const reason = peerText(error instanceof Error ? error.message : String(error));
    this.#say.warn('fault', { reason }, 'an event of the channel could not be handled');
  }
}
