import type { Account, ControlMessage } from '../../../protocol/elfin/message.js';
import type { ProtocolError } from '../../../protocol/errors.js';
import type { Clock } from '../../core/clock.js';
import type { Turn } from '../turn.js';
import type { Device } from './device.js';
import type { Beat } from './devices.js';
import type { ElfinLimits } from './elfin-limits.js';
import type { ElfinSession } from './elfin-session.js';

/** What a session needs of the gateway. */
export interface SessionHost {
  readonly clock: Clock;
  readonly limits: ElfinLimits;
  readonly relayed: Relayed;
  readonly turn: Turn;
  /** Changes whenever a user does: what was right before need not be right now. */
  readonly usersRevision: number;
  /** Whether what it says in the name of that user counts. */
  admits(session: ElfinSession, account: Account): boolean;
  /** Does what the message says; gives its answer. */
  control(session: ElfinSession, message: ControlMessage): Uint8Array | undefined;
  /** Data that counts as a beat. `undefined`: it does not. */
  beat(session: ElfinSession, beat: Beat): Device | undefined;
  /** A sign of life of a device that is on its connection. */
  heard(device: Device): void;
  /** A message came of it, or went to it. */
  counted(device: Device, received: 0 | 1, sent: 0 | 1): void;
  /** It said what makes no sense. */
  malformed(session: ElfinSession, error: ProtocolError): void;
  /** Lets it go on, when whoever runs now is done. */
  wake(session: ElfinSession): void;
  /** Nothing more comes of it. May be called twice. */
  left(session: ElfinSession, reason: string): void;
  gone(session: ElfinSession): void;
}

/** What went through tunnels, and what did not: there was none. */
export interface Relayed {
  messages: number;
  octets: number;
  dropped: number;
}
