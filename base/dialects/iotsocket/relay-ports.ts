import type { PayloadBlock } from '../../../protocol/iotsocket/transmission.js';
import type { OwnAnswer } from './own-request.js';

/** Where the central is reached when it has no session. */
export interface RelayWebhooks {
  readonly hasRequest: boolean;
  readonly hasTelemetry: boolean;
  /** Never rejects. */
  request(uid: string, block: PayloadBlock): Promise<OwnAnswer>;
  telemetry(uid: string, block: PayloadBlock): void;
}

/** Units that are no objects of ours, and that a central can talk to all the same. */
export interface RelayUnits {
  has(uid: string): boolean;
  /** Past the time it does nothing more, and the answer is `A1`. Never rejects. */
  ask(uid: string, block: PayloadBlock, timeoutMs: number): Promise<OwnAnswer>;
}

/** Who hears of what is relayed. */
export interface RelayEvents {
  /** An object asks: a payload block from `at` to `end`. Gives a name for the request, where anybody hears of it. */
  requested(uid: string, octets: Buffer, at: number, end: number): string | undefined;
  responded(id: string, uid: string, code: number, block: PayloadBlock): void;
  telemetry(uid: string, block: PayloadBlock): void;
  /** Something was not relayed; counted by what it was. */
  dropped(what: DropReason): void;
}

/** What cannot be relayed, and has no answer that could say so. */
export type DropReason =
  | 'response nobody asked for'
  | 'response after its time'
  | 'response without a UID'
  | 'response for a session that is over'
  | 'response that nobody could keep'
  | 'telemetry longer than the central takes'
  | 'telemetry for a central that takes too little'
  | 'telemetry for a central that is away'
  | 'telemetry without a central';
