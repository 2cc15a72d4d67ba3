import type { Carrier } from '../../../../base/links/carrier.js';
import { LinkError } from '../../../../protocol/errors.js';
import { BaseOpening } from '../../../../protocol/iotsocket/opening.js';
import { SealedStream } from '../../../../protocol/iotsocket/sealed-stream.js';
import type { Transmission } from '../../../../protocol/iotsocket/transmission.js';
import { encodeHelloAnswer } from '../../../../protocol/unit/system-messages.js';
import { crypto, trackingOf, typed, vectorKey, welcome } from '../../runtime/driven-unit.js';

/** The UID and key that the programs here are started with. */
export const UID = 'ObjTest';
export const identity = ['--uid', UID, '--key', Buffer.from(vectorKey).toString('hex')];

/** The base's end of a carrier to a unit, over the codecs of protocol/. Whatever does not come in order rejects. */
export class BaseSession {
  readonly carrier: Carrier;
  readonly #key: Uint8Array;
  readonly #opening: BaseOpening;
  #stream: SealedStream | undefined;
  readonly #received: Transmission[] = [];
  #end: Error | undefined;
  #wake: () => void = () => {};
  #tracking = 100;
  #isClosed: () => void = () => {};
  /** Resolves when the carrier is closed. */
  readonly closed = new Promise<void>((resolve) => {
    this.#isClosed = resolve;
  });

  constructor(carrier: Carrier, { uid = UID, key = vectorKey }: { uid?: string; key?: Uint8Array } = {}) {
    this.carrier = carrier;
    this.#key = key;
    this.#opening = new BaseOpening({ crypto, keyOf: (asked) => (asked === uid ? this.#key : undefined) });
    carrier.attach({
      octets: (chunk) => this.#take(chunk),
      drained: () => {},
      ended: () => {
        this.#over(new LinkError('link-lost', 'the unit ended the connection'));
        carrier.end();
      },
      closed: (error) => {
        this.#over(error ?? new LinkError('link-lost', 'the connection was closed'));
        this.#isClosed();
      },
    });
  }

  /** The next transmission of the unit; the first is its hello. */
  async next(): Promise<Transmission> {
    for (;;) {
      const received = this.#received.shift();
      if (received !== undefined) return received;
      if (this.#end !== undefined) throw this.#end;
      await this.#change();
    }
  }

  send(transmission: Transmission): void {
    this.carrier.write(this.#stream!.seal(transmission));
  }

  /** Sends a request; its tracking number. */
  request(data: Uint8Array): number {
    const tracking = this.#tracking++;
    this.send({ kind: 'request', tracking, payload: typed(data) });
    return tracking;
  }

  acknowledge(request: Transmission): void {
    this.send({ kind: 'response', tracking: trackingOf(request), code: 0, payload: typed(new Uint8Array(0)) });
  }

  /** Answers the hello; gives it. */
  async greet(acknowledged = 0): Promise<Transmission> {
    const hello = await this.next();
    const payload = typed(encodeHelloAnswer({ ...welcome, acknowledged }));
    this.send({ kind: 'response', tracking: trackingOf(hello), code: 0, payload });
    return hello;
  }

  #take(octets: Uint8Array): void {
    try {
      if (this.#stream === undefined) this.#open(octets);
      else this.#unseal(octets);
    } catch (error) {
      this.#over(error as Error);
      this.carrier.destroy();
    }
    this.#wake();
  }

  #open(octets: Uint8Array): void {
    const step = this.#opening.push(octets);
    if (step.send.length > 0) this.carrier.write(step.send);
    if (step.kind === 'refused') throw step.error;
    if (step.kind !== 'opened') return;
    this.#stream = new SealedStream({ crypto, sessionKey: step.opened.sessionKey, role: 'base' });
    if (step.opened.rest.length > 0) this.#unseal(step.opened.rest);
  }

  #unseal(octets: Uint8Array): void {
    for (const received of this.#stream!.open(octets)) {
      if (received.kind === 'bad') throw received.error;
      this.#received.push(structuredClone(received.transmission));
    }
  }

  #over(error: Error): void {
    this.#end ??= error;
    this.#wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
