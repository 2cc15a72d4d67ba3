import { InternalError } from '../../protocol/errors.js';
import type { Payload } from '../../protocol/iotsocket/payload.js';
import { type Clock, delay } from './clock.js';
import { type CommandRequest, OPAQUE_QUERY } from './command-request.js';
import { type Deferred, deferred } from './deferred.js';
import type { Delivery, DeliveryResult } from './delivery.js';
import type { Journal } from './journal.js';
import type { Log } from './log.js';
import type { Command, Outcome } from './messages.js';
import { outcomeOf, remembered } from './outcome.js';
import type { Change, Store, StoredCommand, StoredState } from './store.js';
import type { UnitRecord } from './unit-record.js';

/** How long a command without a time of its own may wait for its turn. */
export const COMMAND_WAIT_MS = 30_000;
/** Commands of all units (reference/limits.md, "Kept session"); the newest is refused past it. */
export const MAX_MAILBOX_OCTETS = 64 * 1024 * 1024;
/** A dialect that has not settled a delivery so long after its last allowed moment never will. */
const GRACE_MS = 30_000;
/** Until an outcome that the disk refused is stored again. */
const STORE_AGAIN_MS = 1_000;
/** How often a clock that is not set yet is looked at, and how long it is waited for. */
const CLOCK_EVERY_MS = 1_000;
export const CLOCK_PATIENCE_MS = 600_000;

export interface MailboxOptions {
  readonly store: Store;
  readonly journal: Journal;
  readonly publish: (command: Command) => void;
  /** Default {@link MAX_MAILBOX_OCTETS}. */
  readonly maxOctets?: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** Commands without an outcome, over all units. Queries are commands named `query`. */
export interface CommandsWaiting {
  readonly commands: number;
  readonly queries: number;
}

/** A request that was checked against its unit's definition. */
export interface CheckedRequest {
  /** Complete: defaults filled in. */
  readonly fields: Command['fields'];
  /** For a unit that is not typed. */
  readonly payload?: Payload | undefined;
  readonly timeoutMs: number;
  readonly waitMs: number;
}

/** It was not accepted: nothing of it is kept, and its sender is to be told why. */
export interface NotAccepted {
  readonly refusal: DeliveryResult;
}

/** A command from its acceptance to its outcome. */
interface Accepted {
  readonly record: UnitRecord;
  readonly stored: StoredCommand;
  readonly octets: number;
  readonly deadline: number;
  /** Resolves when it is on disk, or with false when the disk refused it: its sender has been told then. */
  readonly isAccepted: Promise<boolean>;
  readonly outcome: Deferred<Outcome | NotAccepted>;
  /** It was accepted by an earlier run. */
  readonly isResumed: boolean;
}

/**
 * What units are to do: on disk before it is accepted, delivered in order, until each command has its one outcome, over
 * restarts of the base too (core/store.ts, StoredCommand).
 */
export class Mailbox {
  readonly #options: MailboxOptions;
  readonly #stop = new AbortController();
  readonly #open = new Set<Promise<unknown>>();
  #lastOrdinal = 0;
  #octets = 0;
  #commands = 0;
  #queries = 0;
  /** A clock behind this moment is wrong. */
  #savedAt: number | undefined;

  constructor(options: MailboxOptions) {
    this.#options = options;
  }

