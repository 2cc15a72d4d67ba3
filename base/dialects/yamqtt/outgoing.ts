import { MESSAGE_OCTETS } from '../../../protocol/yamqtt/records.js';
import type { Clock } from '../../core/clock.js';
import type { Carrier } from '../../links/carrier.js';
import { errorMessage } from './error-message.js';
import type { FlowCounts } from './flow-counts.js';
import { joined } from './kept-messages.js';
import type { SlowClient, SlowClients } from './slow-clients.js';
import type { Turn } from './turn.js';
import type { YamqttLimits } from './yamqtt-limits.js';

/** What one turn brings is written at once when it is so much: a burst does not wait for its own end. */
const FLUSH_OCTETS = 64 * 1024;
/** In one write, at most: what is in it cannot be dropped any more. Whole messages, and less than `unsentOctets` may be. */
const MAX_WRITE_OCTETS = 32 * MESSAGE_OCTETS;
/** Of a peer that took so long for the last write: then a small one, so that it is seen that it takes something. */
const SLOW_MS = 1_000;
/**
 * And of every peer while many are slow. A socket that takes nothing has less than its high-water mark (16 KiB) and one write:
 * 112 KiB of the first 257 slow clients, 22 KiB of all others. When 16 384 take nothing that is 375 MiB, beside the
 * `unsentOctetsInAll` of the queues.
 */
const SLOW_WRITE_OCTETS = 2 * MESSAGE_OCTETS;
/** Pieces shorter than this are joined for a write: that costs less than to hand each of them to the system. */
const JOIN_OCTETS = 16 * 1024;

export interface OutgoingOptions {
  readonly carrier: Carrier;
  readonly turn: Turn;
  readonly slow: SlowClients;
  readonly limits: Pick<YamqttLimits, 'unsentOctets'>;
  readonly counts: FlowCounts;
  readonly clock: Clock;
  /** All is written, and our side of the connection is closed. */
  readonly ended: () => void;
}

/**
 * What is to be written to one client. What a turn of the event loop brings goes out together. What a slow client does not
 * take waits here, bounded: its oldest messages are dropped, and where they are missing it is told how many. Only whole messages
 * are written, and never part of one by itself.
 */
export class Outgoing implements SlowClient {
  readonly #options: OutgoingOptions;
  /** Each of whole messages. */
  #queue: Buffer[] = [];
  #octets = 0;
  #isInTurn = false;
  /** The carrier has more than it wants, until it is `drained`. */
  #isStalled = false;
  #stalledAt = 0;
  #isSlow = false;
  /** Messages dropped before the front of the queue, of which the client is not told yet. */
  #missing = 0;
  #isEnding = false;
  #isOver = false;

  constructor(options: OutgoingOptions) {
    this.#options = options;
  }

