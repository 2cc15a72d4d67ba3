import type { Values } from '../../protocol/definition/index.js';
import { opaqueFields } from './opaque-fields.js';
import { type OpaquePayload, payloadFrom } from './opaque-payload.js';

/** What a unit that is not typed said last: read when somebody asks, since most is never asked for. */
export class OpaqueReading {
  readonly measuredAt: number;
  readonly #uid: string;
  readonly #run: number;
  readonly #number: number;
  #payload: OpaquePayload | undefined;
  #fields: Values | undefined;

  constructor(identity: { uid: string; run: number; number: number }, payload: OpaquePayload, measuredAt: number) {
    this.#uid = identity.uid;
    this.#run = identity.run;
    this.#number = identity.number;
    this.#payload = payload;
    this.measuredAt = measuredAt;
  }

  get id(): string {
    return `${this.#uid}/${this.#run}/${this.#number}`;
  }

  get fields(): Values {
    if (this.#payload !== undefined) {
      this.#fields = opaqueFields(payloadFrom(this.#payload));
      this.#payload = undefined;
    }
    return this.#fields!;
  }
}
