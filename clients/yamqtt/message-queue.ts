import type { FlowMessage } from './client-event.js';

/** Messages that wait for a loop; past it the server is read no further until half of them are taken. */
const MAX_WAITING = 64;

/** Messages on their way to a `for await` loop. */
export class MessageQueue implements AsyncIterableIterator<FlowMessage> {
  readonly #changed: () => void;
  readonly #messages: FlowMessage[] = [];
  #waiting: {
    readonly resolve: (result: IteratorResult<FlowMessage>) => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  #end: { readonly error: Error | undefined } | undefined;

  /** `changed`: it has become full, has room again, or is left. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get isFull(): boolean {
    return this.#messages.length >= MAX_WAITING;
  }

  /** Nobody takes anything any more. */
  get isOver(): boolean {
    return this.#end !== undefined;
  }

  push(message: FlowMessage): void {
    if (this.isOver) return;
    const next = this.#waiting.shift();
    if (next !== undefined) return next.resolve({ done: false, value: message });
    this.#messages.push(message);
    if (this.isFull) this.#changed();
  }

  /** What waits is still taken; then the loop ends, or throws the error. */
  end(error: Error | undefined): void {
    if (this.isOver) return;
    // One loop is told, once.
    this.#end = { error: this.#waiting.length === 0 ? error : undefined };
    for (const { resolve, reject } of this.#waiting) {
      if (error === undefined) resolve({ done: true, value: undefined });
      else reject(error);
    }
    this.#waiting = [];
  }

  next(): Promise<IteratorResult<FlowMessage>> {
    const value = this.#messages.shift();
    if (value !== undefined) {
      if (this.#messages.length === MAX_WAITING / 2) this.#changed();
      return Promise.resolve({ done: false, value });
    }
    if (this.#end === undefined) return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    const { error } = this.#end;
    this.#end = { error: undefined };
    return error === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error);
  }

  /** The loop was left. */
  return(): Promise<IteratorResult<FlowMessage>> {
    this.end(undefined);
    this.#messages.length = 0;
    this.#changed();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
