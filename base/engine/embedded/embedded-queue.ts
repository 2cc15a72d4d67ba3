import type { Clock, Timer } from '../../core/clock.js';
import type { Addition, DeadLetter, Queue, QueueEntry, QueueItem, QueueState } from '../../core/queue.js';
import { entryOf } from './embedded-store.js';
import type { GroupCommit } from './group-commit.js';
import type { Statement } from './sql.js';
import type { SqlitePort } from './sqlite-port.js';
import { readQueueState } from './stored-json.js';

/** Until what the disk refused is written again, in ms. */
const AGAIN_MS = 1_000;
/** What an item costs beside its texts. */
const ITEM_OVERHEAD = 128;

export interface EmbeddedQueueOptions {
  readonly name: string;
  readonly port: SqlitePort;
  readonly commits: GroupCommit;
  readonly clock: Clock;
  /** The next place over all queues. */
  readonly nextPosition: () => number;
}

/** One queue in the store's file. What became of items is written in groups, one under way at a time. */
export class EmbeddedQueue implements Queue {
  readonly name: string;
  readonly #options: EmbeddedQueueOptions;
  /** What is not on disk yet: the latest that became of each item. As many as items are there. */
  readonly #due = new Map<number | 'state', Statement>();
  #hearPruned: (dead: number) => void = () => {};
  #writing: Promise<void> | undefined;
  #isStopped = false;
  #again: Timer | undefined;

  constructor(options: EmbeddedQueueOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async load(): Promise<{ entries: readonly QueueEntry[]; state: QueueState; dead: number }> {
    const { port } = this.#options;
    const entries = (await port.all('items', this.name)).map(entryOf);
    const [state] = await port.all('queue', this.name);
    const [dead] = await port.all('countDead', this.name);
    return {
      entries,
      state: readQueueState(state?.state) ?? {},
      dead: dead!.count as number,
    };
  }

  whenPruned(hear: (dead: number) => void): void {
    this.#hearPruned = hear;
  }

  /** Dead letters were dropped behind its back. */
  async pruned(): Promise<void> {
    await this.settled();
    const [dead] = await this.#options.port.all('countDead', this.name);
    this.#hearPruned(dead!.count as number);
  }

  addition(item: QueueItem, dueAt: number, dead?: string): Addition {
    const { id, key, body } = item;
    const octets = ITEM_OVERHEAD + Buffer.byteLength(id) + Buffer.byteLength(body);
    const position = this.#options.nextPosition();
    return {
      queue: this.name,
      entry: { position, id, key, octets, attempts: 0, dueAt: Math.round(dueAt) },
      body,
      ...(dead === undefined ? {} : { dead }),
    };
  }

  async body(position: number): Promise<string | undefined> {
    const [row] = await this.#options.port.all('itemBody', position);
    return row?.body as string | undefined;
  }

  remove(position: number): void {
    this.#write(position, ['removeItem', position]);
  }

  retry(position: number, attempts: number, dueAt: number): void {
    this.#write(position, ['retryItem', attempts, Math.round(dueAt), position]);
  }

  bury(position: number, attempts: number, reason: string): void {
    this.#write(position, ['buryItem', attempts, this.#options.clock.now(), reason, position]);
  }

  setState(state: QueueState): void {
    this.#write('state', ['setQueue', this.name, JSON.stringify(state)]);
  }

  async settled(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async deadLetters(behind: number, limit: number): Promise<readonly DeadLetter[]> {
    await this.settled();
    const rows = await this.#options.port.all('deadItems', this.name, behind, limit);
    return rows.map((row) => ({
      position: row.position as number,
      id: row.id as string,
      key: row.key as string,
      octets: row.octets as number,
      attempts: row.attempts as number,
      diedAt: row.dead_at as number,
      reason: row.reason as string,
    }));
  }

  async replay(positions: readonly number[], dueAt: number): Promise<readonly QueueEntry[]> {
    await this.settled();
    const wanted = new Set(positions);
    const [first] = [...wanted].sort((a, b) => a - b);
    if (first === undefined) return [];
    const rows = await this.#options.port.all('deadItems', this.name, first - 1, Number.MAX_SAFE_INTEGER);
    const entries = rows.map(entryOf).filter(({ position }) => wanted.has(position));
    await this.#options.commits.commit(
      entries.map(({ position }): Statement => ['replayItem', Math.round(dueAt), position]),
    );
    return entries.map((entry) => ({ ...entry, attempts: 0, dueAt }));
  }

  #write(of: number | 'state', statement: Statement): void {
    this.#due.delete(of);
    this.#due.set(of, statement);
    if (this.#again === undefined) this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    // What comes in this turn goes together.
    await Promise.resolve();
    while (this.#due.size > 0) {
      const group = [...this.#due];
      try {
        await this.#options.commits.commit(group.map(([, statement]) => statement));
      } catch {
        // The log has it from the engine. What was written is written again until the disk takes it.
        if (this.#isStopped) break;
        this.#again = this.#options.clock.after(AGAIN_MS, () => {
          this.#again = undefined;
          this.#writing ??= this.#writeAll();
        });
        break;
      }
      for (const [of, statement] of group) if (this.#due.get(of) === statement) this.#due.delete(of);
    }
    this.#writing = undefined;
  }

  /** Gives up what the disk refuses. */
  stop(): void {
    this.#isStopped = true;
    this.#again?.cancel();
  }
}
