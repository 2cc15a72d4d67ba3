import type { UnitDefinition } from '../../protocol/definition/index.js';
import type { CommandRequest } from './command-request.js';
import type { Outcome } from './messages.js';
import type { UnitView } from './unit-view.js';

/** What the outside (API, terminal) may do with units. The router implements it. */
export interface UnitsPort {
  list(): readonly UnitView[];
  get(unit: string): UnitView | undefined;
  /** The definition the base believes that unit runs; forms are made from it. */
  definitionOf(unit: string): UnitDefinition | undefined;
  /** Always resolves, with the command's one outcome. */
  command(request: CommandRequest): Promise<Outcome>;
}
