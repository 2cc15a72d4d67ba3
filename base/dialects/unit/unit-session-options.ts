import type { ProtocolError } from '../../../protocol/errors.js';
import type { SessionCrypto } from '../../../protocol/iotsocket/proof.js';
import type { Hello } from '../../../protocol/unit/system-messages.js';
import type { Clock } from '../../core/clock.js';
import type { Connection } from '../../core/connection.js';
import type { HelloInput, HelloVerdict } from '../../core/unit-events.js';
import type { Carrier } from '../../links/carrier.js';
import type { LinkEvents } from '../../links/link-session.js';
import type { UnitProfile } from './greeting.js';
import type { UnitReports } from './reports.js';

/** What a {@link UnitSession} is given: its carrier, and whom it asks and tells. */
export interface UnitSessionOptions {
  readonly carrier: Carrier;
  readonly crypto: SessionCrypto;
  readonly clock: Clock;
  /** The key of a unit, or `undefined` when it is not to be served over this carrier. */
  readonly keyOf: (uid: string) => Uint8Array | undefined;
  /** Called when the unit has proved itself: who is it to us? */
  readonly identified: (uid: string) => UnitProfile;
  readonly events: LinkEvents;
  readonly hello: (hello: HelloInput) => HelloVerdict;
  /** The unit runs another definition than we believe; empty: it does not. */
  readonly drift: (profile: UnitProfile, hello: Hello, differences: readonly string[]) => void;
  /** The link is up: where its messages are counted. */
  readonly connected: (uid: string) => Connection;
  readonly reports: UnitReports;
  /** A transmission or a value of the unit was refused. */
  readonly refused: (uid: string, error: ProtocolError) => void;
}
