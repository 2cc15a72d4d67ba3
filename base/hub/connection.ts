import type { Clock } from '../core/clock.js';
import { type Log, peerText } from '../core/log.js';
import { authorise } from './authorisation.js';
import type { Channel, Subscriber } from './channel.js';
import { parseChannelName } from './channel-name.js';
import { checkClientEvent } from './client-event.js';
import { type CloseCode, closeReasons, errorCodes } from './close-codes.js';
import { EventRate } from './event-rate.js';
import * as frames from './frames.js';
import { CLOSE_CODE_PROTOCOL } from './handshake.js';
import type { HostedApp } from './hosted-app.js';
import { isRecord, parseIncoming, type ReceivedFrame } from './incoming-frame.js';
import { Liveness } from './liveness.js';
import type { Member } from './presence-members.js';
import { checkSignIn, type SignedInUser } from './sign-in.js';

/** The socket of one client, as its session sees it. */
export interface ClientSocket {
  send(frame: string): void;
  /** A WebSocket ping. */
  ping(): void;
  close(code: number, reason: string): void;
}

export interface ConnectionOptions {
  readonly app: HostedApp;
  readonly socket: ClientSocket;
  readonly socketId: string;
  readonly protocol: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly timeouts: ConnectionTimeouts;
}

export interface ConnectionTimeouts {
  /** Told to the client, too. Whole seconds, at least 1. */
  readonly activityS: number;
  readonly pongS: number;
  readonly idleS: number;
}

/** The session of one client: what it may do, and what it hears. Knows no socket and no clock of its own. */
export class Connection implements Subscriber {
  readonly socketId: string;
  readonly #options: ConnectionOptions;
  readonly #channels = new Map<string, Channel>();
  readonly #liveness: Liveness;
  readonly #rate: EventRate;
  #user: SignedInUser | undefined;
  #isOpen = false;
  #hasComplained = false;

