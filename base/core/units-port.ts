import type { UnitDefinition } from '../../protocol/definition/index.js';
import type { CommandRequest } from './command-request.js';
import type { LogLine, Outcome } from './messages.js';
import type { History, HistoryQuery } from './store.js';
import type { UnitView } from './unit-view.js';

/** What is known of a command by its id: its outcome, or that it has none yet. */
export type CommandStatus = Outcome | 'waiting';

/** What the outside (API, terminal) may do with units. The router implements it. */
export interface UnitsPort {
  list(): readonly UnitView[];
  /** All UIDs, in the order of `list`. */
  uids(): Iterable<string>;
  /** UIDs of those whose link is up, without looking further into any. */
  online(): readonly string[];
  get(unit: string): UnitView | undefined;
  /** The definition the base believes that unit runs; forms are made from it. `undefined` also where it is not typed. */
  definitionOf(unit: string): UnitDefinition | undefined;
  /** Resolves with the command's one outcome. InternalError `stopped`: the base stops, and goes on with it at its next start. */
  command(request: CommandRequest): Promise<Outcome>;
  /** `undefined`: no command with that id is remembered (10 minutes, the last 256 of a unit). */
  commandStatus(unit: string, id: string): CommandStatus | undefined;
  /** The last lines of its own log since the base started, the oldest first. */
  logs(unit: string): readonly LogLine[];
  /** Rejects with StoreError. */
  history(query: HistoryQuery): Promise<History>;
  /** Erases what is stored of a unit, configured or not. Rejects with StoreError. */
  forget(unit: string): Promise<void>;
}
