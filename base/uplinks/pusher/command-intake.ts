import { InternalError } from '../../../protocol/errors.js';
import type { CommandRequest } from '../../core/command-request.js';
import { type Log, peerText } from '../../core/log.js';
import { TroubleLog } from '../../core/trouble-log.js';
import type { UplinkContext } from '../uplink.js';
import {
  type OutcomeEvent,
  outcomeEvent,
  type Parsed,
  parseCommandEvent,
  parseUpdateRequest,
} from './channel-events.js';
import { publishableEvents } from './pusher-options.js';

/** Commands of the channel without an outcome; each holds a request and maybe a link. Past it they are refused aloud. */
export const MAX_IN_FLIGHT = 1_000;
/** Octets of a generated id: as in a UUID. */
const ID_OCTETS = 16;
/** The `source` of commands of the channel. */
export const SOURCE = 'pusher';
/** What we, other bases and browsers say on the same channel. */
const EVENTS_OF_OTHERS: ReadonlySet<string> = new Set([...publishableEvents, 'client-outcome']);

export interface CommandIntakeOptions {
  readonly context: Pick<UplinkContext, 'command' | 'clock' | 'random'>;
  readonly log: Log;
  readonly answer: (outcome: OutcomeEvent) => void;
  readonly maxInFlight?: number | undefined;
}

/** Turns the channel's events into commands, and answers those that never become one: all else is told by the outbox. */
export class CommandIntake {
  readonly #options: CommandIntakeOptions;
  readonly #say: TroubleLog;
  readonly #maxInFlight: number;
  #inFlight = 0;

  constructor(options: CommandIntakeOptions) {
    this.#options = options;
    this.#say = new TroubleLog(options.log);
    this.#maxInFlight = options.maxInFlight ?? MAX_IN_FLIGHT;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  hear(name: string, data: unknown): void {
    if (name === 'update.request') this.#updateRequest(data);
    else if (name === 'command') this.#commandEvent(data);
    else if (!EVENTS_OF_OTHERS.has(name))
      this.#say.warn('unknown event', { event: peerText(String(name)) }, 'an event that is not ours');
  }

  #updateRequest(data: unknown): void {
    const parsed = parseUpdateRequest(data);
    if (parsed.ok) {
      const { ip, payload } = parsed.value;
      const id = Buffer.from(this.#options.context.random.octets(ID_OCTETS)).toString('hex');
      this.#run({ id, unit: ip, command: 'update', line: payload, source: SOURCE });
    } else this.#refuse('update.request', parsed);
  }

  #commandEvent(data: unknown): void {
    const parsed = parseCommandEvent(data);
    if (!parsed.ok) {
      this.#refuse('command', parsed);
      return;
    }
    const { id, unit, command, fields, payload, format, ttlS } = parsed.value;
    this.#run({
      id,
      unit,
      command,
      source: SOURCE,
      ...(fields === undefined ? {} : { fields }),
      ...(payload === undefined ? {} : { payload }),
      ...(format === undefined ? {} : { format }),
      ...(ttlS === undefined ? {} : { ttlMs: Math.ceil(ttlS * 1_000) }),
    });
  }

  #refuse(event: string, refusal: Parsed<unknown> & { ok: false }): void {
    const reason = peerText(refusal.reason);
    this.#say.warn(`malformed ${event}`, { event, reason }, 'an event that is not ours, refused');
    if (refusal.answerTo !== undefined) this.#answerRefused(refusal.answerTo, reason);
  }

  #run(request: CommandRequest): void {
    if (this.#inFlight >= this.#maxInFlight) {
      this.#say.warn('too many', { bound: this.#maxInFlight }, 'too many commands in flight, refused');
      this.#answerRefused(request, `busy: ${this.#maxInFlight} commands are in flight`);
      return;
    }
    this.#inFlight += 1;
    void this.#command(request).finally(() => {
      this.#inFlight -= 1;
    });
  }

  async #command(request: CommandRequest): Promise<void> {
    try {
      const outcome = await this.#options.context.command(request);
      // Told nobody else: it is no outcome of the command.
      if (outcome.outcome === 'duplicate') this.#options.answer(outcomeEvent(outcome));
    } catch (error) {
      // The base stops, and goes on with the command at its next start.
      if (error instanceof InternalError && error.code === 'stopped') return;
      this.#say.error('command', { reason: peerText(String(error)) }, 'a command ended without an outcome');
      const { id, unit, command } = request;
      const at = this.#options.context.clock.now();
      this.#options.answer({ id, unit, command, outcome: 'unknown', reason: 'internal error', at });
    }
  }

  #answerRefused({ id, unit, command }: { id: string; unit: string; command: string }, reason: string): void {
    this.#options.answer({ id, unit, command, outcome: 'refused', reason, at: this.#options.context.clock.now() });
  }
}
