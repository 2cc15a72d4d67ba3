import { decodeFields, encodeFields, type UnitDefinition } from '../../protocol/definition/index.js';
import type { Bus } from './bus.js';
import type { Clock } from './clock.js';
import { CommandQueue } from './command-queue.js';
import type { CommandRequest } from './command-request.js';
import type { Delivery, DeliveryResult } from './delivery.js';
import { type Log, peerText } from './log.js';
import type { Command, LogLine, Outcome, Report } from './messages.js';
import type { Random } from './random.js';
import { Registry } from './registry.js';
import { SaidOnce } from './said-once.js';
import { TokenBucket } from './token-bucket.js';
import type { HelloInput, HelloVerdict, PresenceChange, ReportInput, ReportVerdict } from './unit-events.js';
import type { RegisteredUnit, UnitRecord } from './unit-record.js';
import type { UnitView } from './unit-view.js';
import type { UnitsPort } from './units-port.js';

/** How long the unit may take to answer, where the definition does not say (reference/limits.md, "Request"). */
export const COMMAND_TIMEOUT_MS = 5_000;
/** How long a command without a time of its own may wait for its turn. */
export const COMMAND_WAIT_MS = 30_000;
/** The longest time a command may wait for its unit (reference/limits.md, "Kept session"). */
export const MAX_TTL_MS = 24 * 3_600_000;
const MAX_ID_CHARACTERS = 64;
/** Requests that are refused at once and get a line in the log: what is in them is their sender's to choose. */
const REFUSALS_LOGGED = { perSecond: 1, burst: 20 } as const;

export interface RouterOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * The only place that knows who gets what: reports from dialects go to the registry and the bus, commands from centrals to
 * the one queue of their unit, and each command's one outcome back to its sender and to the bus.
 */
export class Router implements UnitsPort {
  readonly #options: RouterOptions;
  readonly #registry = new Registry();
  readonly #startedS: number;
  readonly #said = new SaidOnce();
  readonly #refusalsLogged: TokenBucket;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#refusalsLogged = new TokenBucket(REFUSALS_LOGGED, options.clock.monotonic());
    this.#startedS = Math.floor(options.clock.now() / 1_000);
  }

  add(unit: RegisteredUnit): void {
    const random = this.#options.random.octets(4);
    const wireId = new DataView(random.buffer, random.byteOffset).getUint32(0);
    this.#registry.add(unit, { boot: this.#startedS, wireId });
  }

  /** Commands that wait end as `unreachable`; those under way end with their links. */
  stop(): void {
    for (const record of this.#registry.all()) record.queue?.stop();
  }

  // What centrals ask: UnitsPort.

  list(): readonly UnitView[] {
    return [...this.#registry.all()].map((record) => record.view());
  }

  get(unit: string): UnitView | undefined {
    return this.#registry.get(unit)?.view();
  }

  definitionOf(unit: string): UnitDefinition | undefined {
    return this.#registry.get(unit)?.unit.definition;
  }

  /** Whether a request's `unit` names one, by UID or, for a raw line, by address. */
  knows(request: CommandRequest): boolean {
    return this.#find(request) !== undefined;
  }

  async command(request: CommandRequest): Promise<Outcome> {
    const record = this.#find(request);
    const checked = record === undefined ? unknownUnit(request) : checkRequest(record.unit.definition, request);
    if (record === undefined || 'outcome' in checked) return this.#refused(request, record, checked as DeliveryResult);

    const seen = record.recent.seen(request.id, this.#options.clock.monotonic());
    if (seen !== undefined) {
      return this.#outcome(request, record, {
        outcome: 'duplicate',
        reason: `a command with this id was sent before; it is ${seen}`,
      });
    }
    const result = await this.#enqueue(record, request, checked);
    record.recent.ended(request.id, result.outcome);
    return this.#ended(request, record, result);
  }

  // What dialects tell: the other half of their context.

  async report(input: ReportInput): Promise<ReportVerdict> {
    const record = this.#registry.get(input.uid);
    if (record === undefined) return 'duplicate';
    const now = this.#options.clock.now();
    record.seen(now);
    let missing = 0;
    if (input.identity !== undefined) {
      const admission = record.sequence.admit(input.identity.boot, input.identity.sequence);
      if (admission.kind === 'duplicate') return 'duplicate';
      missing = admission.missing;
    }
    const { boot, sequence } = input.identity ?? record.nextOwnIdentity();
    const report: Report = {
      kind: 'report',
      id: `${input.uid}/${boot}/${sequence}`,
      unit: input.uid,
      definition: record.unit.definition.name,
      report: input.report,
      fields: input.fields,
      boot,
      sequence,
      measuredAt: input.measuredAt,
      receivedAt: now,
      ...(missing > 0 ? { missing } : {}),
    };
    if (missing > 0) this.#options.log.warn({ unit: input.uid, missing }, 'reports never arrived');
    record.keep(report);
    if (input.identity !== undefined) record.sequence.stored(sequence);
    this.#options.bus.publish(report);
    return 'stored';
  }

  hello(input: HelloInput): HelloVerdict {
    const record = this.#registry.get(input.uid)!;
    record.version = peerText(input.version);
    const verdict = record.sequence.hello(input.boot, input.nonce);
    return verdict.kind === 'welcome' ? { ...verdict, waiting: Math.min(255, record.queue?.length ?? 0) } : verdict;
  }

  presence(uid: string, change: PresenceChange): void {
    const presence = this.#registry.get(uid)?.change(change, this.#options.clock.now());
    if (presence !== undefined) this.#options.bus.publish(presence);
  }

  logLine(uid: string, line: Pick<LogLine, 'level' | 'text'>): void {
    this.#options.bus.publish({ kind: 'log', unit: uid, ...line, at: this.#options.clock.now() });
  }

  refused(uid: string): void {
    const record = this.#registry.get(uid);
    if (record !== undefined) record.counts.refused += 1;
  }

  onCommand(uid: string, deliver: (delivery: Delivery) => Promise<DeliveryResult>): void {
    const record = this.#registry.get(uid);
    if (record !== undefined) record.queue = new CommandQueue(this.#options.clock, deliver);
  }

  #find(request: CommandRequest): UnitRecord | undefined {
    const byUid = this.#registry.get(request.unit);
    return byUid ?? (request.line === undefined ? undefined : this.#registry.byAddress(request.unit));
  }

  #enqueue(record: UnitRecord, request: CommandRequest, checked: CheckedRequest): Promise<DeliveryResult> {
    const { clock, bus } = this.#options;
    const waitMs = Math.min(request.ttlMs ?? COMMAND_WAIT_MS, MAX_TTL_MS);
    const command: Command = {
      kind: 'command',
      id: request.id,
      unit: record.unit.uid,
      command: request.command,
      fields: checked.fields,
      ...(request.line === undefined ? {} : { line: request.line }),
      source: request.source,
      acceptedAt: clock.now(),
      expiresAt: clock.now() + waitMs,
    };
    record.counts.commands += 1;
    bus.publish(command);
    if (record.queue === undefined)
      return Promise.resolve({ outcome: 'unreachable', reason: 'nothing serves this unit' });
    return record.queue.push({
      wireId: record.nextWireId(),
      command: request.command,
      fields: checked.fields,
      ...(request.line === undefined ? {} : { line: request.line }),
      timeoutMs: checked.timeoutMs,
      deadline: clock.monotonic() + waitMs,
      isPatient: request.ttlMs !== undefined,
    });
  }

  #outcome(
    request: CommandRequest,
    record: UnitRecord | undefined,
    result: Omit<DeliveryResult, 'outcome'> & Pick<Outcome, 'outcome'>,
  ): Outcome {
    return {
      kind: 'outcome',
      id: request.id,
      unit: record?.unit.uid ?? peerText(request.unit),
      command: peerText(request.command),
      outcome: result.outcome,
      ...(result.reason === undefined ? {} : { reason: result.reason }),
      ...(result.reply === undefined ? {} : { reply: result.reply }),
      source: request.source,
      at: this.#options.clock.now(),
    };
  }

  #ended(request: CommandRequest, record: UnitRecord, result: DeliveryResult): Outcome {
    const outcome = this.#outcome(request, record, result);
    const { id, unit, command, source, reason } = outcome;
    this.#options.log.info(
      { id, unit, command, source, outcome: outcome.outcome, ...(reason && { reason }) },
      'command ended',
    );
    this.#options.bus.publish(outcome);
    return outcome;
  }

  /** Never accepted: its sender is told every time, the log once, and seldom where the text changes. */
  #refused(request: CommandRequest, record: UnitRecord | undefined, result: DeliveryResult): Outcome {
    const outcome = this.#outcome(request, record, result);
    const { id, unit, command, source, reason } = outcome;
    const isNews = this.#said.isNew(`${source}/${unit}`, reason ?? '');
    if (isNews && this.#refusalsLogged.take(this.#options.clock.monotonic()))
      this.#options.log.warn({ id, unit, command, source, reason }, 'command refused; said once');
    this.#options.bus.publish(outcome);
    return outcome;
  }
}

