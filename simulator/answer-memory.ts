import type { PayloadBlock } from '../protocol/iotsocket/transmission.js';

/** Answers that a unit remembers (wire/unit.md, "Commands are remembered"). */
export const REMEMBERED_ANSWERS = 16;

/** How a command was answered. */
export interface CommandAnswer {
  readonly code: number;
  readonly payload: PayloadBlock;
}

/** The answers to a unit's last 16 commands by id, so that one sent twice is applied once. The oldest makes room. */
export class AnswerMemory {
  readonly #answers = new Map<number, CommandAnswer>();

  /** `undefined` when this id is not among the last 16. */
  find(id: number): CommandAnswer | undefined {
    return this.#answers.get(id);
  }

  remember(id: number, answer: CommandAnswer): void {
    this.#answers.set(id, answer);
    if (this.#answers.size > REMEMBERED_ANSWERS) this.#answers.delete(this.#answers.keys().next().value!);
  }

  /** A new boot: RAM is empty. */
  forget(): void {
    this.#answers.clear();
  }
}
