import type { OutboxPort, OutboxStatus, OutboxView } from '../../../base/core/outbox-port.js';
import type { DeadLetter } from '../../../base/core/queue.js';

/** A receiver in memory, with as many dead letters as a test wants: at positions 10, 20, 30, … */
class KnownOutbox implements OutboxView {
  readonly name: string;
  dead: DeadLetter[] = [];
  readonly replayed: number[] = [];
  isDisabled = false;
  fault: Error | undefined;
  /** Pages that were asked for. */
  readonly pages: { readonly behind: number; readonly limit: number }[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get status(): OutboxStatus {
    return {
      endpoint: this.name,
      label: `webhook ${this.name}`,
      state: this.isDisabled ? 'disabled' : 'working',
      ...(this.isDisabled ? { reason: 'answered 410' } : {}),
      waiting: 3,
      octets: 1_234,
      dead: this.dead.length,
      delivered: 17,
      refused: 1,
    };
  }

  kill(count: number): void {
    this.dead = Array.from({ length: count }, (_, index) => ({
      position: (index + 1) * 10,
      id: `barrel/1/${index + 1}`,
      key: 'barrel',
      octets: 200,
      attempts: 11,
      diedAt: 1_767_225_600_000 + index,
      reason: 'answered 500; given up after 11 attempts',
    }));
  }

  async deadLetters(behind: number, limit: number): Promise<readonly DeadLetter[]> {
    if (this.fault) throw this.fault;
    this.pages.push({ behind, limit });
    return this.dead.filter(({ position }) => position > behind).slice(0, limit);
  }

  async replay(positions: readonly number[]): Promise<number> {
    if (this.fault) throw this.fault;
    const there = this.dead.filter(({ position }) => positions.includes(position)).map(({ position }) => position);
    const taken = new Set(there);
    this.dead = this.dead.filter(({ position }) => !taken.has(position));
    this.replayed.push(...there);
    return there.length;
  }

  enable(): void {
    this.isDisabled = false;
  }
}

/** Two receivers in memory. */
export class KnownOutboxes implements OutboxPort {
  readonly first = new KnownOutbox('webhook-1');
  readonly second = new KnownOutbox('dashboard');

  list(): readonly OutboxView[] {
    return [this.first, this.second];
  }
}
