import { type BaseUnitError, LinkError, ProtocolError, TimeoutError } from '../../protocol/errors.js';
import type { ClientClock } from '../connection/client-clock.js';

/** That wait for their turn. Whoever asks more does not look at the answers. */
export const MAX_QUESTIONS = 64;

interface Question {
  readonly octets: Uint8Array;
  /** Lines until its answer, which is the last. */
  lines: number;
  answered(line: string): void;
  failed(error: Error): void;
}

export interface QuestionsOptions {
  readonly clock: ClientClock;
  readonly timeoutMs: number;
  readonly send: (octets: Uint8Array) => void;
  /** A late answer would be taken for the next one's: nothing more can be asked here. */
  readonly giveUp: (error: BaseUnitError) => void;
}

/** Questions to the gateway: answers do not say what they answer, so that one is open at a time. */
export class Questions {
  readonly #options: QuestionsOptions;
  readonly #waiting: Question[] = [];
  #open: { readonly question: Question; readonly timer: { cancel(): void } } | undefined;

  constructor(options: QuestionsOptions) {
    this.#options = options;
  }

  get isAnyOpen(): boolean {
    return this.#open !== undefined;
  }

  /** `read` gets the last of so many lines. Rejects with LinkError `link-stalled`, TimeoutError `command-timeout`, or what `read` throws or {@link end} is given. */
  ask<T>(octets: Uint8Array, read: (line: string) => T, lines = 1): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === MAX_QUESTIONS)
        return reject(new LinkError('link-stalled', `${MAX_QUESTIONS} questions wait already`));
      this.#waiting.push({ octets, lines, answered: (line) => resolve(read(line)), failed: reject });
      this.#next();
    });
  }

  /** A line of the gateway. False: nothing was asked. Throws the ProtocolError of a line that is no answer. */
  answer(line: string): boolean {
    const open = this.#open;
    if (open === undefined) return false;
    open.question.lines -= 1;
    if (open.question.lines > 0) return true;
    open.timer.cancel();
    this.#open = undefined;
    try {
      open.question.answered(line);
    } catch (error) {
      open.question.failed(error as Error);
      if (error instanceof ProtocolError) throw error;
    }
    this.#next();
    return true;
  }

  /** No answers come any more. */
  end(error: Error): void {
    this.#open?.timer.cancel();
    const all = [...(this.#open === undefined ? [] : [this.#open.question]), ...this.#waiting.splice(0)];
    this.#open = undefined;
    for (const { failed } of all) failed(error);
  }

  #next(): void {
    const question = this.#open === undefined ? this.#waiting.shift() : undefined;
    if (question === undefined) return;
    const { clock, timeoutMs, send, giveUp } = this.#options;
    const late = new TimeoutError(
      'command-timeout',
      `the gateway did not answer within ${timeoutMs / 1_000} s: is that its port with the framing "line"?`,
    );
    const timer = clock.after(timeoutMs, () => giveUp(late));
    this.#open = { question, timer };
    send(question.octets);
  }
}
