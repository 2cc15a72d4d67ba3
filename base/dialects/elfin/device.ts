import type { Connection } from '../../core/connection.js';
import type { ElfinSession } from './elfin-session.js';

/** What is stored of a device. */
export interface DeviceRecord {
  readonly user: string;
  readonly mac: string;
  readonly host: string;
  /** Unix ms. */
  readonly at: number;
}

/** An adapter of a user, away ones too. */
export class Device {
  /** UID of its unit. */
  readonly uid: string;
  readonly #onlineMs: number;
  user: string;
  /** As it says it. */
  mac: string;
  host: string;
  /** Unix ms; a second late at most. */
  lastSeenAt: number;
  /** The same, monotonic, and exact: whether it is online must not change when the clock is set. */
  heardAt: number;
  /** Where it is now. */
  session: ElfinSession | undefined;
  /** The same, for the lists of connections. */
  connection: Connection | undefined;
  /** Messages of it, and for it, that were not counted there yet. */
  received = 0;
  sent = 0;
  /** When the base was told last that it lives, monotonic. */
  seenAt = Number.NEGATIVE_INFINITY;
  /** What centrals were told last. */
  isToldOnline = false;
  /** When its life was written last, monotonic; and whether it lived since. */
  writtenAt = Number.NEGATIVE_INFINITY;
  isUnwritten = false;
  /** It is not known any more; a tunnel may still have it as an end. */
  isRemoved = false;

  /** `heardAt`: -Infinity, where it was not heard of in the last minutes. */
  constructor(uid: string, record: DeviceRecord, heardAt: number, onlineMs: number) {
    this.uid = uid;
    this.user = record.user;
    this.mac = record.mac;
    this.host = record.host;
    this.lastSeenAt = record.at;
    this.heardAt = heardAt;
    this.#onlineMs = onlineMs;
  }

  /** Whether it was heard of not long ago, at this monotonic moment. */
  isOnline(nowMs: number): boolean {
    return nowMs - this.heardAt < this.#onlineMs;
  }

  /** Counts its messages where connections are listed. */
  tellTraffic(): void {
    const { connection, received, sent } = this;
    this.received = 0;
    this.sent = 0;
    if (received > 0) connection?.received(received);
    if (sent > 0) connection?.sent(sent);
  }

  get record(): DeviceRecord {
    return { user: this.user, mac: this.mac, host: this.host, at: this.lastSeenAt };
  }
}
