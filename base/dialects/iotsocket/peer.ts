import { encodeUid } from '../../../protocol/iotsocket/uid.js';
import type { InFlight } from './in-flight.js';
import type { GroupOptions } from './iotsocket-options.js';
import type { KeptMail } from './kept-mail.js';
import type { StreamSession } from './stream-session.js';
import type { TelemetryToken } from './telemetry-tokens.js';

/** A UID's 16 octets as a latin1 string: what peers are found by, since nothing has to be decoded for it. */
export type PeerKey = string;

export const keyOf = (uid: string): PeerKey => Buffer.from(encodeUid(uid)).toString('latin1');

/** The central's sixteen `00`. */
export const CENTRAL_KEY: PeerKey = '\0'.repeat(16);

/**
 * An object of the access list, or the central, and its session: `session` is its connection; without one the session is
 * kept (`keptUntil` > 0) or there is none.
 */
export class Peer {
  readonly uid: string;
  readonly key: PeerKey;
  readonly isCentral: boolean;
  authKey: Uint8Array;
  group: GroupOptions;
  session: StreamSession | undefined;
  /** Tick until which the session is kept without a connection, and since when; 0: it is not. */
  keptUntil = 0;
  keptSince = 0;
  mail: KeptMail | undefined;
  /** Its mail is on its way out: what comes meanwhile goes behind it. */
  isResuming = false;
  /** Which session that is: grows when one ends. */
  sessionNumber = 0;
  /** What was asked of it, and what it asked (objects only). */
  asked: InFlight | undefined;
  asks: InFlight | undefined;
  /** At most two, the newest last. */
  tokens: TelemetryToken[] | undefined;
  /** Tick at which it gets another token; 0: never. */
  renewsAt = 0;
  /** The last number of ours towards it. */
  lastOwnNumber = 0;
  /** Of its requests under way, as they were told to the bus. */
  requestIds: Map<number, string> | undefined;

  constructor(uid: string, authKey: Uint8Array, group: GroupOptions) {
    this.uid = uid;
    this.key = keyOf(uid);
    this.isCentral = uid === '';
    this.authKey = authKey;
    this.group = group;
  }

  /** It has a session, with a connection or kept. */
  get hasSession(): boolean {
    return this.session !== undefined || this.keptUntil > 0;
  }
}
