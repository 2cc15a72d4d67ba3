import type { UnitDefinition } from '../../protocol/definition/index.js';
import type { Address, UnitAddress, Whereabouts } from '../core/address.js';
import type { Unsubscribe } from '../core/bus.js';
import type { Clock } from '../core/clock.js';
import type { CommandRequest } from '../core/command-request.js';
import type { Connection, ConnectionInput } from '../core/connection.js';
import type { Delivery, DeliveryResult } from '../core/delivery.js';
import type { Keeping, KeptInput } from '../core/kept-transmissions.js';
import type { Log } from '../core/log.js';
import type { LogLine, Outcome, Report } from '../core/messages.js';
import type { OpaquePayload } from '../core/opaque-payload.js';
import type { Random } from '../core/random.js';
import type { OwnRecord } from '../core/records.js';
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
import type { TlsFiles } from '../links/certificates.js';
import type { DialOptions } from '../links/tcp-dialer.js';

/**
 * A wire protocol's way into the base (the seeds' *connections handler*; our own are the dialects of this folder). It turns
 * octets into reports and commands into octets. It knows no other handler and no uplink; all it may do is in its context.
 * docs/handlers.md says how to write one.
 */
export interface Handler {
  /** Of its units, its log lines, its metrics: a letter, then at most 31 small letters, digits and `-`. No two have the same. */
  readonly name: string;
  /** What it may have of the base at most, where that is to differ from what every handler may have. */
  readonly limits?: HandlerLimits;
  /**
   * Calls `context.ready` when it serves its units, goes on until `context.signal` aborts, then lets go of every link and
   * resolves. What it throws is logged and ends it alone, as it does when it resolves by itself: its connections are closed
   * and its units are offline from then on. Before `ready`, and when that does not come within 30 s, it keeps the base from
   * starting.
   */
  listen(context: HandlerContext): Promise<void>;
  /**
   * The base is about to stop: called before `context.signal` aborts, while links are still there, so that others can be
   * told. Waited for, but not longer than a quarter of `shutdownTimeoutS`.
   */
  stopping?(): Promise<void> | void;
  /** What it counts by itself, beside `context.count` and as that is shown: asked when somebody looks. */
  counts?(): Readonly<Record<string, number>>;
  /** What it has at this moment, where that may become less: clients, tunnels. Asked when somebody looks; shown as the counts are. */
  gauges?(): Readonly<Record<string, number>>;
}

export interface HandlerLimits {
  /** Units that it may have added at a time. Default 16 384. */
  readonly units?: number;
  /** Octets of transmissions that it may keep. Default 64 MiB. */
  readonly keptOctets?: number;
  /** Records that it may have put. Default 32 768. */
  readonly records?: number;
}

/** Names of handlers that a user may not take: they are ours. */
export const ownHandlers = ['unit', 'line', 'iotsocket', 'connector', 'elfin', 'yamqtt', 'discovery'] as const;
export const handlerName = /^[a-z][a-z0-9-]{0,31}$/;

/** Gives it back, checked by the compiler. */
export const defineHandler = <H extends Handler>(handler: H): H => handler;

/** A unit that a dialect is to serve. */
export interface ServedUnit {
  readonly uid: string;
  readonly definition: UnitDefinition;
  /** Where the configuration says that it is; `undefined`: it dials in. `HandlerContext.addressOf` says where it is now. */
  readonly address: Whereabouts | undefined;
  /** 16 octets; `undefined` on line units. */
  readonly key: Uint8Array | undefined;
  /** Line units: which lines may be readings, beyond what the definition says. */
  readonly isReading?: ((line: string) => boolean) | undefined;
}

/**
 * All that a handler may do. Its functions need no `this`. What a handler's own code throws, or rejects with, where the base
 * calls it (in a sink, a timer, `take`, `deliver`, `hear`) is a fault: contained, counted in its status, and logged once
 * each kind. What is told of a unit of another handler is a fault as well, and goes no further. When the handler has ended
 * all of it does nothing, and `dial`, `accept` and `command` reject with InternalError `stopped`.
 */