interface CheckedRequest {
  /** Complete: defaults filled in. */
  readonly fields: Command['fields'];
  readonly timeoutMs: number;
}

const refused = (reason: string): DeliveryResult => ({ outcome: 'refused', reason });

const unknownUnit = (request: CommandRequest): DeliveryResult =>
  refused(`no unit ${JSON.stringify(peerText(request.unit))} is configured here`);

/** Everything of a request that can be checked before its unit is asked. */
function checkRequest(definition: UnitDefinition, request: CommandRequest): CheckedRequest | DeliveryResult {
  if (request.id === '' || request.id.length > MAX_ID_CHARACTERS)
    return refused(`the id must have 1 to ${MAX_ID_CHARACTERS} characters`);
  if (request.ttlMs !== undefined && !(request.ttlMs > 0 && request.ttlMs <= MAX_TTL_MS)) {
    return refused(`the time to live must be more than 0 and at most ${MAX_TTL_MS / 1_000} s`);
  }
  if (request.line !== undefined) return { fields: {}, timeoutMs: COMMAND_TIMEOUT_MS };
  const name = request.command;
  const command = Object.hasOwn(definition.commands, name) ? definition.commands[name] : undefined;
  if (command === undefined) {
    const known = Object.keys(definition.commands).join(', ') || 'none';
    return refused(`${definition.name} has no command ${JSON.stringify(peerText(name))}; it has: ${known}`);
  }
  const encoded = encodeFields(command.fields ?? {}, request.fields ?? {});
  if (!encoded.ok) return refused(`${peerText(encoded.refusal.field)} ${encoded.refusal.message}`);
  const decoded = decodeFields(command.fields ?? {}, encoded.octets);
  return { fields: decoded.ok ? decoded.values : {}, timeoutMs: command.timeoutMs ?? COMMAND_TIMEOUT_MS };
}
