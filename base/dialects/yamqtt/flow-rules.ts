import type { Unsubscribe } from '../../core/bus.js';
import { peerText } from '../../core/log.js';
import type { Outcome, Report } from '../../core/messages.js';
import { TroubleLog } from '../../core/trouble-log.js';
import { uuid } from '../../core/uuid.js';
import type { HandlerContext } from '../handler.js';
import { argumentsOf } from './command-payload.js';
import { flowDataOf } from './flow-payload.js';
import { Publisher, type TellPublisher } from './publisher.js';
import type { YamqttLimits } from './yamqtt-limits.js';
import type { CommandRule, FlowRule, ReportRule } from './yamqtt-options.js';

export interface FlowRulesOptions {
  readonly context: Pick<HandlerContext, 'hear' | 'command' | 'typedUnit' | 'clock' | 'random' | 'log'>;
  readonly flows: ReadonlyMap<number, FlowRule>;
  readonly limits: Pick<YamqttLimits, 'commandsAtOnce' | 'commandsPerClient' | 'commandsPerS' | 'commandBurst'>;
  /** Gives every subscriber of the flow these data: at most 1 024 octets, to be filled up with `00`. */
  readonly publish: (flow: number, data: Uint8Array) => void;
}

interface ReportedFlow {
  readonly flow: number;
  readonly rule: ReportRule;
}

/** Long enough for the example of what to publish instead. */
export const MAX_TOLD_CHARACTERS = 240;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Where flows meet the bus: what units report is published on flows, and what is published on flows tells units to do
 * something, as the rules of the configuration say.
 */
export class FlowRules {
  readonly #options: FlowRulesOptions;
  readonly #troubles: TroubleLog;
  /** By unit and report. */
  readonly #reported = new Map<string, ReportedFlow[]>();
  readonly #commands = new Map<number, CommandRule>();
  readonly #counts = { published: 0, notPublished: 0, commands: 0, commandsNotOk: 0 };
  #leave: Unsubscribe[] = [];
  #underWay = 0;

  constructor(options: FlowRulesOptions) {
    this.#options = options;
    this.#troubles = new TroubleLog(options.context.log);
    for (const [flow, { report, command }] of options.flows) {
      if (command !== undefined) this.#commands.set(flow, command);
      if (report === undefined) continue;
      const key = keyOf(report.unit, report.report);
      const flows = this.#reported.get(key);
      if (flows === undefined) this.#reported.set(key, [{ flow, rule: report }]);
      else flows.push({ flow, rule: report });
    }
  }

  /** From now on reports are published. */
  start(): void {
    if (this.#reported.size === 0) return;
    const { hear } = this.#options.context;
    const reported = (report: Report): void => this.#heard(report);
    this.#leave = [hear('report', reported), hear('telemetry', reported)];
  }

  /** Commands under way go on; their publishers are still told. */
  stop(): void {
    for (const leave of this.#leave) leave();
    this.#leave = [];
  }

  /** Whether what is published on that flow tells a unit to do something. */
  has(flow: number): boolean {
    return this.#commands.has(flow);
  }

  /** Of a client that publishes on a flow that `has` one: one for all that it publishes. */
  publisher(tell: TellPublisher): Publisher {
    const { context, limits } = this.#options;
    return new Publisher(tell, limits, context.clock.monotonic());
  }

  /**
   * A client published that on a flow that `has` one: tells its unit. `data` is read before this returns. The client is told
   * why not, or how the command ended, unless it ended well. An empty text is no command, since the original's publisher ends
   * with one.
   */
  published(flow: number, data: Uint8Array, publisher: Publisher): void {
    const rule = this.#commands.get(flow);
    if (rule === undefined || data.length === 0 || data[0] === 0) return;
    const { context } = this.#options;
    const refuse = (reason: string): void => {
      this.#counts.commandsNotOk += 1;
      publisher.tell(told(`${flow}: refused: ${reason}`));
    };
    const excess = this.#excessOf(publisher);
    if (excess !== undefined) return refuse(`${excess}; publish it again later`);
    const text = textIn(data);
    if (text === undefined) return refuse('the text is no UTF-8');
    const published = argumentsOf(text, rule.command, context.typedUnit(rule.unit));
    if (!published.ok) return refuse(published.reason);
    const { unit, command } = rule;
    this.#counts.commands += 1;
    this.#underWay += 1;
    publisher.underWay += 1;
    const request = { id: uuid(context.random), unit, command, ...published.given, source: 'yamqtt' };
    void context
      .command(request)
      .then(
        (outcome) => this.#ended(flow, outcome, publisher),
        // The base stops: it goes on with the command at its next start.
        () => {},
      )
      .finally(() => {
        this.#underWay -= 1;
        publisher.underWay -= 1;
      });
  }

  /** What it counts, for its handler. */
  counts(): Readonly<Record<string, number>> {
    const { published, notPublished, commands, commandsNotOk } = this.#counts;
    return {
      'reports-published': published,
      'reports-not-published': notPublished,
      commands,
      'commands-not-ok': commandsNotOk,
    };
  }

  /** Of what there is too much for one more command of that client. */
  #excessOf({ underWay, rate }: Publisher): string | undefined {
    const { context, limits } = this.#options;
    const { commandsAtOnce, commandsPerClient, commandsPerS } = limits;
    if (this.#underWay >= commandsAtOnce) return `${commandsAtOnce} commands are under way`;
    if (underWay >= commandsPerClient) return `${commandsPerClient} commands of this client are under way`;
    return rate.take(context.clock.monotonic()) ? undefined : `more than ${commandsPerS} commands a second`;
  }

  #ended(flow: number, { outcome, reason }: Outcome, { tell }: Publisher): void {
    if (outcome === 'ok') return;
    this.#counts.commandsNotOk += 1;
    tell(told(`${flow}: ${outcome}${reason === undefined ? '' : `: ${reason}`}`));
  }

  #heard(report: Report): void {
    for (const { flow, rule } of this.#reported.get(keyOf(report.unit, report.report)) ?? []) {
      const made = flowDataOf(report, rule);
      if (made.kind === 'data') {
        this.#counts.published += 1;
        this.#options.publish(flow, made.data);
      } else {
        this.#counts.notPublished += 1;
        const fields = { flow, unit: peerText(report.unit), report: peerText(report.report) };
        if (made.kind === 'too-long')
          this.#troubles.warn(
            `too-long ${flow}`,
            { ...fields, octets: made.octets },
            'a report is too long for a flow; publish one of its fields',
          );
        else
          this.#troubles.warn(
            `no-field ${flow}`,
            { ...fields, field: rule.field },
            'a report lacks the field of a flow',
          );
      }
    }
  }
}

/** As the wire has reasons: short, and ASCII. What a unit said may be part of it. */
const told = (text: string): string => text.slice(0, MAX_TOLD_CHARACTERS).replace(/[^\x20-\x7e]/gu, '?');

/** No UID has that character. */
const keyOf = (unit: string, report: string): string => `${unit}\0${report}`;

/** Up to the first `00`; `undefined`: it is no UTF-8. */
function textIn(data: Uint8Array): string | undefined {
  const end = data.indexOf(0);
  try {
    return decoder.decode(end === -1 ? data : data.subarray(0, end));
  } catch {
    return undefined;
  }
}