export interface HandlerContext {
  /** The units that were configured or adopted for this dialect before. A handler of a user's own has none: it adds its units. */
  readonly units: readonly ServedUnit[];
  /** Time. Calls of `after` are contained. */
  readonly clock: Clock;
  readonly random: Random;
  /** Lines of this handler: fields first, then what happened. Clean what a peer says with `peerText`. Never a secret. */
  readonly log: Log;
  /** Aborts when the base stops, or when the handler has ended. */
  readonly signal: AbortSignal;
  /** To be called once, when ports are taken and units are served. */
  ready(): void;
  /**
   * Opens a TCP connection, or a serial port. Bounded in time (5 s) and in number over the whole base. Rejects with LinkError
   * `connect-failed`, `connect-timeout` or `serial-busy`, or with the reason of `signal` (default: the handler's own).
   */
  dial(address: UnitAddress, signal?: AbortSignal, options?: DialOptions): Promise<Carrier>;
  /** Where a configured unit may be, and in which order to look; empty: it dials in, or was not found yet. */
  placesOf(uid: string): readonly UnitAddress[];
  /** It was met there. Gives where it was met before, if that was somewhere else. */
  met(uid: string, address: UnitAddress): UnitAddress | undefined;
  /** Calls when a configured unit was found, at its address or at another one: it can be dialled at once. */
  onFound(hear: (uid: string) => void): Unsubscribe;
  /**
   * Takes TCP connections, or TLS ones, until `signal` aborts. `take` owns the carrier, which is closed when `take` throws or
   * rejects. Rejects with ConfigurationError `port-in-use` when the port cannot be had, or `config-unreadable` and
   * `config-invalid` when the certificate cannot.
   */
  accept(address: Address, take: (carrier: PendingCarrier) => void, options?: AcceptOptions): Promise<Listening>;
  /** The right to the one link of a unit. Resolves when it is free; call what it gives to let go. */
  claimLink(uid: string, signal: AbortSignal): Promise<() => void>;
  /**
   * A connection leads to that unit now: it is in the lists and figures of connections until its `closed` is called. Call
   * `received` and `sent` of what it gives for each message.
   */
  connected(connection: ConnectionInput): Connection;
  /**
   * A unit measured something. Resolves when the base has it for good; what is not `durable` is taken at once, and may be
   * lost. A payload has at most 64 KiB. Never rejects.
   */
  report(report: ReportInput | OpaqueReportInput): Promise<ReportVerdict>;
  /** A typed unit said hello: which boot is it, and what was the last report we have of it? */
  hello(hello: HelloInput): HelloVerdict;
  /** Whether the unit can be reached now. Centrals are told when that changes. */
  presence(uid: string, change: PresenceChange): void;
  /** The unit is there still: for its `lastSeenAt`. Costs nothing, not even a write to the disk. */
  seen(uid: string): void;
  /** Calls when everything about a unit of this handler is to be erased: what the handler itself holds of it must go too. */
  onForgotten(hear: (uid: string) => void): Unsubscribe;
  /** A line of the unit's own log, for whoever follows it. Cut at 1 024 characters. */
  logLine(uid: string, line: { readonly level: LogLine['level']; readonly text: string }): void;
  /** Every command for a configured unit comes here, one at a time; what it resolves to is the command's outcome. */
  onCommand(uid: string, deliver: (delivery: Delivery) => Promise<DeliveryResult>): void;
  /** Octets of a peer were refused: counted for the unit. */
  refused(uid: string): void;
  /**
   * Counts something of the handler's own, to be seen in its status and in the metrics. At most 64 different names of at
   * most 64 characters; do not make them of what peers say.
   */
  count(event: string, by?: number): void;

  // Units that are not typed, and come and go while the base runs.

