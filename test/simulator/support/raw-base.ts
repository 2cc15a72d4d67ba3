import type { Carrier } from '../../../base/links/carrier.js';
import { nodeCrypto, systemRandom } from '../../../base/system.js';
import { BaseOpening } from '../../../protocol/iotsocket/opening.js';
import { SealedStream } from '../../../protocol/iotsocket/sealed-stream.js';
import { emptyTypedPayload, returnCodes, type Transmission } from '../../../protocol/iotsocket/transmission.js';
import { decodeHello, encodeHelloAnswer, type Hello, systemNumbers } from '../../../protocol/unit/system-messages.js';

/** What a unit sent, its payload copied. */
export type Heard = Transmission;

/** The base's side by hand: it proves itself, answers the hello, and for the rest does what the test says. */
export class RawBase {
  readonly heard: Heard[] = [];
  isClosed = false;
  isOpen = false;
  /** As the unit said it. */
  hello: Hello | undefined;
  readonly #carrier: Carrier;
  readonly #answers: { readonly acknowledged?: number; readonly waiting?: number };
  #stream: SealedStream | undefined;
  #tracking = 0;

  constructor(
    carrier: Carrier,
    key: Uint8Array,
    answers: { readonly acknowledged?: number; readonly waiting?: number } = {},
  ) {
    this.#carrier = carrier;
    this.#answers = answers;
    const crypto = nodeCrypto(systemRandom);
    const opening = new BaseOpening({ crypto, keyOf: () => key });
    carrier.attach({
      octets: (chunk) => {
        if (this.#stream !== undefined) return this.#receive(this.#stream, chunk);
        const step = opening.push(chunk);
        if (step.send.length > 0) carrier.write(step.send);
        if (step.kind === 'opened')
          this.#stream = new SealedStream({ crypto, sessionKey: step.opened.sessionKey, role: 'base' });
      },
      drained: () => {},
      ended: () => carrier.end(),
      closed: () => {
        this.isClosed = true;
      },
    });
  }

  send(transmission: Transmission): void {
    this.#carrier.write(this.#stream!.seal(transmission));
  }

  /** A typed request; gives its tracking number. */
  request(data: Uint8Array): number {
    this.#tracking += 1;
    this.send({ kind: 'request', tracking: this.#tracking, payload: { ...emptyTypedPayload, data } });
    return this.#tracking;
  }

  answer(tracking: number, code: number): void {
    this.send({ kind: 'response', tracking, code, payload: emptyTypedPayload });
  }

  /** The requests of the unit but its hello. */
  get requests(): Extract<Heard, { readonly kind: 'request' }>[] {
    return this.heard.filter((heard) => heard.kind === 'request');
  }
  responseTo(tracking: number): Extract<Heard, { readonly kind: 'response' }> | undefined {
    return this.heard.filter((heard) => heard.kind === 'response').find((heard) => heard.tracking === tracking);
  }
  /** The code it was told goodbye with. */
  get closeCode(): number | undefined {
    return this.heard.find((heard) => heard.kind === 'close')?.code;
  }

  #receive(stream: SealedStream, chunk: Uint8Array): void {
    for (const received of stream.open(chunk)) {
      if (received.kind === 'bad') throw received.error;
      const { transmission } = received;
      if (transmission.kind === 'request' && transmission.payload.data[0] === systemNumbers.hello)
        this.#welcome(transmission.tracking, transmission.payload.data);
      else this.heard.push(copied(transmission));
      if (transmission.kind === 'close') this.#carrier.end();
    }
  }

  #welcome(tracking: number, hello: Uint8Array): void {
    this.isOpen = true;
    this.hello = decodeHello(hello.slice());
    const { acknowledged = 0, waiting = 0 } = this.#answers;
    const data = encodeHelloAnswer({
      fingerprint: new Uint8Array(8),
      timeMs: 0,
      acknowledged,
      waiting,
      udpPort: 0,
    });
    this.send({ kind: 'response', tracking, code: returnCodes.valid, payload: { ...emptyTypedPayload, data } });
  }
}

function copied(transmission: Transmission): Transmission {
  if (!('payload' in transmission)) return transmission;
  return { ...transmission, payload: { ...transmission.payload, data: transmission.payload.data.slice() } };
}