  /** One message or several. They are not changed from now on, neither here nor by the caller. */
  send(messages: Buffer): void {
    if (this.#isEnding || this.#isOver) return;
    if (this.#isStalled) return this.#wait(messages);
    this.#queue.push(messages);
    this.#octets += messages.length;
    if (this.#octets >= FLUSH_OCTETS) this.flush();
    else if (!this.#isInTurn) {
      this.#isInTurn = true;
      this.#options.turn.add(this);
    }
  }

  /** Writes what waits, as far as it is taken. At the end of a turn. */
  flush(): void {
    this.#isInTurn = false;
    if (this.#isStalled || this.#isOver) return;
    this.#tellMissing();
    while (this.#octets > 0 && !this.#isStalled) this.#write();
    if (this.#isStalled) {
      const { turn, slow } = this.#options;
      this.#queue = this.#queue.map((each) => turn.kept.of(each));
      slow.enter(this);
    } else if (this.#isEnding) this.#end();
  }

  /** The carrier has room again. */
  drained(): void {
    if (!this.#isStalled) return;
    this.#isStalled = false;
    this.#options.slow.leave(this);
    this.#isSlow = this.#options.clock.monotonic() - this.#stalledAt >= SLOW_MS;
    this.flush();
  }

  /** Takes no more; when all is written our side of the connection is closed. May be called twice. */
  finish(): void {
    if (this.#isEnding || this.#isOver) return;
    this.#isEnding = true;
    this.flush();
  }

  /** The connection is no more: what waits is lost. */
  close(): void {
    if (this.#isOver) return;
    this.#options.slow.leave(this);
    this.#drop(this.#octets / MESSAGE_OCTETS);
    this.#isOver = true;
  }

  // While it is slow.

  get waiting(): number {
    return this.#octets;
  }

  dropTo(octets: number): void {
    this.#lose(Math.ceil((this.#octets - octets) / MESSAGE_OCTETS));
    const [first] = this.#queue;
    // It may be the rest of a long run.
    if (first !== undefined) this.#queue[0] = this.#options.turn.kept.of(first);
  }

  #wait(messages: Buffer): void {
    const { turn, slow } = this.#options;
    const before = this.#octets;
    this.#queue.push(turn.kept.of(messages));
    this.#octets += messages.length;
    this.#shorten();
    slow.changed(this.#octets - before);
  }

  #write(): void {
    const { carrier, clock, turn, slow } = this.#options;
    const { areMany } = slow;
    let pieces = this.#next(this.#isSlow || areMany ? SLOW_WRITE_OCTETS : MAX_WRITE_OCTETS);
    // What was written before waits in the carrier, and so will this. While many are slow it is likely.
    if (carrier.buffered > 0 || areMany) pieces = pieces.map((each) => turn.kept.of(each));
    const isRoom = pieces.length === 1 ? carrier.write(pieces[0]!) : carrier.writeAll(pieces);
    if (isRoom || carrier.buffered === 0) return;
    this.#isStalled = true;
    this.#stalledAt = clock.monotonic();
  }

  /** Takes so many octets from the front of the queue, or all there are. */
  #next(atMost: number): readonly Buffer[] {
    let pieces = this.#queue;
    let octets = this.#octets;
    if (octets <= atMost) this.#queue = [];
    else {
      octets = atMost;
      pieces = [];
      for (let left = atMost; left > 0; ) {
        const piece = this.#shift(left);
        pieces.push(piece);
        left -= piece.length;
      }
    }
    this.#octets -= octets;
    return pieces.length > 1 && octets < JOIN_OCTETS * pieces.length ? [joined(pieces, octets)] : pieces;
  }

  /** The first piece, or as much of it. Its octets still count. */
  #shift(atMost: number): Buffer {
    const first = this.#queue[0]!;
    if (first.length <= atMost) return this.#queue.shift()!;
    this.#queue[0] = first.subarray(atMost);
    return first.subarray(0, atMost);
  }

  #shorten(): void {
    const past = this.#octets + this.#options.carrier.buffered - this.#options.limits.unsentOctets;
    if (past > 0) this.#lose(Math.min(Math.ceil(past / MESSAGE_OCTETS), this.#octets / MESSAGE_OCTETS));
  }

  /** Drops so many messages, of which the client will be told. */
  #lose(messages: number): void {
    this.#drop(messages);
    this.#missing += messages;
  }

  /** So many messages from the front. */
  #drop(messages: number): void {
    this.#options.counts.dropped += messages;
    const octets = messages * MESSAGE_OCTETS;
    for (let left = octets; left > 0; ) left -= this.#shift(left).length;
    this.#octets -= octets;
  }

  #tellMissing(): void {
    if (this.#missing === 0) return;
    this.#queue.unshift(errorMessage(`dropped ${this.#missing} messages`));
    this.#octets += MESSAGE_OCTETS;
    this.#missing = 0;
  }

  #end(): void {
    this.#isOver = true;
    this.#options.carrier.end();
    this.#options.ended();
  }
}
