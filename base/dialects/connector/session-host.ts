import type { DeviceMessage } from '../../../protocol/connector/message.js';
import type { Clock } from '../../core/clock.js';
import type { ConnectorLimits } from './connector-limits.js';
import type { DeviceSession } from './device-session.js';

/** What all sessions of a connector share. */
export interface SessionHost {
  readonly limits: ConnectorLimits;
  readonly clock: Clock;
  /** Takes a message that is no answer; the octets are copied. Resolves when nothing of it waits any more; never rejects. */
  report(uid: string, message: DeviceMessage, octets: Uint8Array): Promise<void>;
  /** Once for each session. Nothing can be sent over it any more; `reason` is for people. */
  ended(session: DeviceSession, reason: string): void;
  /** Behind that: its socket is no more. */
  gone(session: DeviceSession): void;
  /** What it sent is against the protocol. */
  refused(uid: string): void;
  count(event: string): void;
}