  /** What has no outcome yet, over all units. */
  get waiting(): CommandsWaiting {
    return { commands: this.#commands, queries: this.#queries };
  }

  /** Accepts a command. Resolves with its one outcome; rejects with InternalError `stopped` when it is kept for the next start. */
  accept(record: UnitRecord, request: CommandRequest, checked: CheckedRequest): Promise<Outcome | NotAccepted> {
    const { clock, store } = this.#options;
    const now = clock.now();
    const { life } = record;
    const command: Command = {
      kind: 'command',
      id: request.id,
      unit: record.unit.uid,
      command: request.command,
      fields: checked.fields,
      ...(request.line === undefined ? {} : { line: request.line }),
      ...(checked.payload === undefined ? {} : { payload: checked.payload }),
      source: request.source,
      ...(request.origin === undefined ? {} : { origin: request.origin }),
      acceptedAt: now,
      expiresAt: now + checked.waitMs,
    };
    const octets = JSON.stringify(command).length;
    const refusal = this.#refusal(record, octets);
    if (refusal !== undefined) return Promise.resolve({ refusal });

    this.#lastOrdinal += 1;
    // Sent at once, when nothing is before it: said with the command itself, which saves a wait for the disk.
    const isNext = record.state === 'online' && record.waiting === 0;
    const stored: StoredCommand = {
      ordinal: this.#lastOrdinal,
      command,
      wireId: record.nextWireId(),
      timeoutMs: checked.timeoutMs,
      isPatient: request.ttlMs !== undefined,
      ...(isNext && life !== undefined ? { sentIn: life } : {}),
    };
    record.recent.add(command.id, stored.ordinal);
    const dropped = record.recent.takeDropped();
    const { state, saved } = record.save();
    const outcome = deferred<Outcome | NotAccepted>();
    const isAccepted = store
      .commit([
        { kind: 'unit', unit: { unit: record.unit.uid, state } },
        { kind: 'command', command: stored },
        ...dropped.map((ordinal): Change => ({ kind: 'drop', ordinal })),
      ])
      .then(
        () => {
          saved();
          record.counts.commands += 1;
          this.#options.publish(command);
          return true;
        },
        (error: Error) => {
          record.recent.remove(command.id, stored.ordinal);
          outcome.resolve({ refusal: { outcome: 'refused', reason: `the base cannot store it: ${error.message}` } });
          return false;
        },
      );
    const deadline = clock.monotonic() + checked.waitMs;
    return this.#enter({ record, stored, octets, deadline, isAccepted, outcome, isResumed: false });
  }

  /** Goes on with what an earlier run accepted. Once, when units are served, before anything is accepted. */
  resume({ commands, lastOrdinal, savedAt }: StoredState, recordOf: (unit: string) => UnitRecord | undefined): void {
    const { clock } = this.#options;
    this.#lastOrdinal = lastOrdinal;
    this.#savedAt = savedAt;
    const now = Math.max(clock.now(), savedAt ?? 0);
    for (const stored of commands) {
      const { command, outcome, ordinal } = stored;
      const record = recordOf(command.unit);
      if (outcome === undefined) {
        record?.recent.add(command.id, ordinal);
        this.#resume(stored, record, command.expiresAt - now);
      } else record?.recent.ended(command.id, ordinal, outcome, clock.monotonic() - Math.max(0, now - outcome.at));
    }
  }

  /** Ends what waits: as `unreachable`, or for the next start where its sender gave it time. */
  stop(): void {
    this.#stop.abort();
  }

  /** Resolves when every command that is not kept has its outcome, on disk and told. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#open]);
  }

  #refusal(record: UnitRecord, octets: number): DeliveryResult | undefined {
    if (this.#stop.signal.aborted) return stopping;
    if (record.deliver === undefined) return { outcome: 'unreachable', reason: 'nothing serves this unit' };
    if (this.#octets + octets > (this.#options.maxOctets ?? MAX_MAILBOX_OCTETS))
      return { outcome: 'refused', reason: 'too many commands wait for all units together' };
    const reason = record.queueOf(this.#options.clock).fullness(octets);
    return reason === undefined ? undefined : { outcome: 'refused', reason };
  }

  #resume(stored: StoredCommand, record: UnitRecord | undefined, leftMs: number): void {
    const { clock } = this.#options;
    const { command, sentIn } = stored;
    const accepted = {
      record: record!,
      stored,
      octets: JSON.stringify(command).length,
      deadline: clock.monotonic() + leftMs,
      isAccepted: Promise.resolve(true),
      outcome: deferred<Outcome | NotAccepted>(),
      isResumed: true,
    };
    if (record?.deliver === undefined)
      return this.#track(this.#end(accepted, doubtful(sentIn, 'refused', 'the unit is no longer configured')));
    if (sentIn !== undefined && !record.remembersCommands)
      return this.#track(this.#end(accepted, doubtful(sentIn, 'unknown', '')));
    void this.#enter(accepted).catch(() => {});
  }

  #enter(accepted: Accepted): Promise<Outcome | NotAccepted> {
    const { record, octets, deadline } = accepted;
    const isQuery = accepted.stored.command.command === OPAQUE_QUERY;
    const count = (by: 1 | -1): void => {
      this.#octets += by * octets;
      if (isQuery) this.#queries += by;
      else this.#commands += by;
    };
    count(1);
    const left = (): void => count(-1);
    accepted.outcome.promise.then(left, left);
    this.#track(accepted.outcome.promise);
    record.queueOf(this.#options.clock).push({
      octets,
      deadline,
      deliver: () => this.#deliver(accepted),
      expire: () => void this.#expire(accepted),
      stop: () => void this.#stopped(accepted),
      abandon: (reason) => void this.#abandoned(accepted, reason),
    });
    return accepted.outcome.promise;
  }

  async #expire(accepted: Accepted): Promise<void> {
    if (!(await accepted.isAccepted)) return;
    const sentIn = accepted.isResumed ? accepted.stored.sentIn : undefined;
    await this.#end(accepted, doubtful(sentIn, 'expired', 'it waited behind other commands until its time was over'));
  }

  async #stopped(accepted: Accepted): Promise<void> {
    if (!(await accepted.isAccepted)) return;
    if (this.#isKept(accepted)) this.#keep(accepted);
    else await this.#end(accepted, stopping);
  }

  async #abandoned(accepted: Accepted, reason: string): Promise<void> {
    if (!(await accepted.isAccepted)) return;
    const sentIn = accepted.isResumed ? accepted.stored.sentIn : undefined;
    await this.#end(accepted, doubtful(sentIn, 'unreachable', reason));
  }

  async #deliver(accepted: Accepted): Promise<void> {
    if (!(await accepted.isAccepted)) return;
    const timely = accepted.isResumed ? await this.#onceClockIsRight(accepted) : accepted;
    if (timely === undefined) return;
    const result = await this.#contained(timely);
    const isCutShort = this.#stop.signal.aborted && !answers.has(result.outcome);
    if (isCutShort && this.#isKept(timely)) this.#keep(timely);
    else await this.#end(timely, result);
  }

  /**
   * After a restart, with a clock that is behind what it was, nobody knows yet whether the command's time is over. Gives it
   * with the deadline that it really has; `undefined`: it has ended, or is kept.
   */
  async #onceClockIsRight(accepted: Accepted): Promise<Accepted | undefined> {
    const { clock } = this.#options;
    const { stored, deadline } = accepted;
    const { signal } = this.#stop;
    const savedAt = this.#savedAt ?? 0;
    const until = Math.min(deadline, clock.monotonic() + CLOCK_PATIENCE_MS);
    while (clock.now() < savedAt && clock.monotonic() < until && !signal.aborted)
      await delay(clock, CLOCK_EVERY_MS, signal).catch(() => {});
    if (signal.aborted) {
      if (this.#isKept(accepted)) this.#keep(accepted);
      else await this.#end(accepted, doubtful(stored.sentIn, 'unreachable', BASE_STOPS));
      return undefined;
    }
    const leftMs = stored.command.expiresAt - clock.now();
    if (clock.now() >= savedAt && leftMs > 0)
      return { ...accepted, deadline: Math.min(deadline, clock.monotonic() + leftMs) };
    await this.#end(accepted, doubtful(stored.sentIn, 'expired', 'its time was over before the base could send it'));
    return undefined;
  }

  /** Whatever a dialect throws or never resolves ends here. */
  #contained({ record, stored, deadline, isResumed }: Accepted): Promise<DeliveryResult> {
    const { clock, store } = this.#options;
    const { ordinal, wireId, command, timeoutMs, isPatient, sentIn } = stored;
    const delivery: Delivery = {
      wireId,
      command: command.command,
      fields: command.fields,
      ...(command.line === undefined ? {} : { line: command.line }),
      ...(command.payload === undefined ? {} : { payload: command.payload }),
      ...(command.origin === undefined ? {} : { origin: command.origin }),
      timeoutMs,
      deadline,
      isPatient,
      ...(isResumed && sentIn !== undefined ? { sentIn } : {}),
      sending: async (life) => {
        if (marked === life) return;
        await store.commit([{ kind: 'sent', ordinal, life }]);
        marked = life;
      },
    };
    let marked = sentIn;
    return new Promise((resolve) => {
      const never = clock.after(deadline - clock.monotonic() + timeoutMs + GRACE_MS, () =>
        resolve({ outcome: 'unknown', reason: 'the dialect did not say how it ended' }),
      );
      const settle = async (result: DeliveryResult): Promise<void> => {
        never.cancel();
        // What goes on at the next start is not to be doubted there: the stop came between the mark and the sending.
        const isToBeKept = isPatient && this.#stop.signal.aborted && result.outcome === 'unreachable';
        const isMarkedInVain = isToBeKept && marked !== undefined && delivery.sentIn === undefined;
        if (isMarkedInVain) await store.commit([{ kind: 'sent', ordinal, life: undefined }]).catch(() => {});
        resolve(result);
      };
      Promise.resolve()
        .then(() => record.deliver?.(command.unit, delivery) ?? gone)
        .then(settle, (error: Error) => settle({ outcome: 'unknown', reason: `the dialect failed: ${error.message}` }));
    });
  }

