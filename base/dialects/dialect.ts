import type { UnitDefinition } from '../../protocol/definition/index.js';
import type { Address } from '../core/address.js';
import type { Unsubscribe } from '../core/bus.js';
import type { Clock } from '../core/clock.js';
import type { CommandRequest } from '../core/command-request.js';
import type { Delivery, DeliveryResult } from '../core/delivery.js';
import type { Keeping, KeptInput } from '../core/kept-transmissions.js';
import type { Log } from '../core/log.js';
import type { LogLine, Outcome, Report } from '../core/messages.js';
import type { OpaquePayload } from '../core/opaque-payload.js';
import type { Random } from '../core/random.js';
import type { Kept } from '../core/store.js';
import type {
  DeliverTo,
  HelloInput,
  HelloVerdict,
  OpaqueReportInput,
  PresenceChange,
  ReportInput,
  ReportVerdict,
} from '../core/unit-events.js';
import type { Carrier } from '../links/carrier.js';
import type { DialOptions } from '../links/tcp-dialer.js';

/**
 * A dialect: a wire protocol's way into the base (the seeds' *connections handler*). It turns octets into reports and
 * commands into octets. It knows no other dialect and no uplink; all it may do is in its context.
 */
export interface Dialect {
  readonly name: string;
  /**
   * Calls `context.ready` when it serves its units, goes on until `context.signal` aborts, then lets go of every link and
   * resolves. What it throws is logged and ends it alone; before `ready` it keeps the base from starting.
   */
  listen(context: DialectContext): Promise<void>;
}

/** A unit that a dialect is to serve. */
export interface ServedUnit {
  readonly uid: string;
  readonly definition: UnitDefinition;
  /** Where to dial it; `undefined`: it dials in. */
  readonly address: Address | undefined;
  /** 16 octets; `undefined` on line units. */
  readonly key: Uint8Array | undefined;
  /** Line units: which lines may be readings, beyond what the definition says. */
  readonly isReading?: ((line: string) => boolean) | undefined;
}

export interface DialectContext {
  /** The units configured for this dialect. */
  readonly units: readonly ServedUnit[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Aborts when the base stops. */
  readonly signal: AbortSignal;
  /** To be called once, when ports are taken and units are served. */
  ready(): void;
  /** Opens a TCP connection. Bounded in time and in number over the whole base; rejects with LinkError. */
  dial(address: Address, signal: AbortSignal, options?: DialOptions): Promise<Carrier>;
  /** Takes TCP connections until `signal` aborts. `take` owns the carrier. Rejects when the port cannot be had. */
  accept(address: Address, take: (carrier: PendingCarrier) => void): Promise<Listening>;
  /** The right to the one link of a unit. Resolves when it is free; call what it gives to let go. */
  claimLink(uid: string, signal: AbortSignal): Promise<() => void>;
  /**
   * A unit measured something. Resolves when the base has it for good; what is not `durable` is taken at once, and may be
   * lost. `duplicate` also when there is no such unit.
   */
  report(report: ReportInput | OpaqueReportInput): Promise<ReportVerdict>;
  /** A typed unit said hello: which boot is it, and what was the last report we have of it? */
  hello(hello: HelloInput): HelloVerdict;
  presence(uid: string, change: PresenceChange): void;
  logLine(uid: string, line: { readonly level: LogLine['level']; readonly text: string }): void;
  /** Every command for the unit comes here, one at a time; what it resolves to is the command's outcome. */
  onCommand(uid: string, deliver: (delivery: Delivery) => Promise<DeliveryResult>): void;
  /** Octets of a peer were refused: counted for the unit. */
  refused(uid: string): void;

  // Units that are not typed, and come and go while the base runs.

  /**
   * Adds a unit that is not typed; what an earlier run knew of it comes back. Its commands, all of them named `request`
   * with a payload, go to `deliver`: one function for all units. Of one that is there already only `deliver` changes.
   * False: a configured unit has that UID, and nothing was done.
   */
  addUnit(unit: { readonly uid: string }, deliver: DeliverTo): boolean;
  /**
   * Takes such a unit away: centrals are told that it is offline, and commands that wait for it end as `unreachable`, both
   * with that reason. One under way is still `deliver`'s to end. What is stored of it stays until it is forgotten.
   */
  removeUnit(uid: string, reason: string): void;
  /**
   * A unit that is not typed asks its central something. Told live at once, unless a receiver that gets everything is to
   * be told: then when it is on disk. Gives the id for its response, unique for ever; ask `wants` first, since a payload
   * that nobody hears of need not be decoded.
   */
  request(uid: string, payload: OpaquePayload): string;
  /** The answer to it, of the central or of the base: `code` is a return code of wire/iotsocket.md. */
  response(id: string, uid: string, code: number, payload: OpaquePayload | undefined): void;
  /** Whether anybody would hear of such a message of a unit that is not typed. Cheap; changes while the base runs. */
  wants(kind: 'report' | 'request' | 'response'): boolean;

  // For a dialect that serves a central.

  /** Tells any unit to do something. InternalError `stopped`: the base stops, and goes on with it at its next start. */
  command(request: CommandRequest): Promise<Outcome>;
  /** The definition of a configured unit; `undefined`: there is none, or it is not typed. */
  typedUnit(uid: string): UnitDefinition | undefined;
  /** Calls for every report of a typed unit, once it is on disk, in order. What `hear` throws is logged and harms nobody. */
  hear(kind: 'report', hear: (report: Report) => void): Unsubscribe;
  /**
   * Keeps transmissions for peers that are away, over restarts of the base too, in this order. Their positions are there
   * at once; `stored` resolves when all of them are on disk, or rejects with StoreError: then none is kept.
   */
  keep(items: readonly KeptInput[]): Keeping;
  /**
   * They need not be kept any more. Resolves when that is on disk, always behind a `keep` that was asked for before;
   * repeated while the disk refuses. Never rejects; never resolves where the base ends first: the next run has them then.
   */
  unkeep(positions: readonly number[]): Promise<void>;
  /** What an earlier run kept, in order. Once: the second time there is nothing. */
  kept(): readonly Kept[];
}

export interface Listening {
  readonly address: Address;
  close(): Promise<void>;
}

/** A connection nobody has proved anything over. It counts against the bounds of such until `proved` is called. */
export interface PendingCarrier {
  readonly carrier: Carrier;
  proved(): void;
}
