import { StoreError } from '../../../protocol/errors.js';
import type { Statement } from './sql.js';
import type { Fault } from './sqlite-file.js';
import type { SqlitePort } from './sqlite-port.js';

/** Commits that share one wait for the disk (reference/limits.md, SQLite). */
export const MAX_GROUP = 64;
/** Groups handed to the file: one that it works on, and one that waits, so that it never waits for us. */
const GROUPS_UNDER_WAY = 2;
/** Commits that wait for their group: some of each of 16 384 units. A disk that falls so far behind has failed. Past it a commit is refused. */
export const MAX_WAITING = 65_536;

interface Waiting {
  readonly statements: readonly Statement[];
  resolve(): void;
  reject(error: StoreError): void;
}

/** Commits go to the file at once while it is idle; what comes while it works goes together, in the order in which it came. */
export class GroupCommit {
  readonly #port: Pick<SqlitePort, 'runGroup'>;
  readonly #hearFault: (fault: Fault | undefined) => void;
  #waiting: Waiting[] = [];
  #underWay = 0;
  #idle: (() => void)[] = [];

  /** `hearFault` is told of each group's first fault, and of each group without one. */
  constructor(port: Pick<SqlitePort, 'runGroup'>, hearFault: (fault: Fault | undefined) => void) {
    this.#port = port;
    this.#hearFault = hearFault;
  }

  /** Commits that the file has not been given yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when all of it is on disk. StoreError `store-failed` or `store-busy`: nothing of it is kept. */
  commit(statements: readonly Statement[]): Promise<void> {
    if (this.#waiting.length >= MAX_WAITING)
      return Promise.reject(new StoreError('store-busy', `${MAX_WAITING} commits wait for the disk already`));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ statements, resolve, reject });
      this.#flush();
    });
  }

  /** Resolves when nothing waits and nothing is under way. */
  settled(): Promise<void> {
    if (this.#underWay === 0 && this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #flush(): void {
    if (this.#underWay >= GROUPS_UNDER_WAY || this.#waiting.length === 0) return;
    const group = this.#waiting.splice(0, MAX_GROUP);
    this.#underWay += 1;
    void this.#port
      .runGroup(group.map(({ statements }) => statements))
      .catch((error: Error & { readonly code?: string }): (Fault | null)[] => {
        const fault = { code: error.code ?? 'INTERNAL', message: error.message };
        return group.map(() => fault);
      })
      .then((faults) => {
        this.#underWay -= 1;
        this.#hearFault(faults.find((fault) => fault !== null) ?? undefined);
        for (const [index, { resolve, reject }] of group.entries()) {
          const fault = faults[index];
          if (!fault) resolve();
          else reject(new StoreError('store-failed', describeFault(fault), { cause: fault }));
        }
        this.#flush();
        if (this.#underWay === 0 && this.#waiting.length === 0) for (const resolve of this.#idle.splice(0)) resolve();
      });
    this.#flush();
  }
}

/** What a person can do something with. */
export function describeFault({ code, message }: Fault): string {
  switch (code.split('_').slice(0, 2).join('_')) {
    case 'SQLITE_FULL':
      return 'the disk is full; make room on it';
    case 'SQLITE_IOERR':
      return `the disk does not take what is written (${code}); check it`;
    case 'SQLITE_CORRUPT':
    case 'SQLITE_NOTADB':
      return `the store is damaged (${message}); start the base again, which sets the file aside`;
    case 'SQLITE_READONLY':
    case 'SQLITE_CANTOPEN':
      return `the store cannot be written (${message}); check the owner and the mode of its folder`;
    default:
      return `${message} (${code})`;
  }
}
