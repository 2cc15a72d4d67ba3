import type { UnitDefinition, Values } from '../../../protocol/definition/index.js';
import { messagesOf } from '../../../protocol/definition/messages.js';
import { refusalOf } from '../../../protocol/definition/value-check.js';
import { lineToValue, valueToLine } from '../../../protocol/line/line-value.js';
import { addressText, isSerial } from '../../core/address.js';
import type { Delivery, DeliveryResult } from '../../core/delivery.js';
import { Link } from '../../links/link.js';
import { HEARTBEAT, type Heartbeat } from '../../links/link-watch.js';
import { aborted } from '../aborted.js';
import type { Handler, HandlerContext, ServedUnit } from '../handler.js';
import { linkPresence } from '../link-presence.js';
import { notFound, reachUnit } from '../reach-unit.js';
import { LineReadSession } from './line-read-session.js';
import { LineWriteSession } from './line-write-session.js';
import { writeLine } from './line-writer.js';

/** A line that a central wrote itself: printable ASCII, and no longer than this (wire/unit.md, "Line units"). */
export const MAX_RAW_LINE = 64;
const rawLine = /^[\x20-\x7e]{1,64}$/;
/** A read unit is dead after so many intervals without a line, or after 45 s, whichever is longer. */
const SILENT_INTERVALS = 3;

/** The original's units: plain lines of text, readable with telnet, without session or authentication (wire/iot-base.md). */
export class LineDialect implements Handler {
  readonly name = 'line';

  /** Of read units, and of updatable ones at serial ports, by UID. */
  readonly #links = new Map<string, Link>();
  /** Updatable units of which nobody knows yet where they are. */
  readonly #missing = new Set<string>();
  #context: HandlerContext | undefined;

  async listen(context: HandlerContext): Promise<void> {
    this.#context = context;
    for (const unit of context.units) this.serve(unit);
    context.onFound((uid) => this.#isFound(context, uid));
    context.ready();
    await aborted(context.signal);
    this.#context = undefined;
    await Promise.allSettled([...this.#links.values()].map((link) => link.stop()));
  }

  /** Takes up one more unit, once the dialect listens. Units that dial in are not of this dialect. */
  serve(unit: ServedUnit): void {
    const context = this.#context;
    if (context === undefined || unit.address === undefined) return;
    context.log.warn(
      { unit: unit.uid, address: addressText(unit.address) },
      isSerial(unit.address)
        ? 'a line unit has no checksums: a reading that is damaged on the serial line may pass for another one'
        : 'a line unit has no authentication: whoever is on its network can read or command it',
    );
    if (unit.definition.kind === 'read') this.#links.set(unit.uid, this.#hold(context, unit));
    else if (isSerial(unit.address)) this.#links.set(unit.uid, this.#holdPort(context, unit));
    else this.#write(context, unit);
  }

  /** Lets go of a unit. Resolves when nothing of its link is left. */
  async release(uid: string): Promise<void> {
    const link = this.#links.get(uid);
    this.#links.delete(uid);
    this.#missing.delete(uid);
    await link?.stop();
  }

  #isFound(context: HandlerContext, uid: string): void {
    if (this.#missing.delete(uid)) context.presence(uid, { state: 'idle' });
    this.#links.get(uid)?.hurry();
  }

  #hold(context: HandlerContext, unit: ServedUnit): Link {
    const link = new Link({
      policy: 'held',
      open: (events, signal) =>
        reachUnit(context, unit, signal, async (at) =>
          new LineReadSession(context, unit, await context.dial(at, signal, { isBackground: true, isRaw: true })).start(
            events,
          ),
        ),
      claim: (signal) => context.claimLink(unit.uid, signal),
      heartbeat: heartbeatOf(unit.definition),
      onState: linkPresence(context, unit, 'held'),
      clock: context.clock,
      random: context.random,
    });
    context.onCommand(unit.uid, async () => ({
      outcome: 'refused',
      reason: `${unit.definition.name} only measures; it takes no commands`,
    }));
    link.start();
    return link;
  }

  /** An updatable unit at a serial port, which nobody else can reach: the port is held, since to open it may restart the unit. */
  #holdPort(context: HandlerContext, unit: ServedUnit): Link {
    const { definition } = unit;
    const whole = (delivery: Delivery): string | DeliveryResult => {
      const line = lineOf(definition, delivery);
      return typeof line === 'string' ? line + definition.lineEnd : line;
    };
    const link = new Link({
      policy: 'held',
      open: (events, signal) =>
        reachUnit(context, unit, signal, async (at) =>
          new LineWriteSession(context, unit, await context.dial(at, signal, { isRaw: true }), whole).start(
            events,
            signal,
          ),
        ),
      claim: (signal) => context.claimLink(unit.uid, signal),
      heartbeat: HEARTBEAT,
      onState: linkPresence(context, unit, 'held'),
      clock: context.clock,
      random: context.random,
    });
    context.onCommand(unit.uid, async (delivery) => {
      const line = whole(delivery);
      return typeof line === 'string' ? link.deliver(delivery) : line;
    });
    link.start();
    return link;
  }

  #write(context: HandlerContext, unit: ServedUnit): void {
    const isMissing = unit.address === 'mdns' && context.placesOf(unit.uid).length === 0;
    if (isMissing) this.#missing.add(unit.uid);
    context.presence(
      unit.uid,
      isMissing ? { state: 'offline', reason: notFound(unit.uid).message } : { state: 'idle' },
    );
    context.onCommand(unit.uid, async (delivery) => {
      const line = lineOf(unit.definition, delivery);
      if (typeof line !== 'string') return line;
      const result = await writeLine(context, unit, line + unit.definition.lineEnd, delivery);
      const isReached = result.outcome !== 'unreachable' && result.outcome !== 'expired';
      context.presence(
        unit.uid,
        isReached ? { state: 'idle' } : { state: 'offline', reason: result.reason ?? 'unreachable' },
      );
      return result;
    });
  }
}

function heartbeatOf(definition: UnitDefinition): Heartbeat {
  const everyMs = Math.max(0, ...Object.values(definition.reports).map((report) => report.everyMs ?? 0));
  return {
    pingAfterMs: HEARTBEAT.pingAfterMs,
    deadAfterMs: Math.max(HEARTBEAT.deadAfterMs, SILENT_INTERVALS * everyMs),
  };
}

function lineOf(definition: UnitDefinition, delivery: Delivery): string | DeliveryResult {
  if (delivery.line !== undefined) {
    return rawLine.test(delivery.line)
      ? delivery.line
      : { outcome: 'refused', reason: `a line must be 1 to ${MAX_RAW_LINE} printable ASCII characters` };
  }
  const command = messagesOf(definition)[0]!;
  const [field, type] = Object.entries(command.fields)[0]!;
  const value = (delivery.fields as Values)[field] ?? type.default;
  const refusal = refusalOf(type, value);
  if (refusal !== undefined) return { outcome: 'refused', reason: `${field} ${refusal.message}` };
  const line = valueToLine(type, value);
  if (/[\r\n]/.test(line)) return { outcome: 'refused', reason: `${field} may not hold a line end` };
  // A number of more digits than a line may have is no value to the unit.
  if (!lineToValue(type, line).ok) return { outcome: 'refused', reason: `${field} cannot be written on a line` };
  return line;
}
