import { createHmac } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { APP } from './hub-under-test.js';
import { Inbox } from './inbox.js';
import { within } from './real-time.js';

export interface Frame {
  readonly event: string;
  readonly channel?: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  readonly data?: any;
  readonly user_id?: string;
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A client that sends exactly what a test tells it, and keeps the hub's frames as they came. */
export class RawClient {
  readonly socket: WebSocket;
  readonly closed: Promise<Closed>;
  socketId = '';
  readonly #inbox = new Inbox<Frame>();

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url, { perMessageDeflate: false, ...options });
    this.socket.on('message', (data) => this.#inbox.put(JSON.parse(data.toString())));
    const closed = new Promise<Closed>((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    this.closed = closed;
    this.socket.on('error', () => {});
    onTestFinished(async () => {
      this.socket.terminate();
      await closed;
    });
  }

  /** Connected, and its first frame taken. */
  static async connect(port: number, query = 'protocol=7', options: ClientOptions = {}): Promise<RawClient> {
    const client = new RawClient(`ws://127.0.0.1:${port}/app/${APP.key}?${query}`, options);
    const established = await client.next();
    client.socketId = JSON.parse(established.data).socket_id;
    return client;
  }

  next(): Promise<Frame> {
    return this.#inbox.next('a frame');
  }

  send(frame: object): void {
    this.socket.send(JSON.stringify(frame));
  }

  /** Everything that came before the hub answers a ping: what it was going to send because of earlier frames. */
  async settled(): Promise<readonly Frame[]> {
    this.send({ event: 'pusher:ping', data: {} });
    const frames: Frame[] = [];
    for (;;) {
      const frame = await this.next();
      if (frame.event === 'pusher:pong') return frames;
      frames.push(frame);
    }
  }

  subscribe(channel: string, channelData?: string, secret: string = APP.secret): void {
    const text =
      channelData === undefined ? `${this.socketId}:${channel}` : `${this.socketId}:${channel}:${channelData}`;
    this.send({
      event: 'pusher:subscribe',
      data: {
        channel,
        auth: authOf(text, secret),
        ...(channelData === undefined ? {} : { channel_data: channelData }),
      },
    });
  }

  /** Subscribed; gives the frame that says so. */
  async join(channel: string, channelData?: string): Promise<Frame> {
    this.subscribe(channel, channelData);
    const frame = await this.next();
    if (frame.event !== 'pusher_internal:subscription_succeeded') throw new Error(JSON.stringify(frame));
    return frame;
  }

  joinAs(channel: string, userId: string | number, userInfo?: object): Promise<Frame> {
    return this.join(channel, JSON.stringify({ user_id: userId, user_info: userInfo }));
  }

  signIn(user: object): void {
    const userData = JSON.stringify(user);
    const auth = authOf(`${this.socketId}::user::${userData}`);
    this.send({ event: 'pusher:signin', data: { auth, user_data: userData } });
  }

  async close(): Promise<void> {
    this.socket.close();
    await within('the close', this.closed);
  }
}

/** Written here again, apart from the hub's own: a mistake there is not a mistake here. */
export function authOf(text: string, secret: string = APP.secret): string {
  return `${APP.key}:${createHmac('sha256', secret).update(text).digest('hex')}`;
}
