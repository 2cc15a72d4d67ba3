import type { UnitDefinition } from '../../../protocol/definition/index.js';
import { InternalError } from '../../../protocol/errors.js';
import type { Clock } from '../../core/clock.js';
import { type CommandRequest, OPAQUE_COMMAND, OPAQUE_QUERY } from '../../core/command-request.js';
import { peerText } from '../../core/log.js';
import type { Outcome } from '../../core/messages.js';
import type { Random } from '../../core/random.js';
import { parseRequestJson } from '../../core/request-json.js';
import type { UnitView } from '../../core/unit-view.js';
import type { UnitsPort } from '../../core/units-port.js';
import { uuid } from '../../core/uuid.js';
import { MAX_BODY_DEPTH } from '../api-limits.js';
import { type Asking, answered, answerOf, baseStops, type DeviceAnswer, notFound, timedOut } from './device-answer.js';

/** What a line is to a line unit, where only lines are told apart (core/command-request.ts). */
const LINE_COMMAND = 'update';

export interface DeviceRequestsOptions {
  readonly units: UnitsPort;
  /** From the request to its answer. */
  readonly answerTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

export interface DeviceRequest {
  readonly asking: Asking;
  readonly unit: string;
  readonly payload: string;
  /** The address that it comes from. */
  readonly origin: string;
}

/**
 * Commands and queries with a text as payload, for units of every dialect. A unit that is not typed (a device on a
 * WebSocket, an object of IoTSocket, a unit of a user's handler) gets the text as it is, as UTF-8, whatever is in it. A unit
 * with a definition gets the command that the text names, `{"command": "setColor", "fields": {…}}`; a line unit the text as
 * its line. A query of such a unit does not reach it: it is answered with the last values of the report that the text names,
 * or of all reports where it is empty.
 */
export class DeviceRequests {
  readonly #options: DeviceRequestsOptions;
  /** Each ends one request that waits for its device. */
  readonly #held = new Set<() => void>();

  constructor(options: DeviceRequestsOptions) {
    this.#options = options;
  }

  /** Answers all that wait; what was sent to devices goes on. */
  stop(): void {
    for (const end of this.#held) end();
  }

  async ask(request: DeviceRequest): Promise<DeviceAnswer> {
    const { units } = this.#options;
    const { asking, unit, payload } = request;
    const view = units.get(unit);
    if (view === undefined) return notFound;
    const definition = units.definitionOf(unit);
    if (definition === undefined) {
      const command = asking === 'query' ? OPAQUE_QUERY : OPAQUE_COMMAND;
      return this.#send(request, { command, payload, format: 'utf8' });
    }
    if (asking === 'query') return lastValues(definition, view, payload.trim());
    if (definition.wire === 'line') return this.#send(request, { command: LINE_COMMAND, line: payload });
    const named = namedCommand(payload);
    return named === undefined ? answered('', howToCommand(definition)) : this.#send(request, named);
  }

  async #send(
    { asking, unit, origin }: DeviceRequest,
    what: Pick<CommandRequest, 'command' | 'fields' | 'line' | 'payload' | 'format'>,
  ): Promise<DeviceAnswer> {
    const { answerTimeoutMs, random } = this.#options;
    const common = { id: uuid(random), unit, waitMs: answerTimeoutMs, origin, source: 'connector' };
    try {
      const outcome = await this.#hold({ ...common, ...what });
      if (outcome === 'late') return timedOut(asking);
      return outcome === 'stopped' ? baseStops : answerOf(asking, outcome);
    } catch (error) {
      if (error instanceof InternalError && error.code === 'stopped') return baseStops;
      throw error;
    }
  }

  /** A unit may take longer than whoever asked wants to wait; the command has its outcome then all the same. */
  #hold(request: CommandRequest): Promise<Outcome | 'late' | 'stopped'> {
    const { units, clock, answerTimeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const late = clock.after(answerTimeoutMs, () => end('late'));
      const stop = (): void => end('stopped');
      const leave = (): void => {
        late.cancel();
        this.#held.delete(stop);
      };
      const end = (how: Outcome | 'late' | 'stopped'): void => {
        leave();
        resolve(how);
      };
      this.#held.add(stop);
      units.command(request).then(end, (error) => {
        leave();
        reject(error);
      });
    });
  }
}

/** The command in a payload; `undefined`: it names none. */
function namedCommand(payload: string): Pick<CommandRequest, 'command' | 'fields'> | undefined {
  const parsed = parseRequestJson(Buffer.from(payload), MAX_BODY_DEPTH);
  if (!parsed.ok || !isObject(parsed.value)) return undefined;
  const { command, fields = {}, ...others } = parsed.value;
  if (typeof command !== 'string' || !isObject(fields) || Object.keys(others).length > 0) return undefined;
  return { command, fields };
}

function howToCommand({ name, commands }: UnitDefinition): string {
  const names = Object.keys(commands);
  if (names.length === 0) return `${name} only measures; it takes no commands`;
  const example = JSON.stringify({ command: names[0], fields: {} });
  return `${name} has a definition: its payload must be JSON as ${example}; its commands are: ${names.join(', ')}`;
}

function lastValues({ name, reports }: UnitDefinition, { last }: UnitView, report: string): DeviceAnswer {
  if (report === '') {
    const all = Object.entries(last).map(([each, { fields }]) => [each, fields]);
    return answered(JSON.stringify(Object.fromEntries(all)));
  }
  if (!Object.hasOwn(reports, report)) {
    const known = Object.keys(reports).join(', ') || 'none';
    return answered('', `${name} has no report ${JSON.stringify(peerText(report))}; it has: ${known}`);
  }
  const known = Object.hasOwn(last, report) ? last[report] : undefined;
  return known === undefined
    ? answered('', `it has not told ${JSON.stringify(report)} yet`)
    : answered(JSON.stringify(known.fields));
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
