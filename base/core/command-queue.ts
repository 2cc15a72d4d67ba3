import type { Clock, Timer } from './clock.js';

/** What may wait for one unit (reference/limits.md, "Kept session"); the newest is refused past it. */
export const MAX_WAITING = 100;
export const MAX_WAITING_OCTETS = 256 * 1024;

/** A command in its unit's queue. Exactly one of the four is called. */
export interface QueuedCommand {
  readonly octets: number;
  /** Monotonic moment after which it may not be begun. */
  readonly deadline: number;
  /** Its turn has come; the next one's comes when this resolves. Never rejects. */
  deliver(): Promise<void>;
  /** Its time was over before its turn came. */
  expire(): void;
  /** The base stops, and its turn has not come. */
  stop(): void;
  /** Its unit is there no more, and its turn has not come. */
  abandon(reason: string): void;
}

interface Waiting {
  readonly command: QueuedCommand;
  readonly expiry: Timer;
}

/** The commands of one unit: begun in the order of acceptance, never after their deadline, one at a time unless it takes more. */
export class CommandQueue {
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  /** How many may be under way, and are. */
  readonly #atOnce: number;
  #underWay = 0;
  #octets = 0;
  /** What becomes of a command that comes too late. */
  #over: ((command: QueuedCommand) => void) | undefined;

  constructor(clock: Clock, atOnce = 1) {
    this.#clock = clock;
    this.#atOnce = atOnce;
  }

  /** Commands that have not ended, those under way among them. */
  get length(): number {
    return this.#waiting.length + this.#underWay;
  }

  /** Why there is no room for one more of that size; `undefined`: there is. */
  fullness(octets: number): string | undefined {
    if (this.#waiting.length >= MAX_WAITING) return `${MAX_WAITING} commands wait for this unit already`;
    if (this.#octets + octets > MAX_WAITING_OCTETS)
      return `commands of ${MAX_WAITING_OCTETS / 1_024} KiB wait for this unit already`;
    return undefined;
  }

  push(command: QueuedCommand): void {
    if (this.#over !== undefined) return this.#over(command);
    const waiting = {
      command,
      expiry: this.#clock.after(command.deadline - this.#clock.monotonic(), () => this.#expire(waiting)),
    };
    this.#waiting.push(waiting);
    this.#octets += command.octets;
    this.#work();
  }

  /** Everything that waits is told; what is under way is the dialect's to end. */
  stop(): void {
    this.#end((command) => command.stop());
  }

  /** The same, as the unit is there no more. */
  abandon(reason: string): void {
    this.#end((command) => command.abandon(reason));
  }

  #end(over: (command: QueuedCommand) => void): void {
    this.#over = over;
    this.#octets = 0;
    for (const { expiry, command } of this.#waiting.splice(0)) {
      expiry.cancel();
      over(command);
    }
  }

  #expire(waiting: Waiting): void {
    const at = this.#waiting.indexOf(waiting);
    if (at === -1) return;
    this.#waiting.splice(at, 1);
    this.#octets -= waiting.command.octets;
    waiting.command.expire();
  }

  #work(): void {
    while (this.#underWay < this.#atOnce) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      const { command, expiry } = next;
      expiry.cancel();
      this.#octets -= command.octets;
      // A machine that was busy or asleep may come here before the timer does.
      if (command.deadline <= this.#clock.monotonic()) command.expire();
      else void this.#deliver(command);
    }
  }

  async #deliver(command: QueuedCommand): Promise<void> {
    this.#underWay += 1;
    await command.deliver();
    this.#underWay -= 1;
    this.#work();
  }
}
