import type { PayloadBlock } from '../../../protocol/iotsocket/transmission.js';
import { firstOctets } from '../../../protocol/iotsocket/transmission-length.js';
import type { IotsocketLimits } from './iotsocket-limits.js';
import { keyOf, type Peer, type PeerKey } from './peer.js';
import type { RelayEvents, RelayWebhooks } from './relay-ports.js';
import { blockCopyAt, encodeToBuffer, UID_OCTETS } from './relayed-octets.js';

export interface TelemetryOutletOptions {
  readonly central: Peer | undefined;
  readonly webhooks: RelayWebhooks | undefined;
  readonly events: Pick<RelayEvents, 'dropped'>;
  readonly limits: Pick<IotsocketLimits, 'unsentOctets'>;
}

/** Of what may be written to a central and not taken: requests and answers, which must not be lost, have the rest. */
const TELEMETRY_SHARE = 0.5;

/** How telemetry reaches the central: over its connection, else over its webhook. It is never kept. */
export class TelemetryOutlet {
  readonly #options: TelemetryOutletOptions;

  constructor(options: TelemetryOutletOptions) {
    this.#options = options;
  }

  /** A report of a unit that is no object. */
  unit(uid: string, block: PayloadBlock): void {
    const octets = encodeToBuffer({ kind: 'identifiedTelemetry', uid, payload: block });
    this.send(uid, keyOf(uid), octets, 1 + UID_OCTETS, octets.length);
  }

  /** A payload block from `at` on. */
  send(uid: string, key: PeerKey, octets: Buffer, at: number, end: number): void {
    const { central, webhooks, events, limits } = this.#options;
    const to = central?.session;
    const whole = 1 + UID_OCTETS + end - at;
    if (to !== undefined) {
      if (!to.fits(whole)) return events.dropped('telemetry longer than the central takes');
      if (to.stalledSince !== 0 && to.unsent + whole > limits.unsentOctets * TELEMETRY_SHARE)
        return events.dropped('telemetry for a central that takes too little');
      const out = to.reserve(whole);
      const { buffer } = to;
      buffer[out] = firstOctets.identifiedTelemetry;
      buffer.write(key, out + 1, UID_OCTETS, 'latin1');
      octets.copy(buffer, out + 1 + UID_OCTETS, at, end);
    } else if (central?.hasSession) events.dropped('telemetry for a central that is away');
    else if (webhooks?.hasTelemetry) webhooks.telemetry(uid, blockCopyAt(octets, at, end));
    else if (central !== undefined) events.dropped('telemetry without a central');
  }
}
