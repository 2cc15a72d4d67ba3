import type { Values } from '../../protocol/definition/index.js';
import type { OutcomeKind } from './messages.js';

/** A command on its way to its unit. */
export interface Delivery {
  /** Never 0, never reused for this unit: by it the unit knows a repetition. */
  readonly wireId: number;
  readonly command: string;
  readonly fields: Values;
  /** A line as the central wrote it, instead of fields. */
  readonly line?: string;
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
}
