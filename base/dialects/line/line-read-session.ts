import type { Values } from '../../../protocol/definition/index.js';
import { messagesOf } from '../../../protocol/definition/messages.js';
import { LinkError } from '../../../protocol/errors.js';
import { LineReader } from '../../../protocol/line/line-reader.js';
import { lineToValue } from '../../../protocol/line/line-value.js';
import type { Timer } from '../../core/clock.js';
import type { Connection } from '../../core/connection.js';
import type { DeliveryResult } from '../../core/delivery.js';
import { peerText } from '../../core/log.js';
import { SaidOnce } from '../../core/said-once.js';
import { TokenBucket } from '../../core/token-bucket.js';
import type { ReportVerdict } from '../../core/unit-events.js';
import type { Carrier } from '../../links/carrier.js';
import { GOODBYE_MS, type LinkEvents, type LinkSession } from '../../links/link-session.js';
import type { HandlerContext, ServedUnit } from '../handler.js';

/** Lines of one unit: so many a second, with a burst; more are dropped and counted (reference/limits.md, "Rate limits"). */
export const LINE_RATE = { perSecond: 50, burst: 200 } as const;
/** After lines had to be dropped nothing is read for so long: even dropping a flood costs time that is others'. */
const FLOOD_PAUSE_MS = 1_000;

/** Lines of one unit that wait for the disk; past it nothing is read. */
const MAX_STORING = 64;

/** A read unit that writes one value a line, for ever, and reads nothing (wire/iot-base.md). */
export class LineReadSession implements LinkSession {
  readonly life = 'line';
  readonly isBusy = false;
  readonly #context: HandlerContext;
  readonly #unit: ServedUnit;
  readonly #carrier: Carrier;
  readonly #lines = new LineReader();
  readonly #said = new SaidOnce();
  readonly #rate: TokenBucket;
  #error: Error | undefined;
  #goodbye: Timer | undefined;
  #pause: Timer | undefined;
  #isFlooded = false;
  /** Lines that are not on disk yet. */
  #storing = 0;
  #inbound: (() => void) | undefined;
  #isEnded = false;
  #connection: Connection | undefined;

  constructor(context: HandlerContext, unit: ServedUnit, carrier: Carrier) {
    this.#context = context;
    this.#unit = unit;
    this.#carrier = carrier;
    this.#rate = new TokenBucket(LINE_RATE, context.clock.monotonic());
  }

  get isClosing(): boolean {
    return this.#isEnded || this.#goodbye !== undefined || this.#error !== undefined;
  }

  async start(events: LinkEvents): Promise<this> {
    this.#inbound = () => events.inbound();
    const source = this.#carrier;
    this.#connection = this.#context.connected({ unit: this.#unit.uid, remoteAddress: source.remote, source });
    this.#carrier.attach({
      octets: (chunk) => {
        events.inbound();
        this.#octets(chunk);
      },
      drained: () => {},
      ended: () => this.#carrier.end(),
      closed: (error) => {
        this.#isEnded = true;
        this.#connection?.closed();
        this.#goodbye?.cancel();
        this.#pause?.cancel();
        const lost =
          this.#error ??
          new LinkError(
            'link-lost',
            error ? `the connection broke: ${error.message}` : 'the unit closed the connection',
          );
        events.closed(this.#goodbye !== undefined && this.#error === undefined ? undefined : lost);
      },
    });
    return this;
  }

  deliver(): Promise<DeliveryResult> {
    return Promise.resolve({
      outcome: 'refused',
      reason: `${this.#unit.definition.name} only measures; it takes no commands`,
    });
  }

  ping(): void {}

  close(): void {
    if (this.isClosing) return;
    this.#carrier.end();
    this.#goodbye = this.#context.clock.after(GOODBYE_MS, () => this.#carrier.destroy());
  }

  fail(error: Error): void {
    this.#error ??= error;
    this.#carrier.destroy();
  }

  #octets(chunk: Uint8Array): void {
    if (this.isClosing) return;
    this.#isFlooded = false;
    for (const result of this.#lines.push(chunk)) {
      if (result.kind === 'bad') {
        this.#refuse(result.error.message);
        return this.fail(result.error);
      }
      this.#line(result.text);
    }
    if (this.#isFlooded) this.#pauseReading();
  }

  /** The octets are there, and were held back by us: that is no silence. */
  #pauseReading(): void {
    this.#carrier.pause();
    this.#pause?.cancel();
    this.#pause = this.#context.clock.after(FLOOD_PAUSE_MS, () => {
      this.#pause = undefined;
      if (this.#storing >= MAX_STORING) return;
      this.#inbound?.();
      this.#carrier.resume();
    });
  }

  #line(line: string): void {
    this.#connection?.received();
    if (!this.#rate.take(this.#context.clock.monotonic())) {
      this.#isFlooded = true;
      return this.#refuse(`more than ${LINE_RATE.perSecond} lines a second`);
    }
    const message = messagesOf(this.#unit.definition)[0]!;
    const [field, type] = Object.entries(message.fields)[0]!;
    if (this.#unit.isReading?.(line) === false) return this.#refuse('a line that is no reading', line);
    const parsed = lineToValue(type, line);
    if (!parsed.ok) return this.#refuse(`a line that ${parsed.refusal.message}`, line);
    void this.#report(message.name, { [field]: parsed.value });
  }

  /** The unit cannot be told to wait, so it is not read while the disk falls behind. */
  async #report(report: string, fields: Values): Promise<void> {
    const { clock } = this.#context;
    this.#storing += 1;
    if (this.#storing === MAX_STORING) this.#carrier.pause();
    const verdict = await this.#context
      .report({ uid: this.#unit.uid, report, fields, measuredAt: clock.now() })
      .catch((): ReportVerdict => 'busy');
    this.#storing -= 1;
    if (verdict === 'busy') this.#refuse('a line that could not be stored');
    if (this.#storing !== MAX_STORING - 1 || this.#pause !== undefined || this.#isEnded) return;
    this.#inbound?.();
    this.#carrier.resume();
  }

  #refuse(reason: string, line = ''): void {
    this.#context.refused(this.#unit.uid);
    this.#context.count('lines refused');
    if (!this.#said.isNew(reason, '')) return;
    this.#context.log.warn({ unit: this.#unit.uid, line: peerText(line), reason }, 'refused; said once');
  }
}
