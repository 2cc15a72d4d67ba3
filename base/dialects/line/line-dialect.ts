import type { UnitDefinition, Values } from '../../../protocol/definition/index.js';
import { messagesOf } from '../../../protocol/definition/messages.js';
import { refusalOf } from '../../../protocol/definition/value-check.js';
import { lineToValue, valueToLine } from '../../../protocol/line/line-value.js';
import { type Address, addressText } from '../../core/address.js';
import type { Delivery, DeliveryResult } from '../../core/delivery.js';
import { Link } from '../../links/link.js';
import { HEARTBEAT, type Heartbeat } from '../../links/link-watch.js';
import type { Handler, HandlerContext, ServedUnit } from '../handler.js';
import { linkPresence } from '../link-presence.js';
import { LineReadSession } from './line-read-session.js';
import { writeLine } from './line-writer.js';

/** A line that a central wrote itself: printable ASCII, and no longer than this (wire/unit.md, "Line units"). */
export const MAX_RAW_LINE = 64;
const rawLine = /^[\x20-\x7e]{1,64}$/;
/** A read unit is dead after so many intervals without a line, or after 45 s, whichever is longer. */
const SILENT_INTERVALS = 3;

type LineUnit = ServedUnit & { readonly address: Address };

/** The original's units: plain lines of text, readable with telnet, without session or authentication (wire/iot-base.md). */
export class LineDialect implements Handler {
  readonly name = 'line';

  readonly #links: Link[] = [];
  #context: HandlerContext | undefined;

  async listen(context: HandlerContext): Promise<void> {
    this.#context = context;
    for (const unit of context.units) this.serve(unit);
    context.ready();
    await new Promise<void>((resolve) => {
      if (context.signal.aborted) resolve();
      else context.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.allSettled(this.#links.map((link) => link.stop()));
  }

  /** Takes up one more unit, once the dialect listens. Units that dial in are not of this dialect. */
  serve(unit: ServedUnit): void {
    const context = this.#context;
    if (context === undefined || unit.address === undefined) return;
    const served = { ...unit, address: unit.address };
    context.log.warn(
      { unit: unit.uid, address: addressText(unit.address) },
      'a line unit has no authentication: whoever is on its network can read or command it',
    );
    if (unit.definition.kind === 'read') this.#links.push(this.#hold(context, served));
    else this.#write(context, served);
  }

  #hold(context: HandlerContext, unit: LineUnit): Link {
    const link = new Link({
      policy: 'held',
      open: async (events, signal) =>
        new LineReadSession(context, unit, await context.dial(unit.address, signal, { isBackground: true })).start(
          events,
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

  #write(context: HandlerContext, unit: LineUnit): void {
    context.presence(unit.uid, { state: 'idle' });
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
