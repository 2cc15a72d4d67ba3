import type { UnitDefinition } from '../../protocol/definition/index.js';
import type { Address } from '../core/address.js';
import type { Clock } from '../core/clock.js';
import type { Delivery, DeliveryResult } from '../core/delivery.js';
import type { Log } from '../core/log.js';
import type { LogLine } from '../core/messages.js';
import type { Random } from '../core/random.js';
import type { HelloInput, HelloVerdict, PresenceChange, ReportInput, ReportVerdict } from '../core/unit-events.js';
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
  /** A unit measured something. Resolves when the base has it for good. */
  report(report: ReportInput): Promise<ReportVerdict>;
  /** A typed unit said hello: which boot is it, and what was the last report we have of it? */
  hello(hello: HelloInput): HelloVerdict;
  presence(uid: string, change: PresenceChange): void;
  logLine(uid: string, line: { readonly level: LogLine['level']; readonly text: string }): void;
  /** Every command for the unit comes here, one at a time; what it resolves to is the command's outcome. */
  onCommand(uid: string, deliver: (delivery: Delivery) => Promise<DeliveryResult>): void;
  /** Octets of a peer were refused: counted for the unit. */
  refused(uid: string): void;
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