  /** Stores the outcome until the disk takes it, then tells it. */
  async #end({ record, stored, outcome: told }: Accepted, result: DeliveryResult): Promise<void> {
    const { clock, journal, log } = this.#options;
    const { command, ordinal } = stored;
    const outcome = outcomeOf(command, result, clock.now());
    const kept = remembered(outcome);
    const ended = (): void => record?.recent.ended(command.id, ordinal, kept, clock.monotonic());
    for (;;) {
      try {
        await journal.record(outcome, [{ kind: 'outcome', ordinal, outcome: kept }], ended);
        break;
      } catch {
        if (this.#stop.signal.aborted) return told.reject(stoppedError());
        await delay(clock, STORE_AGAIN_MS, this.#stop.signal).catch(() => {});
      }
    }
    const { id, unit, source, reason } = outcome;
    const fields = { id, unit, command: outcome.command, source, outcome: outcome.outcome, ...(reason && { reason }) };
    log.info(fields, 'command ended');
    told.resolve(outcome);
  }

  /** Its sender gave it time, so the next start goes on with it. */
  #isKept({ stored, deadline }: Accepted): boolean {
    return stored.isPatient && deadline > this.#options.clock.monotonic();
  }

  #keep({ outcome }: Accepted): void {
    outcome.reject(stoppedError());
  }

  #track(promise: Promise<unknown>): void {
    this.#open.add(promise);
    const over = (): void => void this.#open.delete(promise);
    promise.then(over, over);
  }
}

/** Outcomes that the unit itself gave. */
const answers: ReadonlySet<string> = new Set(['ok', 'refused', 'timeout']);

/** It was taken away between the command's acceptance and its turn. */
const gone: DeliveryResult = { outcome: 'unreachable', reason: 'the unit is no longer there' };

/** Reason of the outcome of what waits when the base stops. */
export const BASE_STOPS = 'the base is stopping';
const stopping: DeliveryResult = { outcome: 'unreachable', reason: BASE_STOPS };

const stoppedError = (): InternalError =>
  new InternalError('stopped', 'the base is stopping; the command is kept, and goes on when the base runs again');

/** What to say of a command of an earlier run that is not sent any more. */
function doubtful(sentIn: string | undefined, outcome: DeliveryResult['outcome'], reason: string): DeliveryResult {
  if (sentIn === undefined) return { outcome, reason };
  return { outcome: 'unknown', reason: 'the base was started anew before the unit answered' };
}
