import type { Clock, Timer } from '../base/core/clock.js';
import { LinkError, ProtocolError } from '../protocol/errors.js';
import { closeCodes, type PayloadBlock, payloadFormats, returnCodes } from '../protocol/iotsocket/transmission.js';
import {
  decodeHelloAnswer,
  decodeNextBoot,
  encodeHello,
  type HelloAnswer,
  systemNumbers,
} from '../protocol/unit/system-messages.js';
import { ANSWER_MS, FIRST_RESEND_MS, LAST_RESEND_MS } from './report-sender.js';
import type { UnitConnection } from './unit-connection.js';
import type { UnitLife } from './unit-life.js';
import type { UnitModel } from './unit-model.js';

/** Times in one session that a unit takes the next boot number: each wears a chip's flash. */
const MAX_NEXT_BOOTS = 3;

export interface UnitHelloOptions {
  readonly connection: UnitConnection;
  readonly model: UnitModel;
  readonly clock: Clock;
  readonly life: UnitLife;
  /** The base knows this boot number: store that one. */
  readonly nextBoot: (boot: number) => void;
  /** The base answered; it has the reports up to `acknowledged`. */
  readonly welcome: (acknowledged: number) => void;
  /** After the answer the unit stays so long at most, then says it sleeps. `undefined`: it never sleeps. */
  readonly sleepAfterMs: number | undefined;
}

/** A session's hello, until it is answered, and what its answer says of the session's end (wire/unit.md, "Messages"). */
export class UnitHello {
  readonly #options: UnitHelloOptions;
  #tracking = -1;
  #answer: HelloAnswer | undefined;
  #nextBoots = 0;
  #waitMs = FIRST_RESEND_MS;
  #commandsLeft = 0;
  #isAsleep = false;
  #timer: Timer | undefined;

  constructor(options: UnitHelloOptions) {
    this.#options = options;
  }

  get connection(): UnitConnection {
    return this.#options.connection;
  }
  get isWelcome(): boolean {
    return this.#answer !== undefined;
  }
  get isAsleep(): boolean {
    return this.#isAsleep;
  }

  send(): void {
    const { connection, model, life } = this.#options;
    const { name, version, kind } = model.definition;
    this.#tracking = connection.request(
      encodeHello({
        ...life.hello,
        fingerprint: model.fingerprint,
        kind,
        definition: name,
        version,
      }),
    );
    this.#after(ANSWER_MS, () =>
      connection.close(closeCodes.freeingResources, new LinkError('link-lost', 'the base did not answer the hello')),
    );
  }

  /** True when this response is to the hello. */
  answered(tracking: number, code: number, payload: PayloadBlock): boolean {
    if (tracking !== this.#tracking || this.isWelcome) return false;
    try {
      this.#take(code, payload);
    } catch (error) {
      this.connection.close(closeCodes.protocolError, error as Error);
    }
    return true;
  }

  /** A command was answered: one less of those the base announced. */
  commandAnswered(): void {
    this.#commandsLeft = Math.max(0, this.#commandsLeft - 1);
  }

  /** Everything of the unit's own is sent: it sleeps as soon as the announced commands are answered. */
  sleepWhenAnswered(): void {
    if (this.isWelcome && this.#commandsLeft === 0) this.#sleep();
  }

  /** The link is gone. */
  end(): void {
    this.#timer?.cancel();
  }

  #take(code: number, payload: PayloadBlock): void {
    if (code === returnCodes.valid) {
      this.#timer?.cancel();
      this.#answer = decodeHelloAnswer(payload.data);
      this.#commandsLeft = this.#answer.waiting;
      const { sleepAfterMs, welcome } = this.#options;
      if (sleepAfterMs !== undefined) this.#after(sleepAfterMs, () => this.#sleep());
      welcome(this.#answer.acknowledged);
    } else if (code === returnCodes.notValid) this.#refused(payload);
    else {
      this.#after(this.#waitMs, () => this.send());
      this.#waitMs = Math.min(LAST_RESEND_MS, 2 * this.#waitMs);
    }
  }

  #refused({ format, data }: PayloadBlock): void {
    if (format !== payloadFormats.binary || data[0] !== systemNumbers.hello)
      throw new ProtocolError('proof-refused', `the base refused the hello: ${new TextDecoder().decode(data)}`);
    this.#nextBoots += 1;
    if (this.#nextBoots > MAX_NEXT_BOOTS)
      throw new ProtocolError('value-refused', 'the base wants ever more boot numbers');
    this.#options.nextBoot(decodeNextBoot(data));
    this.send();
  }

  #sleep(): void {
    this.#isAsleep = true;
    this.connection.close(closeCodes.sleep);
  }

  #after(delayMs: number, call: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(delayMs, call);
  }
}
