import { LinkError } from '../../../protocol/errors.js';
import { delay, type Timer } from '../../core/clock.js';
import type { Connection } from '../../core/connection.js';
import { type Deferred, deferred } from '../../core/deferred.js';
import type { Delivery, DeliveryResult } from '../../core/delivery.js';
import type { Carrier } from '../../links/carrier.js';
import { GOODBYE_MS, type LinkEvents, type LinkSession } from '../../links/link-session.js';
import type { HandlerContext, ServedUnit } from '../handler.js';

/**
 * An Arduino restarts when its port is opened, and for so long its boot loader takes what is written for itself. Then the
 * port stays open: each opening would restart it again.
 */
export const BOOT_MS = 2_000;
/** A line of 64 octets takes 67 ms at 9 600 bit/s; a port that does not take it in that time takes nothing. */
export const WRITTEN_MS = 2_000;

/**
 * An updatable line unit at a serial port. There is no close that would confirm a line: the outcome is `ok` when all of it
 * is on the wire. What the unit says is not read.
 */
export class LineWriteSession implements LinkSession {
  /** Another one each time, so that what was sent before is never sent again. */
  readonly life: string;
  readonly isBusy = false;
  readonly #context: HandlerContext;
  readonly #unit: ServedUnit;
  readonly #carrier: Carrier;
  readonly #lineOf: (delivery: Delivery) => string | DeliveryResult;
  #events: LinkEvents | undefined;
  #connection: Connection | undefined;
  #error: Error | undefined;
  #isClosing = false;
  #goodbye: Timer | undefined;
  /** The line that is being written. */
  #writing: Deferred<DeliveryResult> | undefined;

  constructor(
    context: HandlerContext,
    unit: ServedUnit,
    carrier: Carrier,
    lineOf: (delivery: Delivery) => string | DeliveryResult,
  ) {
    this.#context = context;
    this.#unit = unit;
    this.#carrier = carrier;
    this.#lineOf = lineOf;
    this.life = `line/${context.clock.now()}`;
  }

  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Resolves when lines may be written. */
  async start(events: LinkEvents, signal: AbortSignal): Promise<this> {
    const source = this.#carrier;
    const opened = new AbortController();
    const abort = (): void => opened.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    this.#carrier.attach({
      octets: () => {},
      drained: () => this.#writing?.resolve({ outcome: 'ok' }),
      ended: () => {},
      closed: (error) => opened.abort(this.#closed(error)),
    });
    this.#events = events;
    try {
      signal.throwIfAborted();
      await delay(this.#context.clock, BOOT_MS, opened.signal);
    } catch (error) {
      this.fail(error as Error);
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
    this.#connection = this.#context.connected({ unit: this.#unit.uid, remoteAddress: source.remote, source });
    return this;
  }

  async deliver(delivery: Delivery): Promise<DeliveryResult> {
    const line = this.#lineOf(delivery);
    if (typeof line !== 'string') return line;
    const writing = deferred<DeliveryResult>();
    this.#writing = writing;
    const timer = this.#context.clock.after(WRITTEN_MS, () => {
      const reason = `the port did not take the line within ${WRITTEN_MS / 1_000} s`;
      writing.resolve({ outcome: 'unknown', reason });
      this.fail(new LinkError('link-stalled', reason));
    });
    this.#carrier.write(new TextEncoder().encode(line));
    this.#connection?.sent();
    const result = await writing.promise;
    timer.cancel();
    this.#writing = undefined;
    return result;
  }

  /** It never speaks: that its port is open is its sign of life. */
  ping(): void {
    this.#events?.inbound();
  }

  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#goodbye = this.#context.clock.after(GOODBYE_MS, () => this.#carrier.destroy());
    this.#carrier.end();
  }

  fail(error: Error): void {
    this.#error ??= error;
    this.#isClosing = true;
    this.#carrier.destroy();
  }

  #closed(error: Error | undefined): Error {
    const isGoodbye = this.#goodbye !== undefined && this.#error === undefined;
    this.#isClosing = true;
    this.#goodbye?.cancel();
    this.#connection?.closed();
    const what = `the port was closed: ${error?.message ?? 'by the base'}`;
    this.#writing?.resolve({ outcome: 'unknown', reason: `the line may not have been written; ${what}` });
    const lost = this.#error ?? new LinkError('link-lost', what, { cause: error });
    this.#events?.closed(isGoodbye ? undefined : lost);
    return lost;
  }
}
