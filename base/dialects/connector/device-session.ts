import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { type Answer, type DeviceMessage, decodeMessage } from '../../../protocol/connector/message.js';
import { addressText, plainHost } from '../../core/address.js';
import type { Timer } from '../../core/clock.js';
import type { Connection, ConnectionInput } from '../../core/connection.js';
import { TokenBucket } from '../../core/token-bucket.js';
import type { DeviceRequest } from './connector-options.js';
import type { DeviceSocket } from './device-socket.js';
import type { SessionHost } from './session-host.js';

/** Why the base closes (wire/connector.md; RFC 6455 §7.4.1). */
export const closeCodes = { goingAway: 1001, tryAgainLater: 1013, replaced: 4000 } as const;
/**
 * A ping without payload (RFC 6455 §5.5.2). Written as it is, between whole frames: what `ws` makes for one stays with each
 * of ten thousand sockets, a quarter of a KiB.
 */
const PING = Buffer.of(0x89, 0x00);
const TOO_LONG = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';

/** How a message to a device ended. `lost`: nobody knows whether the device did it. */
export type AskEnd =
  | { readonly kind: 'answer'; readonly payload: Answer['payload'] }
  | { readonly kind: 'late' | 'lost' };

interface Received {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** What a device that is slowed down, or busy, needs beyond an idle one. */
interface Busy {
  readonly rate: TokenBucket;
  /** It has sent too much, and is read on then. */
  pause: Timer | undefined;
  /** On their way to the disk. */
  reports: number;
  /** Came with the last octets that were read, and is not looked at yet. */
  readonly backlog: Received[];
}

export interface DeviceSessionOptions {
  readonly host: SessionHost;
  readonly socket: DeviceSocket;
  readonly stream: Socket;
  readonly generation: number;
  readonly device: Pick<DeviceRequest, 'deviceId' | 'name' | 'type' | 'userAgent'>;
}

/**
 * One WebSocket of one device. Ten thousand of them are idle at a time: what one needs only then is made then, and the
 * silence of all is looked at by one timer (`check`).
 */
export class DeviceSession implements ConnectionInput {
  readonly unit: string;
  readonly name: string | undefined;
  readonly type: string | undefined;
  readonly userAgent: string | undefined;
  /** Counts the connections of all devices, so that a late end is never taken for another's. */
  readonly generation: number;
  readonly #host: SessionHost;
  readonly #socket: DeviceSocket;
  readonly #stream: Socket;
  #connection: Connection | undefined;
  #isOver = false;
  #isLeaving = false;
  /** Monotonic and whole ms, as of the last check. */
  #heardAt: number;
  #pingedAt: number;
  #isPinged = false;
  #octets = 0;
  /** Since then nothing was taken of what waits to be written; 0: nothing waits. */
  #stalledAt = 0;
  #taken = 0;
  #busy: Busy | undefined;
  #waiting: Map<string, (end: AskEnd) => void> | undefined;
  /** Who wants to send when there is room again. */
  #wantRoom: Set<() => void> | undefined;

  constructor({ host, socket, stream, generation, device }: DeviceSessionOptions) {
    this.unit = device.deviceId;
    this.name = device.name;
    this.type = device.type;
    this.userAgent = device.userAgent;
    this.generation = generation;
    this.#host = host;
    this.#socket = socket;
    this.#stream = stream;
    this.#heardAt = Math.floor(host.clock.monotonic());
    this.#pingedAt = this.#heardAt;
  }

  /** Begins to listen. Its figures are counted on that connection. */
  open(connection: Connection): void {
    this.#connection = connection;
    this.#socket.session = this;
  }

  // As a connection shows it.

