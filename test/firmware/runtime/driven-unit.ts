import { createHmac } from 'node:crypto';
import { BaseOpening } from '../../../protocol/iotsocket/opening.js';
import type { SessionCrypto } from '../../../protocol/iotsocket/proof.js';
import { SealedStream } from '../../../protocol/iotsocket/sealed-stream.js';
import type { PayloadBlock, Transmission } from '../../../protocol/iotsocket/transmission.js';
import { fromHex, toHex } from '../../../protocol/octets.js';
import { encodeHelloAnswer } from '../../../protocol/unit/system-messages.js';
import { buildProgram, here, LineProgram, runtimeFolder, sourcesIn } from './cpp-program.js';

/** K, C and N of wire/unit.md's vectors. */
export const vectorKey = fromHex('43434343434343434444444444444444');
export const vectorChallenge = fromHex('000102030405060708090a0b0c0d0e0f');
const vectorNonce = '101112131415161718191a1b1c1d1e1f';
/** What `begin` draws: the boot's nonce 0x04030201 and the first tracking number 0x0100. */
const vectorBootRandom = '010203040001';

export const crypto: SessionCrypto = {
  hmac: (key, message) => createHmac('sha256', key).update(message).digest(),
  random: () => vectorChallenge,
};

export const buildSessionDriver = (extra: readonly string[] = []): Promise<string> =>
  buildProgram('session-driver', [...sourcesIn(runtimeFolder), ...sourcesIn(`${here}/driver`)], extra);

export interface Happened {
  /** All events in order, `out` left out. */
  readonly events: readonly string[];
  /** Octets written to a connection. */
  out(connection: number): Uint8Array;
}

/** The compiled runtime over the scripted port, spoken to from TypeScript. */
export class DrivenUnit {
  readonly #program: LineProgram;
  #millis = 0;

  constructor(program: string | LineProgram) {
    this.#program = typeof program === 'string' ? new LineProgram(program) : program;
  }

  /** A new world and a unit in it, at boot 1 with the vectors' random octets. */
  async start(
    kind: 'lamp' | 'probe' | 'light' | 'line-lamp' | 'garden',
    options: { stored?: number; millis?: number } = {},
  ): Promise<void> {
    this.#millis = options.millis ?? 0;
    await this.do('world');
    await this.do(`stored ${options.stored ?? 0}`);
    await this.do(`time ${this.#millis}`);
    await this.do(`random ${vectorBootRandom}${vectorNonce}`);
    await this.do(`start ${kind}`);
  }

  async do(command: string): Promise<Happened> {
    const line = await this.#program.ask(command);
    const all = line === '' ? [] : line.split(';');
    const events = all.filter((event) => !event.startsWith('out '));
    return {
      events,
      out: (connection) => {
        const start = `out ${connection} `;
        return fromHex(
          all
            .filter((event) => event.startsWith(start))
            .map((event) => event.slice(start.length))
            .join(''),
        );
      },
    };
  }

  loop(count = 1): Promise<Happened> {
    return this.do(`loop ${count}`);
  }

  /** Octets arrive and are looked at. */
  async give(connection: number, octets: Uint8Array, loops = 3): Promise<Happened> {
    await this.do(`in ${connection} ${toHex(octets)}`);
    return this.loop(loops);
  }

  /** Time passes; the clock is 32 bits wide. */
  async pass(ms: number, loops = 3): Promise<Happened> {
    this.#millis = (this.#millis + ms) % 2 ** 32;
    await this.do(`time ${this.#millis}`);
    return this.loop(loops);
  }

  stop(): Promise<{ readonly status: number | null; readonly complaints: string }> {
    return this.#program.stop();
  }
}

/** The base's end of one connection to a driven unit, over the codecs of protocol/. */
export class ScriptedBase {
  readonly #unit: DrivenUnit;
  readonly connection: number;
  #stream: SealedStream | undefined;

  constructor(unit: DrivenUnit, connection = 0) {
    this.#unit = unit;
    this.connection = connection;
  }

  /** Connects and proves itself. What the unit does then: its transmissions, and events. */
  async open(key = vectorKey): Promise<Exchange> {
    await this.#unit.do(`connect ${this.connection}`);
    const opening = new BaseOpening({ crypto, keyOf: () => key });
    let step = opening.push((await this.#unit.loop()).out(this.connection));
    if (step.kind !== 'more') throw new Error(`the initiation was ${step.kind}`);
    step = opening.push((await this.#unit.give(this.connection, step.send)).out(this.connection));
    if (step.kind !== 'opened')
      throw new Error(`the proof was ${step.kind === 'refused' ? step.error.message : 'short'}`);
    this.#stream = new SealedStream({ crypto, sessionKey: step.opened.sessionKey, role: 'base' });
    return this.read(await this.#unit.give(this.connection, step.send));
  }

  /** Opens, and answers the hello. */
  async serve(acknowledged = 0, waiting = 0): Promise<Exchange> {
    const { transmissions } = await this.open();
    return this.answer(trackingOf(transmissions[0]), 0, encodeHelloAnswer({ ...welcome, acknowledged, waiting }));
  }

  seal(transmission: Transmission): Uint8Array {
    return this.#stream!.seal(transmission);
  }

  async send(transmission: Transmission): Promise<Exchange> {
    return this.read(await this.#unit.give(this.connection, this.seal(transmission)));
  }

  request(tracking: number, data: Uint8Array): Promise<Exchange> {
    return this.send({ kind: 'request', tracking, payload: typed(data) });
  }

  answer(tracking: number, code: number, data: Uint8Array = new Uint8Array(0)): Promise<Exchange> {
    return this.send({ kind: 'response', tracking, code, payload: typed(data) });
  }

  /** What the unit wrote, its tags checked. */
  read(happened: Happened): Exchange {
    const transmissions: Transmission[] = [];
    for (const received of this.#stream!.open(happened.out(this.connection))) {
      if (received.kind === 'bad') throw received.error;
      transmissions.push(structuredClone(received.transmission));
    }
    return { events: happened.events, transmissions };
  }

  async loop(count = 1): Promise<Exchange> {
    return this.read(await this.#unit.loop(count));
  }

  async pass(ms: number): Promise<Exchange> {
    return this.read(await this.#unit.pass(ms));
  }
}

export interface Exchange {
  readonly events: readonly string[];
  readonly transmissions: readonly Transmission[];
}

export const welcome = {
  fingerprint: new Uint8Array(8),
  timeMs: 1_700_000_000_000,
  acknowledged: 0,
  waiting: 0,
  udpPort: 0,
};

export const typed = (data: Uint8Array): PayloadBlock => ({ format: 0, options: 1, data });

export function trackingOf(transmission: Transmission | undefined): number {
  if (transmission?.kind !== 'request') throw new Error(`a request was expected, not ${transmission?.kind}`);
  return transmission.tracking;
}

export function dataOf(transmission: Transmission | undefined): Uint8Array {
  if (transmission?.kind !== 'request' && transmission?.kind !== 'response')
    throw new Error(`a payload was expected, not ${transmission?.kind}`);
  return transmission.payload.data;
}
