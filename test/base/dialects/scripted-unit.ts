import {
  descriptorOf,
  encodeFields,
  fingerprintOctets,
  type UnitDefinition,
} from '../../../protocol/definition/index.js';
import { UnitOpening } from '../../../protocol/iotsocket/opening.js';
import { SealedStream } from '../../../protocol/iotsocket/sealed-stream.js';
import {
  emptyTypedPayload,
  type PayloadBlock,
  payloadFormats,
  type Transmission,
} from '../../../protocol/iotsocket/transmission.js';

import { encodeReport } from '../../../protocol/unit/heads.js';
import { encodeHello, type Hello } from '../../../protocol/unit/system-messages.js';
import { countingCrypto } from '../../protocol/crypto.js';
import { type ManualClock, settle } from '../../support/manual-clock.js';
import type { MemoryCarrier } from './memory-carrier.js';

export const KEY = new Uint8Array(16).fill(0x43);

export interface ScriptOptions {
  readonly uid: string;
  readonly definition: UnitDefinition;
  readonly key?: Uint8Array;
  readonly maxTransmission?: number;
}

/** A typed unit of which the test says every word; it answers nothing by itself. */
export class ScriptedUnit {
  readonly carrier: MemoryCarrier;
  readonly opening: UnitOpening;
  readonly #options: ScriptOptions;
  #stream: SealedStream | undefined;
  #tracking = 100;

  constructor(carrier: MemoryCarrier, options: ScriptOptions) {
    this.carrier = carrier;
    this.#options = options;
    const { uid, key = KEY, maxTransmission = 0 } = options;
    this.opening = new UnitOpening({ crypto: countingCrypto(77), uid, key, maxTransmission });
  }

  get peer() {
    return this.carrier.peer;
  }

  /** The opening with mutual proof. True when the base has let it in. */
  async prove(): Promise<boolean> {
    this.peer.write(this.opening.start());
    for (;;) {
      await settle();
      const octets = this.peer.take();
      if (octets.length === 0) return false;
      const step = this.opening.push(octets);
      if (step.send.length > 0) this.peer.write(step.send);
      if (step.kind === 'refused') return false;
      if (step.kind === 'opened') {
        this.#stream = new SealedStream({
          crypto: countingCrypto(0),
          sessionKey: step.opened.sessionKey,
          role: 'unit',
        });
        return true;
      }
    }
  }

  hello(hello: Partial<Hello> = {}): number {
    const { definition } = this.#options;
    const octets = encodeHello({
      fingerprint: fingerprintOctets(descriptorOf(definition)),
      boot: 1,
      nonce: 7,
      kind: definition.kind,
      resetReason: 0,
      definition: definition.name,
      version: definition.version,
      ...hello,
    });
    return this.request(octets);
  }

  /** Proof and hello; gives what the base answered the hello. */
  async greet(hello: Partial<Hello> = {}): Promise<Transmission[]> {
    if (!(await this.prove())) return [];
    this.hello(hello);
    await settle();
    return this.heard();
  }

  send(transmission: Transmission): void {
    this.peer.write(this.#stream!.seal(transmission));
  }

  /** Octets with no regard to anything. */
  seal(transmission: Transmission): Uint8Array {
    return this.#stream!.seal(transmission);
  }

  request(data: Uint8Array, payload: Partial<PayloadBlock> = {}): number {
    this.#tracking += 1;
    this.send({ kind: 'request', tracking: this.#tracking, payload: { ...emptyTypedPayload, ...payload, data } });
    return this.#tracking;
  }

  report(number: number, sequence: number, values: Record<string, unknown>, ageMs = 0): number {
    const { definition } = this.#options;
    const report = Object.values(definition.reports).find((each) => each.number === number)!;
    const encoded = encodeFields(report.fields, values);
    if (!encoded.ok) throw new Error(encoded.refusal.message);
    return this.request(encodeReport({ number, sequence, ageMs, fields: encoded.octets }));
  }

  answer(
    tracking: number,
    code = 0,
    data: Uint8Array = new Uint8Array(0),
    format: number = payloadFormats.binary,
  ): void {
    const options = format === payloadFormats.binary ? 1 : 0;
    this.send({ kind: 'response', tracking, code, payload: { format, options, data } });
  }

  /** What the base has sent since the last time, every tag checked. */
  heard(): Transmission[] {
    const heard = [...this.#stream!.open(this.peer.take())].map((received) => {
      if (received.kind === 'bad') throw received.error;
      const { transmission } = received;
      if (!('payload' in transmission)) return transmission;
      return { ...transmission, payload: { ...transmission.payload, data: transmission.payload.data.slice() } };
    });
    return heard;
  }

  /** Lets time pass and gives what the base has said meanwhile. */
  async after(clock: ManualClock, ms: number): Promise<Transmission[]> {
    await clock.advance(ms);
    return this.heard();
  }
}