  get remoteAddress(): string {
    return remoteAddressOf(this.#stream);
  }

  get source(): this {
    return this;
  }

  /** Octets written and not yet taken by the operating system. */
  get buffered(): number {
    return this.#socket.bufferedAmount;
  }

  get isOpen(): boolean {
    return !this.#isOver && this.#socket.readyState === WebSocket.OPEN;
  }

  /** A message may be written now. */
  get hasRoom(): boolean {
    return this.buffered <= this.#host.limits.unsentPauseOctets;
  }

  /** Resolves when there may be room, when the session is over, or at that monotonic moment. */
  room(deadline: number): Promise<void> {
    const { clock } = this.#host;
    return new Promise((resolve) => {
      const late = clock.after(Math.max(0, deadline - clock.monotonic()), () => end());
      const end = (): void => {
        late.cancel();
        this.#wantRoom?.delete(end);
        resolve();
      };
      this.#wantRoom ??= new Set();
      this.#wantRoom.add(end);
    });
  }

  /** Sends a message, and waits for the answer with its id. Only while `isOpen` and `hasRoom`. */
  ask(id: string, text: string, timeoutMs: number): Promise<AskEnd> {
    return new Promise((resolve) => {
      const late = this.#host.clock.after(timeoutMs, () => end({ kind: 'late' }));
      const end = (how: AskEnd): void => {
        late.cancel();
        this.#waiting?.delete(id);
        resolve(how);
      };
      this.#waiting ??= new Map();
      this.#waiting.set(id, end);
      this.#socket.send(text, () => this.#wasTaken());
      this.#connection?.sent();
    });
  }

  /** Says goodbye, and is over for us: what still comes is not heard. */
  close(code: number, reason: string, why: string): void {
    this.#end(why);
    this.#socket.close(code, reason);
  }

  /** Says goodbye because the base stops: answers that are on their way count until the socket is no more, nothing else does. */
  leave(code: number, reason: string): void {
    this.#isLeaving = true;
    this.close(code, reason, reason);
  }

  /** Ends it without a word. May be called twice. */
  cut(why: string): void {
    this.#end(why);
    this.#lose();
    this.#socket.terminate();
  }

  /** Silence, and what it does not take; to be called every second or so, with whole ms. */
  check(now: number): void {
    if (this.#isOver) return;
    const { limits } = this.#host;
    const { bytesRead } = this.#stream;
    // Whom we do not read we cannot hear.
    if (bytesRead !== this.#octets || this.#isHeld) {
      this.#octets = bytesRead;
      this.#heardAt = now;
      this.#pingedAt = now;
      this.#isPinged = false;
    } else if (now - this.#heardAt >= limits.deadAfterMs) {
      this.#host.count('silent');
      return this.cut(`it was silent for ${limits.deadAfterMs / 1_000} s`);
    } else if (now - this.#pingedAt >= limits.pingAfterMs) {
      this.#pingedAt = now;
      this.#isPinged = true;
      if (this.isOpen) this.#stream.write(PING);
    }
    this.#checkUnsent(now);
  }

  // What its WebSocket tells.

  message(data: Buffer, isBinary: boolean): void {
    if (this.#isOver) {
      if (this.#isLeaving) this.#answered(decodeMessage(data, isBinary));
      return;
    }
    if (this.#isHeld) this.#busy!.backlog.push({ data, isBinary });
    else this.#take(data, isBinary);
  }

  /** It costs as much as a message, and the answer to it takes room. */
  pinged(): void {
    if (this.#isOver) return;
    this.#spend();
    if (this.buffered > this.#host.limits.unsentOctets) this.#cutSlow();
  }

  /** The answer to a ping of ours costs nothing. */
  ponged(): void {
    if (this.#isOver) return;
    if (this.#isPinged) this.#isPinged = false;
    else this.#spend();
  }

  failed(code: string | undefined): void {
    if (this.#isOver || code === undefined || !code.startsWith('WS_ERR_')) return;
    this.#host.refused(this.unit);
    this.#host.count(code === TOO_LONG ? 'message-too-long' : 'malformed');
    const { messageOctets } = this.#host.limits;
    this.#end(
      code === TOO_LONG ? `it sent a message of more than ${messageOctets} octets` : 'what it sent is no WebSocket',
    );
  }

  closed(code: number): void {
    this.#end(code === LOST ? 'its connection was lost' : 'it closed its connection');
    this.#lose();
    this.#host.gone(this);
  }

  get #isHeld(): boolean {
    const busy = this.#busy;
    return busy !== undefined && (busy.pause !== undefined || busy.reports >= this.#host.limits.reportsAtOnce);
  }

  #take(data: Buffer, isBinary: boolean): void {
    this.#connection?.received();
    const message = decodeMessage(data, isBinary);
    if (this.#answered(message)) return;
    const busy = this.#spend();
    busy.reports += 1;
    if (this.#isHeld) this.#pause();
    void this.#host.report(this.unit, message, data).then(() => {
      busy.reports -= 1;
      this.#goOn(busy);
    });
  }

  /** False: nobody waits for it. */
  #answered(message: DeviceMessage): boolean {
    const answers = message.kind === 'text' ? undefined : message.answers;
    const answered = answers && this.#waiting?.get(answers.id);
    answered?.({ kind: 'answer', payload: answers!.payload });
    return answered !== undefined;
  }

  /** One more than answers; past the rate it is not read for a while. */
  #spend(): Busy {
    const { limits, clock } = this.#host;
    const now = clock.monotonic();
    this.#busy ??= {
      rate: new TokenBucket({ perSecond: limits.messagesPerS, burst: limits.messageBurst }, now),
      pause: undefined,
      reports: 0,
      backlog: [],
    };
    const busy = this.#busy;
    const waitMs = busy.rate.spend(now);
    if (waitMs > 0) {
      if (busy.pause === undefined) this.#host.count('slowed-down');
      busy.pause?.cancel();
      busy.pause = clock.after(waitMs, () => {
        busy.pause = undefined;
        this.#goOn(busy);
      });
      this.#pause();
    }
    return busy;
  }

  /** Who is closing is read to the end: the goodbye is behind the rest. */
  #pause(): void {
    if (this.isOpen) this.#socket.pause();
  }

  /** What came before the end is taken too, no faster than before. */
  #goOn({ backlog }: Busy): void {
    let taken = 0;
    while (taken < backlog.length && !this.#isHeld) {
      const { data, isBinary } = backlog[taken]!;
      taken += 1;
      this.#take(data, isBinary);
    }
    backlog.splice(0, taken);
    if (!this.#isHeld && !this.#isOver) this.#socket.resume();
  }

  /** Something that was written has been taken: one of those who wait may go on, and looks for itself. */
  #wasTaken(): void {
    const [first] = this.#wantRoom ?? [];
    if (first !== undefined && this.hasRoom) first();
  }

  #checkUnsent(now: number): void {
    const { limits } = this.#host;
    const { buffered } = this;
    if (buffered === 0) {
      this.#stalledAt = 0;
      this.#wasTaken();
      return;
    }
    const taken = this.#stream.bytesWritten - this.#stream.writableLength;
    if (this.#stalledAt === 0 || taken !== this.#taken) {
      this.#stalledAt = now;
      this.#taken = taken;
    }
    if (buffered > limits.unsentOctets || now - this.#stalledAt >= limits.stalledMs) this.#cutSlow();
    else this.#wasTaken();
  }

  #cutSlow(): void {
    this.#host.count('too-slow');
    this.cut('it does not take what is sent to it');
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connection?.closed();
    if (!this.#isLeaving) this.#lose();
    for (const end of this.#wantRoom ?? []) end();
    this.#host.ended(this, reason);
  }

  /** Nothing is answered any more. */
  #lose(): void {
    for (const end of this.#waiting?.values() ?? []) end({ kind: 'lost' });
  }

  /** What it said and nobody has looked at is dropped. At the end of the base. */
  drop(): void {
    this.#busy?.pause?.cancel();
    this.#busy?.backlog.splice(0);
  }
}

/** The status of a connection that ended without one (RFC 6455 §7.4.1). */
const LOST = 1006;

/** `192.168.1.20:51234`. Node remembers it when the connection is gone. */
export const remoteAddressOf = ({ remoteAddress = '', remotePort = 0 }: Socket): string =>
  addressText({ host: plainHost(remoteAddress), port: remotePort });
