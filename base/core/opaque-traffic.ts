import { StoreError } from '../../protocol/errors.js';
import type { Bus } from './bus.js';
import type { Clock } from './clock.js';
import type { Journal } from './journal.js';
import { LateCommits } from './late-commits.js';
import type { Log } from './log.js';
import type { Report, UnitRequest, UnitResponse } from './messages.js';
import { opaqueFields } from './opaque-fields.js';
import { type OpaquePayload, payloadFrom } from './opaque-payload.js';
import { OpaqueReading } from './opaque-reading.js';
import type { Random } from './random.js';
import { SaidOnce } from './said-once.js';
import type { Change, Store } from './store.js';
import type { OpaqueReportInput, ReportVerdict } from './unit-events.js';
import { TELEMETRY, type UnitRecord } from './unit-record.js';

/** Of requests and responses that wait for the disk, as they were received; past it they are told live only. */
export const MAX_TELLING_OCTETS = 4 * 1024 * 1024;
/** What one of them counts beside its payload: commits that wait for the disk are bounded, and all units share them. */
export const TELLING_OCTETS = 256;
/** Above every number that a clock gives: where the disk does not take the number of a run, it is drawn from here. */
const DRAWN_FROM = 2 ** 40;
const DRAWN_OCTETS = 6;

/** One for all: a report that nobody waits for costs no promise. */
const taken: Promise<ReportVerdict> = Promise.resolve('stored');

export interface OpaqueTrafficOptions {
  readonly bus: Bus;
  readonly store: Store;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * What units say that are not typed. The base numbers all of it together: the number of its run, which no other run has,
 * and one count, so that no id comes twice, whichever units come and go.
 */
export class OpaqueTraffic {
  readonly #options: OpaqueTrafficOptions;
  readonly #late: LateCommits;
  readonly #said = new SaidOnce();
  #run: number;
  #number = 0;
  /** Of requests and responses on their way to the disk. */
  #octets = 0;

  constructor(options: OpaqueTrafficOptions) {
    this.#options = options;
    this.#late = new LateCommits(options.store, options.log);
    this.#run = Math.max(1, Math.floor(options.clock.now() / 1_000));
  }

  get run(): number {
    return this.#run;
  }

  /** Readings that were told and not stored, since the base started. */
  get lost(): number {
    return this.#late.lost;
  }

  /** Takes a number that no run before has. Once, before anything is numbered. Never rejects. */
  async begin(lastRun: number): Promise<void> {
    const { store, random } = this.#options;
    this.#run = Math.max(this.#run, lastRun + 1);
    try {
      await store.commit([{ kind: 'run', run: this.#run }]);
    } catch {
      this.#run = DRAWN_FROM + random.octets(DRAWN_OCTETS).reduce((number, octet) => number * 256 + octet, 0);
    }
  }

  wants(kind: 'report' | 'request' | 'response'): boolean {
    return this.#options.journal.wants(kind);
  }

  report(record: UnitRecord, input: OpaqueReportInput): Promise<ReportVerdict> {
    const now = this.#options.clock.now();
    const { payload, measuredAt = now, durable = true, history = true } = input;
    this.#number += 1;
    const identity = { uid: input.uid, run: this.#run, number: this.#number };
    const reading = new OpaqueReading(identity, payload, measuredAt);
    record.seen(now);
    if (durable)
      return this.#recordReport(record, reading, this.#reportOf(identity, payload, measuredAt, now), history);
    record.read(reading);
    if (history || this.wants('report')) this.#publish(this.#reportOf(identity, payload, measuredAt, now), history);
    return taken;
  }

  request(uid: string, payload: OpaquePayload): string {
    this.#number += 1;
    const id = `${uid}/${this.#run}/r/${this.#number}`;
    if (this.wants('request')) {
      const at = this.#options.clock.now();
      this.#tell({ kind: 'request', id, unit: uid, payload: payloadFrom(payload), at }, payload);
    }
    return id;
  }

  response(id: string, uid: string, code: number, payload: OpaquePayload | undefined): void {
    if (!this.wants('response')) return;
    const at = this.#options.clock.now();
    const more = payload === undefined ? {} : { payload: payloadFrom(payload) };
    this.#tell({ kind: 'response', id, unit: uid, code, ...more, at }, payload);
  }

  /** Resolves when nothing waits for the disk that may be lost. */
  settled(): Promise<void> {
    return this.#late.settled();
  }

  #reportOf(
    { uid, run, number }: { readonly uid: string; readonly run: number; readonly number: number },
    opaque: OpaquePayload,
    measuredAt: number,
    receivedAt: number,
  ): Report {
    const payload = payloadFrom(opaque);
    return {
      kind: 'report',
      id: `${uid}/${run}/${number}`,
      unit: uid,
      report: TELEMETRY,
      fields: opaqueFields(payload),
      payload,
      boot: run,
      sequence: number,
      measuredAt,
      receivedAt,
    };
  }

  async #recordReport(
    record: UnitRecord,
    reading: OpaqueReading,
    report: Report,
    history: boolean,
  ): Promise<ReportVerdict> {
    const { journal } = this.#options;
    try {
      if (history) await journal.record(report, [{ kind: 'report', report }], () => record.read(reading));
      else {
        await journal.tell(report, () => ({ changes: [] }));
        record.read(reading);
      }
      return 'stored';
    } catch (error) {
      if (error instanceof StoreError) return 'busy';
      throw error;
    }
  }

  #publish(report: Report, history: boolean): void {
    // A row has no payload, and many may wait.
    const { payload: _, ...row } = report;
    const changes: Change[] = history ? [{ kind: 'report', report: row }] : [];
    try {
      this.#options.journal.publishAhead(report, changes, this.#late);
    } catch (error) {
      this.#failed(error as Error);
    }
  }

  /** Who listens is told also when the disk does not take it. */
  #tell(message: UnitRequest | UnitResponse, payload: OpaquePayload | undefined): void {
    const { bus, journal, log } = this.#options;
    const octets = TELLING_OCTETS + sizeOf(payload);
    if (this.#octets + octets > MAX_TELLING_OCTETS) {
      if (this.#said.isNew('telling', 'full'))
        log.warn({}, 'requests and responses come faster than the disk takes them: some are told live only; said once');
      return bus.publish(message);
    }
    try {
      const told = journal.tell(message, () => ({ changes: [] }));
      if (told === undefined) return;
      this.#octets += octets;
      told
        .catch(() => bus.publish(message))
        .finally(() => {
          this.#octets -= octets;
          if (this.#octets === 0) this.#said.forget('telling');
        });
    } catch (error) {
      this.#failed(error as Error);
      bus.publish(message);
    }
  }

  #failed(error: Error): void {
    if (this.#said.isNew('failed', error.message))
      this.#options.log.error({ error: error.message }, 'a receiver cannot be told; said once');
  }
}

/** About the octets that it travelled as. */
function sizeOf(payload: OpaquePayload | undefined): number {
  if (payload === undefined) return 0;
  if ('data' in payload) return payload.data.length;
  const { value } = payload;
  return typeof value === 'string' || Array.isArray(value) ? value.length : (JSON.stringify(value)?.length ?? 0);
}
