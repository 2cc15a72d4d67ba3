import type { Values } from '../../protocol/definition/index.js';
import type { Payload } from '../../protocol/iotsocket/payload.js';
import { returnCodes } from '../../protocol/iotsocket/transmission.js';
import type { OutcomeKind } from './messages.js';
import type { OpaquePayload } from './opaque-payload.js';

/** A command on its way to its unit. */
export interface Delivery {
  /** Never 0, never reused for this unit: by it the unit knows a repetition. */
  readonly wireId: number;
  readonly command: string;
  readonly fields: Values;
  /** A line as the central wrote it, instead of fields. */
  readonly line?: string;
  /** For a unit that is not typed, instead of fields. */
  readonly payload?: Payload;
  /** The address that it came from, where that is known. */
  readonly origin?: string;
  /** How long the unit may take to answer, in ms. */
  readonly timeoutMs: number;
  /** Monotonic moment after which it is not to be delivered any more. */
  readonly deadline: number;
  /** True: keep trying until the deadline. False: one try. */
  readonly isPatient: boolean;
  /** The life of the unit in which it may have been sent before the base was started anew; absent: it was not. */
  readonly sentIn?: string | undefined;
  /** To be awaited before it is sent, so that a base that is started anew knows. Rejects with StoreError: do not send. */
  sending(life: string): Promise<void>;
}

export interface DeliveryResult {
  readonly outcome: Exclude<OutcomeKind, 'duplicate'>;
  readonly reason?: string;
  readonly reply?: Values;
  /** What a unit that is not typed answered. */
  readonly code?: number;
  readonly payload?: OpaquePayload;
}

/** The result of a command that such a unit answered with this return code. */
export function answered(code: number, payload: OpaquePayload | undefined): DeliveryResult {
  const answer = { code, ...(payload === undefined ? {} : { payload }) };
  if (code === returnCodes.valid) return { outcome: 'ok', ...answer };
  const hex = code.toString(16).toUpperCase().padStart(2, '0');
  return { outcome: 'refused', reason: `the unit answered with return code ${hex}`, ...answer };
}
