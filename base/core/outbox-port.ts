import type { DeadLetter } from './queue.js';

/** How it stands with one receiver. */
export interface OutboxStatus {
  /** What commands and the API name it by. */
  readonly endpoint: string;
  /** For people. */
  readonly label: string;
  readonly state: 'working' | 'failing' | 'disabled';
  /** Why it is disabled. */
  readonly reason?: string;
  readonly waiting: number;
  readonly octets: number;
  /** Dead letters; they are kept for 7 days. */
  readonly dead: number;
  /** Since the base started. */
  readonly delivered: number;
  /** Since the base started: not taken, because the queue was full or the receiver disabled. */
  readonly refused: number;
}

/** One receiver, for those who look after it. */
export interface OutboxView {
  readonly name: string;
  readonly status: OutboxStatus;
  /** Dead letters behind that position, oldest first. */
  deadLetters(behind: number, limit: number): Promise<readonly DeadLetter[]>;
  /** Sends them again. Gives how many there were. */
  replay(positions: readonly number[]): Promise<number>;
  /** Tells it again what happens, after it was disabled. */
  enable(): void;
}

/** What the outside (API, terminal) may do with receivers. */
export interface OutboxPort {
  list(): readonly OutboxView[];
}