  /**
   * Adds a unit that is not typed; what an earlier run knew of it comes back. Its commands, named `request` or `query`
   * with a payload, go to `deliver`: one function for all units, called for one command of a unit at a time, or for as many
   * as `commandsAtOnce` says. What an earlier run may have sent it ends as `unknown`, unless it `remembersCommands`: then it
   * goes to `deliver` with `sentIn`. Of one that is there already only `deliver` changes. False, and nothing was done: a unit of
   * another handler, or a configured one, has that UID; or it is not 1 to 128 characters without control characters; or
   * there are as many units as the handler may have.
   */
  addUnit(unit: AddedUnit, deliver: DeliverTo): boolean;
  /**
   * Takes such a unit away: centrals are told that it is offline, and commands that wait for it end as `unreachable`, both
   * with that reason. One under way is still `deliver`'s to end. What is stored of it stays until it is forgotten.
   */
  removeUnit(uid: string, reason: string): void;
  /** UIDs of units that this handler had added in earlier runs, or removed: heard of last come first. */
  knownUnits(): readonly string[];
  /**
   * A unit that is not typed asks its central something. Told live at once, unless a receiver that gets everything is to
   * be told: then when it is on disk. Gives the id for its response, unique for ever; ask `wants` first, since a payload
   * that nobody hears of need not be decoded. Empty: it was refused.
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
  /**
   * Calls for every report of a typed unit, once it is on disk, in order; `telemetry`: for every one of the others, those that
   * are not durable at once. What `hear` throws is a fault.
   */
  hear(kind: 'report' | 'telemetry', hear: (report: Report) => void): Unsubscribe;
  /**
   * Keeps transmissions for peers that are away, over restarts of the base too, in this order. Their positions are there
   * at once; `stored` resolves when all of them are on disk, or rejects with StoreError: then none is kept. No other handler
   * sees them.
   */
  keep(items: readonly KeptInput[]): Keeping;
  /**
   * They need not be kept any more. Resolves when that is on disk, always behind a `keep` that was asked for before;
   * repeated while the disk refuses. Never rejects; never resolves where the base ends first: the next run has them then.
   */
  unkeep(positions: readonly number[]): Promise<void>;
  /** What an earlier run of this handler kept, in order. Once: the second time there is nothing. */
  kept(): readonly Kept[];
  /** What it notes for its next run. No other handler sees it. */
  readonly records: HandlerRecords;
}

/** Small things that a handler must know after a restart, by keys of its own. */
export interface HandlerRecords {
  /** All of them, as they are on disk or on their way there. */
  all(): readonly OwnRecord[];
  /**
   * In the place of what was there with that key (1 to 200 characters). `value` is JSON of at most 4 KiB; a record about a
   * `unit` is erased with it when somebody forgets it. Resolves when it is on disk. Rejects with StoreError: it is not.
   */
  put(record: OwnRecord): Promise<void>;
  /** Resolves when it is gone from the disk. Rejects with StoreError: it is not. */
  erase(key: string): Promise<void>;
}

/** A unit that is not typed, as a handler adds it. */
export interface AddedUnit {
  readonly uid: string;
  /** Default 1. */
  readonly commandsAtOnce?: number;
  /** Given a command with the `wireId` of one that it has done, it does nothing and answers as before. Default: no. */
  readonly remembersCommands?: boolean;
}

export interface AcceptOptions {
  /** TLS with this certificate and key, PEM, read anew when the files change. Absent: TCP in clear. */
  readonly tls?: TlsFiles | undefined;
  /** What the connections may take, where that is to differ from the defaults. */
  readonly bounds?: Partial<ConnectionBounds>;
}

/** What the connections of one `accept` may take of the base (reference/limits.md). */
export interface ConnectionBounds {
  /** At a time; past it newcomers are closed. Default 16 384. */
  readonly connections: number;
  /** Without `proved`, in all and of one address; past it the oldest is closed. Default 256 and 16. */
  readonly unproved: number;
  readonly unprovedPerAddress: number;
  /** How long one may be without `proved`. Default 20 s. `Infinity`: as long as it likes. */
  readonly proveMs: number;
  /** Octets that a peer does not take; past it it is cut. Default 256 KiB. */
  readonly untakenOctets: number;
  /** A peer that takes nothing for so long is cut as well. Default 30 s. */
  readonly stalledMs: number;
}

export interface Listening {
  /** Where it listens: a port 0 that was asked for has become a free one. */
  readonly address: Address;
  /** Takes no more, and closes what it took. */
  close(): Promise<void>;
}

/**
 * A connection nobody has proved anything over. Until `proved` is called it counts against the bounds of such
 * ({@link ConnectionBounds}).
 */
export interface PendingCarrier {
  readonly carrier: Carrier;
  proved(): void;
}