  constructor(options: ConnectionOptions) {
    const { app, clock, socket, timeouts } = options;
    this.socketId = options.socketId;
    this.#options = options;
    this.#rate = new EventRate(clock, app.limits.clientEventsPerSecond);
    this.#liveness = new Liveness({
      clock,
      activityTimeoutMs: timeouts.activityS * 1000,
      pongTimeoutMs: timeouts.pongS * 1000,
      idleTimeoutMs: timeouts.idleS * 1000,
      isWanted: () => this.#channels.size > 0 || this.#user !== undefined,
      ask: () => socket.ping(),
      giveUp: (code) => this.close(code),
    });
  }

  /** The signed-in user's id; empty before. */
  get userId(): string {
    return this.#user?.userId ?? '';
  }

  get watchlist(): readonly string[] {
    return this.#user?.watchlist ?? [];
  }

  open(): void {
    const { app, timeouts } = this.#options;
    this.#isOpen = true;
    app.admit(this);
    this.#liveness.start();
    this.send(frames.connectionEstablished(this.socketId, timeouts.activityS));
  }

  send(frame: string): void {
    if (this.#isOpen) this.#options.socket.send(frame);
  }

  /** A ping or a pong of the WebSocket itself came. */
  heard(): void {
    this.#liveness.heard();
  }

  receivedBinary(): void {
    this.#liveness.heard();
    this.send(this.#complaint('Binary messages are not supported'));
  }

  receivedText(text: string): void {
    if (!this.#isOpen) return;
    this.#liveness.heard();
    const incoming = parseIncoming(text);
    const answer = incoming.kind === 'bad' ? this.#complaint(incoming.message) : this.#act(incoming);
    if (answer !== undefined) this.send(answer);
  }

  /** Leaves everything, then closes. What still arrives is ignored. */
  close(code: CloseCode): void {
    if (!this.#isOpen) return;
    const reason = closeReasons[code];
    if (this.#options.protocol < CLOSE_CODE_PROTOCOL) this.send(frames.error(code, reason));
    this.ended();
    this.#options.socket.close(code, reason);
  }

  /** The socket is closed. May be called twice. */
  ended(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#liveness.stop();
    const { app } = this.#options;
    for (const channel of this.#channels.values()) app.leave(this, channel);
    this.#channels.clear();
    if (this.#user !== undefined) app.users.signedOut(this);
    app.dismiss(this);
  }

  /** Does what a frame asks for; gives the frame to answer with, if any. */
  #act({ event, channel, data }: ReceivedFrame): string | undefined {
    if (event === 'pusher:ping') return frames.pong();
    if (event === 'pusher:pong') return undefined;
    this.#liveness.used();
    if (event === 'pusher:subscribe') return this.#subscribe(data);
    if (event === 'pusher:unsubscribe') return this.#unsubscribe(data);
    if (event === 'pusher:signin') return this.#signIn(data);
    if (/^pusher(_internal)?:/.test(event)) return this.#complaint(`Unknown event: ${peerText(event)}`);
    return this.#relay(event, channel, data);
  }

  #subscribe(data: unknown): string | undefined {
    const { app } = this.#options;
    const { channel: text, auth, channel_data: channelData } = isRecord(data) ? data : {};
    if (typeof text !== 'string') return this.#complaint('pusher:subscribe needs data with a channel');
    if (this.#channels.has(text)) return this.#complaint(`Existing subscription to channel ${text}`);
    const name = parseChannelName(text);
    if (name === undefined)
      return frames.subscriptionError(text, {
        type: 'InvalidChannel',
        error: `Invalid channel name: ${peerText(text)}`,
        status: 400,
      });
    const request = { socketId: this.socketId, user: this.#user, auth, channelData };
    const authorisation = authorise(app.settings, app.limits, name, request);
    if (authorisation.kind === 'refused') return frames.subscriptionError(text, authorisation.fault);
    const { member } = authorisation;
    const limit = this.#subscriptionLimit(text, member);
    if (limit !== undefined) return frames.subscriptionError(text, { type: 'LimitReached', error: limit, status: 403 });
    this.#channels.set(text, app.join(this, name, member));
    return undefined;
  }

  #subscriptionLimit(channel: string, member: Member | undefined): string | undefined {
    const { app } = this.#options;
    const { channelsPerConnection, presenceMembers } = app.limits;
    if (this.#channels.size >= channelsPerConnection)
      return `More than ${channelsPerConnection} channels on one connection`;
    const members = app.channel(channel)?.members;
    if (member === undefined || members === undefined || members.has(member.userId)) return undefined;
    return members.count < presenceMembers ? undefined : `More than ${presenceMembers} members on one presence channel`;
  }

  #unsubscribe(data: unknown): string | undefined {
    const text = isRecord(data) ? data.channel : undefined;
    if (typeof text !== 'string') return this.#complaint('pusher:unsubscribe needs data with a channel');
    const channel = this.#channels.get(text);
    if (channel === undefined) return undefined;
    this.#channels.delete(text);
    this.#options.app.leave(this, channel);
    return undefined;
  }

  #signIn(data: unknown): string | undefined {
    const { app } = this.#options;
    const signIn = checkSignIn(app.settings, app.limits, this.socketId, data);
    if (signIn.kind === 'refused') return frames.error(signIn.code, signIn.message);
    if (this.#user !== undefined)
      return this.#user.userId === signIn.user.userId
        ? frames.signinSuccess(signIn.userData)
        : frames.error(errorCodes.unauthorized, 'Connection is already signed in as another user');
    this.#user = signIn.user;
    this.send(frames.signinSuccess(signIn.userData));
    app.users.signedIn(this);
    return undefined;
  }

  #relay(event: string, channelText: unknown, data: unknown): string | undefined {
    const { app } = this.#options;
    const channel = typeof channelText === 'string' ? this.#channels.get(channelText) : undefined;
    const checked = checkClientEvent(app.settings, app.limits, { event, channel, data });
    const fault = checked.kind === 'refused' ? checked.message : this.#rateFault();
    if (checked.kind === 'refused' || fault !== undefined)
      return frames.error(
        errorCodes.clientEvent,
        fault ?? '',
        typeof channelText === 'string' ? channelText : undefined,
      );
    const name = checked.channel.name.text;
    const userId = checked.channel.members?.userOf(this.socketId);
    checked.channel.broadcast(frames.channelEvent(event, name, data, userId), this.socketId);
    app.webhooks.tell({
      name: 'client_event',
      channel: name,
      event,
      ...(data === undefined ? {} : { data: typeof data === 'string' ? data : JSON.stringify(data) }),
      socket_id: this.socketId,
      ...(userId === undefined ? {} : { user_id: userId }),
    });
    return undefined;
  }

  #rateFault(): string | undefined {
    if (this.#rate.allows()) return undefined;
    const { clientEventsPerSecond } = this.#options.app.limits;
    return `Client event rejected: rate limit exceeded, more than ${clientEventsPerSecond} events in a second`;
  }

  #complaint(message: string): string {
    if (!this.#hasComplained) this.#options.log.warn({ message }, 'client breaks the protocol; told once');
    this.#hasComplained = true;
    return frames.error(null, message);
  }
}
