/** Distinct lines remembered per subject; past it the oldest may be said again. */
const MAX_SUBJECTS = 1_000;

/** Tells what is new: the same text about the same subject is said once, until it changes or is forgotten. */
export class SaidOnce {
  readonly #said = new Map<string, string>();

  /** True when this text about this subject was not the last one said. */
  isNew(subject: string, text: string): boolean {
    if (this.#said.get(subject) === text) return false;
    this.#said.delete(subject);
    this.#said.set(subject, text);
    if (this.#said.size > MAX_SUBJECTS) this.#said.delete(this.#said.keys().next().value!);
    return true;
  }

  /** Something about it was said, and it was not well since. */
  has(subject: string): boolean {
    return this.#said.has(subject);
  }

  /** The subject is well again: whatever goes wrong next is news. */
  forget(subject: string): void {
    this.#said.delete(subject);
  }
}
